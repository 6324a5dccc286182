internal import NetpolModel
internal import Network
internal import Path

/// The commands of ip(8) that make a topology, as the lab makes it: the same links, addresses and routes. One address
/// family, and no machine that the packet can't meet.
struct LinkCommands {
  private let topology: Topology
  private let plan: AddressPlan
  private let names: MachineNames
  private let family: IPFamily
  /// Commands in no machine: links, each with the machine of its ends.
  private(set) var links: [String] = []
  /// Commands in each machine, in the order in which they are needed.
  private(set) var machines: [(name: String, commands: [String], forwarding: [String])] = []

  init(_ topology: Topology, _ names: MachineNames, _ family: IPFamily) {
    self.topology = topology
    self.names = names
    self.family = family
    plan = AddressPlan(topology, families: [family])
    addLAN()
    for (index, node) in topology.nodes.enumerated() { add(node, index) }
    for host in topology.externals { add(host) }
    for node in topology.nodes { addPods(of: node) }
  }

  private mutating func addLAN() {
    links.append("link add name lan netns \(MachineNames.lan) type bridge")
    var own = ["link set lan up"]
    for (index, station) in plan.stations.enumerated() {
      let machine: String
      switch station.kind {
      case .node(let name): machine = names[.node(name)]
      case .external(let name): machine = names[.external(name)]
      case .control: continue
      }
      links.append(
        "link add name port\(index) netns \(MachineNames.lan) type veth peer name eth0 "
          + "address \(station.mac.macText) netns \(machine)")
      own.append("link set port\(index) master lan up")
    }
    machines.append((MachineNames.lan, own, []))
  }

  private func prefixed(_ address: IPAddress) -> String { "\(address)/\(family.bitWidth)" }
  private var nodad: String { family == .v6 ? " nodad" : "" }

  private func source(_ own: [IPAddress]) -> String {
    own.first { $0.family == family }.map { " src \($0)" } ?? ""
  }

  private func stationAddresses(_ own: [IPAddress]) -> [String] {
    ["link set lo up"] + own.map { "addr add \(prefixed($0)) dev eth0\(nodad)" } + ["link set eth0 up"]
  }

  /// Routes to the other machines, and to pods through their nodes unless `node` has a tunnel to these.
  private func stationRoutes(_ own: [IPAddress], of node: Topology.NodePlace? = nil) -> [String] {
    var commands: [String] = []
    for station in plan.stations where station.addresses.first.map(own.contains) != true {
      for address in station.addresses {
        commands.append("neigh replace \(address) lladdr \(station.mac.macText) dev eth0 nud permanent")
        if case .control = station.kind { continue }
        commands.append("route add \(prefixed(address)) dev eth0\(source(own))")
      }
    }
    for host in topology.externals {
      for network in host.networks where network.family == family {
        guard let gateway = host.address(family) else { continue }
        commands.append(
          own.contains(gateway)
            ? "route add local \(network) dev lo" : "route add \(network) via \(gateway) dev eth0 onlink")
      }
    }
    for other in topology.nodes where other.name != node?.name && node?.isTunnelled(to: other, family) != true {
      guard let gateway = other.addresses.first(where: { $0.family == family }) else { continue }
      for block in other.blocks(family, topology) {
        commands.append("route add \(block) via \(gateway) dev eth0 onlink\(source(own))")
      }
    }
    for (address, name) in topology.announcers.sorted(by: { $0.key < $1.key })
    where address.family == family && name != node?.name {
      guard let gateway = topology.node(name)?.addresses.first(where: { $0.family == family }) else { continue }
      commands.append("route add \(prefixed(address)) via \(gateway) dev eth0 onlink\(source(own))")
    }
    return commands
  }

