internal import Algorithms
internal import NetpolModel
internal import RuleIR

/// A policy with its selectors resolved to pods, for every family.
struct ResolvedPolicy {
  let policy: NetworkPolicy
  let targets: [Pod]
  /// The podIPs of the targets. kube-router compares the primary address to find out whether a pod is a target.
  let targetKeys: Set<IPAddress>
  let logLimit: RateLimit
  let rules: [ResolvedRule]

  var id: PolicyID { policy.id }

  init(_ policy: NetworkPolicy, _ resolution: inout PeerResolution) {
    self.policy = policy
    targets = resolution.pods(.own, policy.podSelector, from: policy.id.namespace)
    targetKeys = Set(targets.compactMap(\.podIP))
    logLimit = NFLOGLimit.read(policy.annotations)
    var rules: [ResolvedRule] = []
    for direction in Direction.allCases where policy.isolates.contains(direction) {
      for (index, rule) in policy.rules(direction).enumerated() {
        rules.append(ResolvedRule(rule, direction, index, targets, policy.id.namespace, &resolution))
      }
    }
    self.rules = rules
  }
}

/// One rule of a policy, with its peers resolved to pods and blocks and its named ports to numbers.
struct ResolvedRule {
  let direction: Direction
  let index: Int
  let matchesAnyPeer: Bool
  let peerPods: [Pod]
  let peerPodIndexes: [Int]
  let blocks: [NetworkPolicy.IPBlock]
  let blockIndexes: [Int]
  let matchesAnyPort: Bool
  /// Ports with a number, or with a transport only.
  let numeric: [NetworkPolicy.PortRule]
  /// Resolved named ports in the order of the rule. Their position is part of the name of their set.
  let named: [NamedNumber]
  /// What chance decides about their address lists. `nil` without named ports.
  let sharedLists: SharedLists?
  /// The numbers of named ports in `sharedLists`.
  let keys: [NamedPorts.Key: Int]
  let location: SourceLocation?

  struct NamedNumber {
    let name: String
    let transport: Transport
    let number: UInt16
    let pods: [Pod]
  }

  init(
    _ rule: NetworkPolicy.Rule, _ direction: Direction, _ index: Int, _ targets: [Pod], _ namespace: String,
    _ resolution: inout PeerResolution
  ) {
    self.direction = direction
    self.index = index
    location = rule.location
    matchesAnyPeer = rule.peers == .any
    matchesAnyPort = rule.ports == .all
    var pods: [Pod] = []
    var podsOfPeers: [[Pod]] = []
    var podIndexes: [Int] = []
    var blocks: [NetworkPolicy.IPBlock] = []
    var blockIndexes: [Int] = []
    for (peerIndex, peer) in rule.peers.list.enumerated() {
      switch peer {
      case .pods(let scope, let selector):
        podsOfPeers.append(resolution.pods(scope, selector, from: namespace))
        pods += podsOfPeers.last ?? []
        podIndexes.append(peerIndex)
      case .block(let block):
        blocks.append(block)
        blockIndexes.append(peerIndex)
      }
    }
    peerPods = pods.uniqued(on: \.id)
    peerPodIndexes = podIndexes
    self.blocks = blocks
    self.blockIndexes = blockIndexes

    let isNamed = rule.ports.list.contains { if case .name = $0.number { true } else { false } }
    let stages =
      direction == .ingress
      ? [targets] : rule.peers == .any ? [resolution.pods(.own, .everything, from: namespace)] : podsOfPeers
    let exposing = isNamed ? NamedPorts(of: Array(stages.joined())) : nil
    let numbers = (exposing?.keys ?? []).enumerated().map { ($1, $0) }
    let keys = Dictionary(numbers) { first, _ in first }
    self.keys = keys
    let holder = { (pod: Pod) in
      SharedLists.Holder(addresses: pod.podIPs, keys: Set(NamedPorts.keys(of: pod).compactMap { keys[$0] }))
    }
    sharedLists = isNamed ? SharedLists(stages: stages.map { $0.map(holder) }) : nil
    var numeric: [NetworkPolicy.PortRule] = []
    var named: [NamedNumber] = []
    for port in rule.ports.list {
      switch port.number {
      case .any, .number: numeric.append(port)
      case .name(let name):
        named += (exposing?.resolve(name, port.transport) ?? []).map {
          NamedNumber(name: name, transport: port.transport, number: $0.number, pods: $0.pods)
        }
      }
    }
    self.numeric = numeric
    self.named = named
  }
}
