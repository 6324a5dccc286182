public import NetpolModel
public import RuleIR

/// What the CNI plugin portmap on one node has been told: the pods with host ports, in the order in which they started.
public struct PortmapView: Sendable {
  /// One pod's sandbox.
  public struct Sandbox: Hashable, Sendable {
    /// The container runtime's id. No API object has it.
    public var id: String
    /// The first address of each family.
    public var addresses: [IPAddress]
    /// The networks of these addresses, in the same order.
    public var networks: [CIDR]
    /// In the order in which the runtime gives them.
    public var hostPorts: [HostPort]

    public init(id: String, addresses: [IPAddress], networks: [CIDR], hostPorts: [HostPort]) {
      self.id = id
      self.addresses = addresses
      self.networks = networks
      self.hostPorts = hostPorts
    }

    fileprivate func address(_ family: IPFamily) -> IPAddress? { addresses.first { $0.family == family } }
    fileprivate func network(_ family: IPFamily) -> CIDR? { networks.first { $0.family == family } }
  }

  /// The `name` of the CNI configuration. k3s's is `cbr0`.
  public var network: String
  public var sandboxes: [Sandbox]

  public init(network: String = "cbr0", sandboxes: [Sandbox]) {
    self.network = network
    self.sandboxes = sandboxes
  }

  /// The view of a node on which every pod that has an address has started, sorted by name. `networks` has the network
  /// of each pod address. Their sandboxes get invented ids.
  public init(of node: Node, in cluster: Cluster, networks: [IPAddress: CIDR]) {
    network = "cbr0"
    sandboxes = cluster.pods.filter { pod in
      pod.node == node.name && !pod.hostNetwork && !pod.phase.isTerminal && !pod.hostPorts.isEmpty
    }.compactMap { pod in
      let addresses = IPFamily.allCases.compactMap(pod.address).filter { networks[$0] != nil }
      if addresses.isEmpty { return nil }
      return Sandbox(
        id: sha256Hex(pod.id.description), addresses: addresses, networks: addresses.compactMap { networks[$0] },
        hostPorts: pod.hostPorts)
    }
  }
}

/// The nat tables of portmap with iptables (plugins/meta/portmap of containernetworking/plugins, 1.1.1 to 1.9.1). A
/// family has one if a pod has an address of it.
public func portmapTables(_ view: PortmapView) -> [Table] {
  IPFamily.allCases.compactMap { family in
    let sandboxes = view.sandboxes.filter { $0.address(family) != nil }
    return sandboxes.isEmpty ? nil : Portmap(network: view.network, family).table(sandboxes)
  }
}

/// The tables of portmap with `"backend": "nftables"`, which is portmap 1.9.0 or later.
public func portmapNftablesTables(_ view: PortmapView) -> [Table] {
  IPFamily.allCases.compactMap { family in
    let sandboxes = view.sandboxes.filter { $0.address(family) != nil }
    return sandboxes.isEmpty ? nil : Portmap(network: view.network, family).nftTable(sandboxes)
  }
}

/// portmap's chains in one family.
struct Portmap {
  /// `markMasqBit`, 13.
  static let masquerade = Mark(0x2000, mask: 0x2000)
  /// What `-m multiport` takes in one rule.
  private static let portsPerRule = 15
  private static let loopback = CIDR(.loopback(.v4))
  static let destinationNAT = "CNI-HOSTPORT-DNAT"
  static let masqueradeChain = "CNI-HOSTPORT-MASQ"
  private static let setMark = "CNI-HOSTPORT-SETMARK"

  let network: String
  let family: IPFamily

  init(network: String, _ family: IPFamily) {
    self.network = network
    self.family = family
  }

  func table(_ sandboxes: [PortmapView.Sandbox]) -> Table {
    let toLocal = Rule([.local(.destination)], [.jump(Self.destinationNAT)])
    let masquerade = Rule([], [.jump(Self.masqueradeChain)], comment: "CNI portfwd requiring masquerade")
    return Table(
      name: "nat", family: family,
      chains: Chain.natBuiltIns(prerouting: [toLocal], output: [toLocal], postrouting: [masquerade]) + [
        Chain(name: Self.destinationNAT, rules: sandboxes.flatMap(entries)),
        Chain(
          name: Self.masqueradeChain, rules: [Rule([.mark(Self.masquerade)], [.masquerade(randomFully: false)])]),
        Chain(
          name: Self.setMark,
          rules: [Rule([], [.setMark(Self.masquerade)], comment: "CNI portfwd masquerade mark")]),
      ]
        + sandboxes.map { sandbox in
          Chain(name: chain(of: sandbox), rules: sandbox.hostPorts.flatMap { rules($0, sandbox) })
        })
  }