  private mutating func add(_ node: Topology.NodePlace, _ index: Int) {
    let name = names[.node(node.name)]
    let own = node.addresses.filter { $0.family == family }
    let mtu = plan.podMTU(on: node)
    links.append(
      "link add name cni0 address \(plan.bridgeMAC(ofNode: index).macText) mtu \(mtu) netns \(name) type bridge")
    var commands = stationAddresses(own)
    var forwarding: [String] = []
    if let tunnel = plan.tunnel(of: node, family), topology.nodes.contains(where: { node.isTunnelled(to: $0, family) })
    {
      commands += [
        "link add name \(tunnel.name) address \(tunnel.mac.macText) mtu \(tunnel.mtu) type vxlan id 1 "
          + "local \(tunnel.outer) dev eth0 dstport 8472 nolearning",
        "addr add \(prefixed(tunnel.address)) dev \(tunnel.name)\(nodad)", "link set \(tunnel.name) up",
      ]
      for other in topology.nodes where node.isTunnelled(to: other, family) {
        guard let end = plan.tunnel(of: other, family) else { continue }
        commands.append("neigh replace \(end.address) lladdr \(end.mac.macText) dev \(tunnel.name) nud permanent")
        forwarding.append("fdb append \(end.mac.macText) dev \(tunnel.name) dst \(end.outer) self permanent")
        for block in other.blocks(family, topology) {
          commands.append("route add \(block) via \(end.address) dev \(tunnel.name) onlink")
        }
      }
    } else if let tunnel = plan.tunnel(of: node, family) {
      // Nobody is at the other end, but rules know the address.
      commands.append("addr add \(prefixed(tunnel.address)) dev lo\(nodad)")
    }
    commands += stationRoutes(own, of: node)
    // What nobody has leaves here, and nobody takes it.
    for gateway in plan.controlAddresses where !own.isEmpty {
      commands.append("route add default via \(gateway) dev eth0 onlink\(source(own))")
    }
    for own in node.bridge where own.address.family == family {
      commands.append("addr add \(own.address)/\(own.prefixLength) dev cni0\(nodad)")
    }
    if !node.bridge.contains(where: { $0.address.family == family }) {
      commands.append("addr add \(prefixed(plan.gateway(of: node, family))) dev cni0\(nodad)")
    }
    commands.append("link set cni0 up")
    let privates = node.privateAddresses.filter { $0.family == family }
    if !privates.isEmpty {
      commands.append("link add name nodelocaldns type bridge")
      commands += privates.map { "addr add \(prefixed($0)) dev nodelocaldns\(nodad)" }
      commands.append("link set nodelocaldns up")
    }
    for (number, pod) in node.pods.enumerated() {
      let (port, mac) = ("veth\(number)", plan.mac(of: pod).macText)
      links.append(
        "link add name \(port) mtu \(mtu) netns \(name) type veth peer name eth0 address \(mac) mtu \(mtu) "
          + "netns \(names[.pod(pod)])")
      commands += [
        "link set \(port) master cni0", "link set \(port) type bridge_slave hairpin on", "link set \(port) up",
      ]
      for own in addresses(of: pod) {
        commands.append("neigh replace \(own.address) lladdr \(mac) dev cni0 nud permanent")
        if !node.bridge.contains(where: { $0.cidr.contains(own.address) }) {
          commands.append("route add \(prefixed(own.address)) dev cni0")
        }
      }
    }
    machines.append((name, commands, forwarding))
  }

  private mutating func add(_ host: ExternalHost) {
    let own = host.addresses.filter { $0.family == family }
    var commands = stationAddresses(own) + stationRoutes(own)
    if let node = host.routesToServices.flatMap(topology.node),
      let gateway = node.addresses.first(where: { $0.family == family })
    {
      for network in topology.serviceNetworks where network.family == family {
        commands.append("route add \(network) via \(gateway) dev eth0 onlink\(source(own))")
      }
    }
    machines.append((names[.external(host.name)], commands, []))
  }

  private func addresses(of pod: PodID) -> [Topology.CIDRAddress] {
    topology.pods[pod]?.addresses.filter { $0.address.family == family } ?? []
  }

  /// A pod reaches pods of its block over the bridge, and everything else through its node.
  private mutating func addPods(of node: Topology.NodePlace) {
    guard let index = topology.nodes.firstIndex(where: { $0.name == node.name }) else { return }
    for pod in node.pods {
      let own = addresses(of: pod)
      var commands = ["link set lo up"]
      commands += own.map { "addr add \($0.address)/\($0.prefixLength) dev eth0\(nodad)" }
      commands.append("link set eth0 up")
      if !own.isEmpty {
        let gateway = plan.gateway(of: node, family)
        commands += [
          "neigh replace \(gateway) lladdr \(plan.bridgeMAC(ofNode: index).macText) dev eth0 nud permanent",
          "route add default via \(gateway) dev eth0 onlink",
        ]
      }
      for other in node.pods where other != pod {
        for address in addresses(of: other).map(\.address) where own.contains(where: { $0.cidr.contains(address) }) {
          commands.append("neigh replace \(address) lladdr \(plan.mac(of: other).macText) dev eth0 nud permanent")
        }
      }
      machines.append((names[.pod(pod)], commands, []))
    }
  }
}

extension [UInt8] {
  fileprivate var macText: String {
    map { byte in
      let digits = String(byte, radix: 16)
      return digits.utf8.count == 1 ? "0" + digits : digits
    }.joined(separator: ":")
  }
}
