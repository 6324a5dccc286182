public import NetpolModel

/// Where everything of a cluster is in the lab: pods on their node's bridge, nodes and external hosts on one underlay.
/// It is a plan that can be printed. The lab that builds it and the path that reads it use the same one.
public struct Topology: Sendable {
  public struct NodePlace: Hashable, Sendable {
    public let name: String
    /// On the underlay.
    public let addresses: [IPAddress]
    /// The first address of each pod CIDR, on the bridge.
    public let bridge: [CIDRAddress]
    /// The network address of the first pod CIDR of each family, on the tunnel to other nodes. Empty without an
    /// overlay.
    public let tunnel: [IPAddress]
    /// Addresses that only this node uses, and others may have too: those of NodeLocal DNS.
    public let privateAddresses: [IPAddress]
    /// Pods with a network namespace of their own, sorted by name.
    public let pods: [PodID]

    /// All of the node's own addresses.
    public let localAddresses: Set<IPAddress>

    init(
      name: String, addresses: [IPAddress], bridge: [CIDRAddress], tunnel: [IPAddress], privateAddresses: [IPAddress],
      pods: [PodID]
    ) {
      self.name = name
      self.addresses = addresses
      self.bridge = bridge
      self.tunnel = tunnel
      self.privateAddresses = privateAddresses
      self.pods = pods
      localAddresses = Set(addresses + bridge.map(\.address) + tunnel + privateAddresses)
    }

    func holding(_ some: Set<PodID>) -> NodePlace {
      NodePlace(
        name: name, addresses: addresses, bridge: bridge, tunnel: tunnel, privateAddresses: privateAddresses,
        pods: pods.filter(some.contains))
    }

    public func tunnel(_ family: IPFamily) -> IPAddress? { tunnel.first { $0.family == family } }
    /// Packets from and to pods go between two nodes through the tunnel if both have one, otherwise over plain routes.
    public func isTunnelled(to other: NodePlace, _ family: IPFamily) -> Bool {
      other.name != name && tunnel(family) != nil && other.tunnel(family) != nil
    }
  }

  public struct PodPlace: Hashable, Sendable {
    public let node: String
    public let addresses: [CIDRAddress]
  }

  /// An address with the length of its on-link prefix.
  public struct CIDRAddress: Hashable, Sendable {
    public let address: IPAddress
    public let prefixLength: Int
    public var cidr: CIDR { CIDR(address, prefixLength: prefixLength) }
  }

  public private(set) var nodes: [NodePlace]
  /// Pods with a network namespace of their own. A host-network pod uses its node's.
  public private(set) var pods: [PodID: PodPlace]
  /// Host-network pods and their nodes.
  public let hostNetworkPods: [PodID: String]
  /// Pods that send on what they receive, by rules of their own (`PodForward`).
  public let forwarders: Set<PodID>
  public let forwarderAddresses: Set<IPAddress>
  public private(set) var externals: [ExternalHost]
  /// Pods that are not in the lab, and why.
  public let unplaced: [(pod: PodID, why: Absence)]

  /// `net.bridge.bridge-nf-call-iptables` of every node: whether rules see packets that a bridge switches.
  public let bridgeNetfilter: Bool

  /// The service CIDRs, to which some hosts outside have a route.
  public let serviceNetworks: [CIDR]
  /// ClusterIPs.
  public let serviceAddresses: [NamespacedName: [IPAddress]]
  /// The node that answers outside the cluster for each load balancer address and external IP.
  public let announcers: [IPAddress: String]

  private let owners: [IPAddress: Endpoint]
  private var nodeIndex: [String: Int]

  public init(_ cluster: Cluster) {
    var pods: [PodID: PodPlace] = [:]
    var hostNetworkPods: [PodID: String] = [:]
    var unplaced: [(pod: PodID, why: Absence)] = []
    var owners: [IPAddress: Endpoint] = [:]
    let podCIDRs = cluster.bridgeBlocks
    for node in cluster.nodes {
      for address in node.addresses { owners[address] = .node(node.name) }
    }
    for host in cluster.externalHosts {
      for address in host.addresses { owners[address] = .external(host.name) }
    }
    for pod in cluster.pods {
      guard let node = pod.node, let blocks = podCIDRs[node] else {
        unplaced.append((pod.id, pod.phase.isTerminal ? .ended(pod.phase) : .onNoNode))
        continue
      }
      if pod.phase.isTerminal {
        unplaced.append((pod.id, .ended(pod.phase)))
      } else if pod.hostNetwork {
        hostNetworkPods[pod.id] = node
      } else if pod.podIPs.isEmpty {
        unplaced.append((pod.id, .withoutAddress))
      } else if let (taken, owner) = pod.podIPs.lazy.compactMap({ ip in owners[ip].map { (ip, $0) } }).first {
        unplaced.append((pod.id, .addressTaken(taken, by: owner)))
      } else {
        for address in pod.podIPs { owners[address] = .pod(pod.id) }
        pods[pod.id] = PodPlace(
          node: node,
          addresses: pod.podIPs.map { address in
            let block = blocks.first { $0.contains(address) }
            return CIDRAddress(address: address, prefixLength: block?.prefixLength ?? address.family.bitWidth)
          })
      }
    }
    for (address, node) in cluster.strangers where owners[address] == nil {
      guard let block = podCIDRs[node]?.first(where: { $0.contains(address) }) else { continue }
      owners[address] = .pod(.stranger(address))
      pods[.stranger(address)] = PodPlace(
        node: node, addresses: [CIDRAddress(address: address, prefixLength: block.prefixLength)])
    }
    let localDNS = cluster.localDNS
    let podsOf = Dictionary(grouping: pods.keys) { pods[$0]?.node ?? "" }
    var nodes: [NodePlace] = []
    for node in cluster.nodes {
      let blocks = podCIDRs[node.name] ?? []
      let bridge = blocks.map {
        CIDRAddress(address: $0.network.advanced(by: 1), prefixLength: $0.prefixLength)
      }
      for own in bridge where owners[own.address] == nil { owners[own.address] = .node(node.name) }
      let tunnel = cluster.settings.overlay == .vxlan ? Self.tunnelAddresses(of: node, blocks, taken: owners) : []
      for own in tunnel { owners[own] = .node(node.name) }
      nodes.append(
        NodePlace(
          name: node.name, addresses: node.addresses, bridge: bridge, tunnel: tunnel,
          privateAddresses: (localDNS[node.name] ?? []).filter { owners[$0] == nil },
          pods: (podsOf[node.name] ?? []).sorted()))
    }
    self.nodes = nodes
    nodeIndex = Dictionary(nodes.enumerated().map { ($1.name, $0) }) { first, _ in first }
    self.pods = pods
    self.hostNetworkPods = hostNetworkPods
    let forwarding = cluster.pods.filter { !$0.forwards.isEmpty && pods[$0.id] != nil }
    forwarders = Set(forwarding.map(\.id))
    forwarderAddresses = Set(forwarding.flatMap(\.podIPs))
    externals = cluster.externalHosts
    bridgeNetfilter = cluster.settings.bridgeNetfilter
    self.unplaced = unplaced
    serviceNetworks = cluster.settings.serviceCIDRs
    serviceAddresses = Dictionary(cluster.services.map { ($0.id, $0.clusterIPs) }) { first, _ in first }
    announcers = cluster.announcements.filter { owners[$0.key] == nil }.compactMapValues(\.node)
    self.owners = owners
  }

