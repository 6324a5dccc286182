internal import NetpolModel
internal import Statistics

/// Writes random policies about the pods, ports and addresses of a cluster.
struct PolicyWriter {
  private let blocks: BlockChoice
  private let nodePorts: PortRange
  /// The named ports of all pods, with their transports.
  private let exposed: [NetworkPolicy.PortRule]

  init(_ cluster: Cluster) {
    exposed = cluster.pods.flatMap(\.ports).compactMap { port in port.name.map { .init(port.transport, .name($0)) } }
    blocks = BlockChoice(cluster)
    nodePorts = cluster.settings.nodePorts
  }

  func policy(_ index: Int, _ random: inout SplitMix64) -> NetworkPolicy {
    let types: [Set<Direction>] = [
      [.ingress, .egress], [.ingress, .egress], [.ingress, .egress], [.ingress], [.egress],
    ]
    var policy = NetworkPolicy(
      id: PolicyID(WorldPlaces.namespace(&random), "p\(index)"),
      podSelector: RandomWords.podSelector(&random), isolates: random.one(of: types, else: [.ingress]))
    // Also in a direction that the policy doesn't isolate.
    if random.chance(85) { policy.ingress = (0..<random.number(1...2)).map { _ in rule(&random) } }
    if random.chance(85) { policy.egress = (0..<random.number(1...2)).map { _ in rule(&random) } }
    if random.chance(2) {
      let limits = ["0/minute", "10/second", "10001", "600/minute", "1/day"]
      policy.annotations["kube-router.io/netpol-nflog-limit"] = random.one(of: limits)
    }
    return policy
  }

  private func rule(_ random: inout SplitMix64) -> NetworkPolicy.Rule {
    // A named port towards an ipBlock. This is rare otherwise, and hard for an enforcer to get right.
    if random.chance(15), let port = random.one(of: exposed) {
      return NetworkPolicy.Rule(peers: .listed([.block(blocks.block(&random))]), ports: .listed([port]))
    }
    var rule = NetworkPolicy.Rule()
    if random.chance(80) { rule.peers = .listed((0..<random.number(1...3)).map { _ in peer(&random) }) }
    if random.chance(70) { rule.ports = .listed((0..<random.number(1...2)).map { _ in port(&random) }) }
    return rule
  }

  private func peer(_ random: inout SplitMix64) -> NetworkPolicy.Peer {
    switch random.below(10) {
    case 0...2: .pods(in: .own, matching: RandomWords.podSelector(&random))
    case 3...5:
      .pods(
        in: .matching(RandomWords.namespaceSelector(&random)),
        matching: random.chance(50) ? .everything : RandomWords.podSelector(&random))
    default: .block(blocks.block(&random))
    }
  }

  private func port(_ random: inout SplitMix64) -> NetworkPolicy.PortRule {
    let transport = RandomWords.transport(&random)
    let number = random.one(of: RandomWords.numbers + [nodePorts.first, nodePorts.last, 1, 65_535], else: 80)
    switch random.below(20) {
    case 0...1: return .init(transport)
    case 2...6: return .init(transport, .number(number, through: nil))
    case 7...9:
      let through = UInt16(clamping: Int(number) + random.one(of: [0, 1, 2, 100], else: 0))
      return .init(transport, .number(number, through: through))
    // An endPort below the port: older API servers accepted it.
    case 10: return .init(transport, .number(number, through: max(1, number - 1)))
    case 11...16: if let port = random.one(of: exposed) { return port }
    default: break
    }
    return .init(transport, .name(random.one(of: RandomWords.portNames + ["nobody"], else: "http")))
  }
}