  /// `CNI-DN-` and 21 digits: 28 characters, which is iptables' limit.
  private func chain(of sandbox: PortmapView.Sandbox) -> ChainName {
    "CNI-DN-" + sha512Hex(network + sandbox.id).prefix(21)
  }

  /// The jumps to a sandbox's chain. They list all its ports, also those of a `hostIP` of the other family.
  private func entries(_ sandbox: PortmapView.Sandbox) -> [Rule] {
    let byTransport = Dictionary(grouping: sandbox.hostPorts, by: \.port.transport)
    return byTransport.sorted { $0.key.keyword < $1.key.keyword }.flatMap { transport, hostPorts in
      stride(from: 0, to: hostPorts.count, by: Self.portsPerRule).map { start in
        Rule(
          [
            .transport(transport),
            .multiport(transport, hostPorts[start...].prefix(Self.portsPerRule).map { PortRange($0.port.port) }),
          ],
          [.jump(chain(of: sandbox))], comment: "dnat name: \"\(network)\" id: \"\(sandbox.id)\"")
      }
    }
  }

  /// What comes from the pod's network or from loopback is masqueraded, or its answers would not pass this node. IPv6
  /// has no rule for ::1.
  private func rules(_ hostPort: HostPort, _ sandbox: PortmapView.Sandbox) -> [Rule] {
    guard let address = sandbox.address(family), let podNetwork = sandbox.network(family),
      hostPort.address.map({ $0.family == family }) ?? true
    else { return [] }
    let destination = bound(hostPort)
    let port = Match.port(hostPort.port.transport, PortRange(hostPort.port.port))
    let sources = [podNetwork] + (family == .v4 ? [Self.loopback] : [])
    return sources.map { source in
      Rule([.address(.source, source)] + destination + [port], [.jump(Self.setMark)])
    } + [Rule(destination + [port], [.dnat(address, port: hostPort.containerPort)])]
  }

  /// The match on `hostIP`. 0.0.0.0 and :: are no address to match.
  private func bound(_ hostPort: HostPort) -> [Match] {
    guard let address = hostPort.address, address.bits != 0 else { return [] }
    return [.address(.destination, CIDR(address))]
  }

  // MARK: - nftables

  func nftTable(_ sandboxes: [PortmapView.Sandbox]) -> Table {
    let toLocal = Rule([.local(.destination)], [.jump("hostports_all")])
    return Table(
      name: "cni_hostport", family: family,
      chains: [
        Chain(name: "hostports", rules: sandboxes.flatMap(translations)),
        Chain(name: "hostip_hostports"),
        Chain(
          name: "hostports_all", rules: [Rule([], [.jump("hostip_hostports")]), Rule([], [.jump("hostports")])]),
        Chain(name: "prerouting", base: .nat(.prerouting), rules: [toLocal]),
        Chain(name: "output", base: .nat(.output), rules: [toLocal]),
        Chain(name: "masquerading", base: .nat(.postrouting), rules: sandboxes.flatMap(masquerades)),
      ], comment: "CNI portmap plugin")
  }

  private func translations(_ sandbox: PortmapView.Sandbox) -> [Rule] {
    guard let address = sandbox.address(family) else { return [] }
    return sandbox.hostPorts.filter { $0.address.map { $0.family == family } ?? true }.map { hostPort in
      Rule(
        bound(hostPort) + [.port(hostPort.port.transport, PortRange(hostPort.port.port))],
        [.dnat(address, port: hostPort.containerPort)], comment: sandbox.id)
    }
  }

  /// Here only the pod itself and loopback are masqueraded, whatever the port.
  private func masquerades(_ sandbox: PortmapView.Sandbox) -> [Rule] {
    guard let address = sandbox.address(family).map({ CIDR($0) }) else { return [] }
    return ([address] + (family == .v4 ? [Self.loopback] : [])).map { source in
      Rule(
        [.address(.source, source), .address(.destination, address)], [.masquerade(randomFully: false)],
        comment: sandbox.id)
    }
  }
}
