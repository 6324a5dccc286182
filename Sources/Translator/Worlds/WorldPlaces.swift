internal import NetpolModel
internal import Statistics

/// The places of everything in a world. A lab is built from them. Labels and policies are added later.
struct WorldPlaces {
  let families: [IPFamily]
  private(set) var nodes: [Node] = []
  private(set) var pods: [Pod] = []
  private(set) var externalHosts: [ExternalHost] = []
  private(set) var services: [Service] = []
  private(set) var settings = ClusterSettings()
  /// The first 16 bits of IPv6 pod addresses. kube-router's ::/0 includes fd00::/8 but not fc00::/8.
  private let podPrefix: UInt128

  static let namespaces = ["ns0", "ns1", "ns2"]

  /// Mostly the first namespace, so that policies often select pods.
  static func namespace(_ random: inout SplitMix64) -> String {
    random.chance(65) ? "ns0" : random.one(of: namespaces, else: "ns0")
  }

  init(_ random: inout SplitMix64) {
    families = random.one(of: [[.v4], [.v4], [.v4], [.v4, .v6], [.v4, .v6], [.v6, .v4], [.v6]], else: [.v4])
    podPrefix = random.chance(65) ? 0xfd42 : 0xfc42
    settings.overlay = random.chance(65) ? .vxlan : .hostGateway
    settings.bridgeNetfilter = random.chance(85)
    let counts = [1, 2, 2, 3]
    for index in 0..<random.one(of: counts, else: 2) { addNode(index, &random) }
    for index in 0..<random.number(0...2) { addHost(index, &random) }
    for index in 0..<random.number(0...3) { addService(index, &random) }
    for index in 0..<random.number(3...7) { addPod(index, &random) }
    if random.chance(30) { settings.loadBalancerAnnouncer = random.one(of: nodes)?.name }
    pods.sort { $0.id < $1.id }
    services.sort { $0.id < $1.id }
  }

  private mutating func addNode(_ index: Int, _ random: inout SplitMix64) {
    // The third node is in a different network than the first two.
    let own: [IPFamily: [String]] = [
      .v4: ["192.168.20.11", "192.168.20.12", "172.16.5.13"],
      .v6: ["fd00:20::11", "fd00:20::12", "2001:db8:20::13"],
    ]
    let isNarrow = random.chance(25)
    var node = Node(name: "n\(index)")
    for family in families {
      node.addresses += [own[family]?[index]].compactMap { $0.flatMap(IPAddress.init) }
      let block =
        family == .v4
        ? CIDR(IPAddress(v4: 0x0a2a_0000 + UInt32(index) << 8), prefixLength: isNarrow ? 28 : 24)
        : CIDR(IPAddress(v6: podPrefix << 112 | UInt128(index) << 64), prefixLength: isNarrow ? 124 : 64)
      node.podCIDRs.append(block)
    }
    nodes.append(node)
  }

  private mutating func addHost(_ index: Int, _ random: inout SplitMix64) {
    let own: [IPFamily: [String]] = [
      .v4: ["192.168.20.99", "203.0.113.7"], .v6: ["fd00:20::99", "2001:db8:20::99"],
    ]
    let networks: [IPFamily: [String]] = [
      .v4: ["198.51.100.0/24", "10.99.0.0/16"], .v6: ["2001:db8:99::/48", "fc00:99::/64"],
    ]
    let hasNetworks = random.chance(60)
    externalHosts.append(
      ExternalHost(
        name: "ext\(index)", addresses: families.compactMap { own[$0]?[index] }.compactMap { IPAddress($0) },
        networks: hasNetworks ? families.compactMap { networks[$0]?[index] }.compactMap { CIDR($0) } : [],
        routesToPods: random.chance(70)))
  }

  private mutating func addPod(_ index: Int, _ random: inout SplitMix64) {
    let id = PodID(Self.namespace(&random), "w\(index)")
    guard let node = random.one(of: nodes) else { return }
    var pod = Pod(id: id, node: node.name, hostIP: node.addresses.first)
    let phases: [PodPhase] = [.pending, .succeeded, .failed, .unknown]
    if random.chance(15) { pod.phase = random.one(of: phases, else: .running) }
    if random.chance(10) {
      pod.hostNetwork = true
      pod.podIPs = node.addresses
    } else if random.chance(6) {
      // Not started yet: no address, and perhaps no node.
      pod.phase = .pending
      if random.chance(50) { (pod.node, pod.hostIP) = (nil, nil) }
    } else {
      pod.podIPs = families.compactMap { freeAddress(of: node, $0, &random) }
      if pod.podIPs.count == 2, random.chance(8) { pod.podIPs.remove(at: random.below(2)) }
      // With services, a packet may bypass a third node's chain by mistake, which no model predicts.
      let others = [nil, IPAddress("192.0.2.1"), services.isEmpty ? nodes.first?.addresses.first : nil]
      if random.chance(8) { pod.hostIP = random.one(of: others, else: nil) }
    }
    pod.podIP = pod.podIPs.first
    pods.append(pod)
  }

  /// Addresses at the ends of prefixes: next to the bridge, the last address, and the ends of halves and quarters of a
  /// block.
  private func freeAddress(of node: Node, _ family: IPFamily, _ random: inout SplitMix64) -> IPAddress? {
    guard let block = node.podCIDRs.first(where: { $0.family == family }) else { return nil }
    let taken = Set(pods.flatMap(\.podIPs))
    let span = block.lastAddress.bits - block.network.bits
    let half = (span + 1) / 2
    let offsets = [2, 3, 4, half - 1, half, half / 2 - 1, half / 2, span - 1, half + half / 2]
    let free = offsets.map { block.network.advanced(by: $0) }.filter { !taken.contains($0) }
    return random.one(of: free)
  }

  /// Announced addresses are part of the places. Everything else about a service is added later.
  private mutating func addService(_ index: Int, _ random: inout SplitMix64) {
    let kinds: [Service.Kind] = [
      .clusterIP, .clusterIP, .clusterIP, .nodePort, .nodePort, .loadBalancer, .loadBalancer, .loadBalancer,
      .externalName,
    ]
    var service = Service(
      id: NamespacedName(Self.namespace(&random), "s\(index)"),
      kind: random.one(of: kinds, else: .clusterIP))
    let announced = { (family: IPFamily, number: UInt32) in
      family == .v4
        ? IPAddress(v4: 0xc0a8_1400 + number) : IPAddress(v6: 0xfd00_0020 << 96 | UInt128(0x1000 + number))
    }
    if service.kind == .loadBalancer {
      let isProxied = random.chance(15)
      service.loadBalancerIPs = families.map { .init(announced($0, 200 + UInt32(index)), isProxied: isProxied) }
    }
    if service.kind == .externalName { service.externalName = "outside.example" }
    if service.kind != .externalName, random.chance(15) {
      service.externalIPs = families.map { announced($0, 220 + UInt32(index)) }
    }
    services.append(service)
  }
}