  /// As with flannel: the tunnel's own address is the pod CIDR's network address, and its outer packets are of the same
  /// family as the inner ones. No machine can have 0.0.0.0.
  private static func tunnelAddresses(of node: Node, _ blocks: [CIDR], taken: [IPAddress: Endpoint]) -> [IPAddress] {
    IPFamily.allCases.filter { node.address($0) != nil }.compactMap { family in
      blocks.first { $0.family == family }.flatMap { block in
        block.network.bits != 0 && taken[block.network] == nil ? block.network : nil
      }
    }
  }

  /// The same without the other nodes and pods, and if named without the other hosts. Their addresses still have owners.
  public func holding(
    nodes some: Set<String>, pods few: Set<PodID>, externals hosts: Set<String>? = nil
  ) -> Topology {
    var part = self
    if let hosts { part.externals = externals.filter { hosts.contains($0.name) } }
    part.nodes = nodes.filter { some.contains($0.name) }.map { $0.holding(few) }
    part.nodeIndex = Dictionary(part.nodes.enumerated().map { ($1.name, $0) }) { first, _ in first }
    part.pods = pods.filter { few.contains($0.key) && some.contains($0.value.node) }
    return part
  }

  public func node(_ name: String) -> NodePlace? { nodeIndex[name].map { nodes[$0] } }

  /// Whether everything is in the same places as in another topology. Rules and ClusterIPs may differ.
  public func hasSamePlaces(as other: Topology) -> Bool {
    nodes == other.nodes && pods == other.pods && hostNetworkPods == other.hostNetworkPods
      && forwarders == other.forwarders && externals == other.externals
      && announcers == other.announcers
      && bridgeNetfilter == other.bridgeNetfilter
      && (serviceNetworks == other.serviceNetworks || externals.allSatisfy { $0.routesToServices == nil })
  }

  /// Returns the endpoint that answers for an address.
  public func owner(of address: IPAddress) -> Endpoint? {
    owners[address] ?? externals.first { $0.networks.contains { $0.contains(address) } }.map { .external($0.name) }
  }

  /// By pod address: the network that the pod's interface has it in.
  public var podNetworks: [IPAddress: CIDR] {
    Dictionary(pods.values.flatMap(\.addresses).map { ($0.address, $0.cidr) }) { first, _ in first }
  }

  /// The node that has the flow's destination address. A loopback address is the sending node's own. One of NodeLocal
  /// DNS is that of the node which the packet reaches first.
  public func node(addressedBy flow: Flow) -> NodePlace? {
    if flow.destinationAddress.isLoopback { return hostNode(of: flow.source) }
    if let node = firstNode(of: flow), node.privateAddresses.contains(flow.destinationAddress) { return node }
    if case .node(let name)? = owner(of: flow.destinationAddress) { return node(name) }
    return nil
  }

  /// The node that a flow's packets meet first, if its own kernel or its network sends them there.
  private func firstNode(of flow: Flow) -> NodePlace? {
    if let node = hostNode(of: flow.source) { return node }
    switch flow.source {
    case .pod(let id): return pods[id].flatMap { node($0.node) }
    case .external(let name):
      guard serviceNetworks.contains(where: { $0.contains(flow.destinationAddress) }) else { return nil }
      return externals.first { $0.name == name }?.routesToServices.flatMap(node)
    case .node, .address, .service, .virtualAddress: return nil
    }
  }

  /// The node whose network namespace an endpoint uses. `nil` for pods with their own and for endpoints outside the
  /// cluster.
  public func hostNode(of endpoint: Endpoint) -> NodePlace? {
    switch endpoint {
    case .node(let name): node(name)
    case .pod(let id): hostNetworkPods[id].flatMap(node)
    case .external, .address, .service, .virtualAddress: nil
    }
  }
}
