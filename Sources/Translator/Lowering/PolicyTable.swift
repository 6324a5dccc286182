internal import NetpolModel
internal import RuleIR

/// The policy chains and sets of one family (kube-router.md 1.3, 1.4, 3.1, 3.4, 3.5).
struct PolicyTable {
  private(set) var chains: [Chain] = []
  private(set) var sets: [NamedSet] = []

  private let family: IPFamily
  private let version: KubeRouterVersion
  private let stamp: String
  private var chainIndex: [ChainName: Int] = [:]
  private var setIndex: [SetName: Int] = [:]

  init(_ family: IPFamily, _ version: KubeRouterVersion, stamp: String) {
    self.family = family
    self.version = version
    self.stamp = stamp
  }

  mutating func add(_ policy: ResolvedPolicy) {
    for direction in Direction.allCases where policy.policy.isolates.contains(direction) {
      let addresses = policy.targets.flatMap { $0.podIPs.filter { $0.family == family } }
      put(
        NamedSet(
          name: KubeRouterNames.targets(policy.id, direction, family), family: family, kind: .hashIP,
          members: addresses.map { .init(CIDR($0)) },
          origin: Origin(policy: policy.id, direction: direction, location: policy.policy.location)))
    }
    var rules: [Rule] = []
    for rule in policy.rules { rules += lower(rule, of: policy) }
    if version.logsInPolicyChains {
      rules.append(
        Rule(
          [.limit(policy.logLimit), .mark(KubeRouter.allowed, negated: true)],
          [.log(group: KubeRouter.logGroup, prefix: NFLOGLimit.prefix(policy.id))],
          comment: "rule to log dropped traffic",
          origin: Origin(policy: policy.id, location: policy.policy.location)))
    }
    let name = KubeRouterNames.policyChain(policy.id, version: stamp, family)
    if let index = chainIndex[name] {
      chains[index].rules += rules
    } else {
      chainIndex[name] = chains.count
      chains.append(Chain(name: name, rules: rules))
    }
  }

  /// Sets are written in turn: of two with one name the last one's members stay.
  private mutating func put(_ set: NamedSet) {
    if let index = setIndex[set.name] {
      sets[index] = set
    } else {
      setIndex[set.name] = sets.count
      sets.append(set)
    }
  }

  private mutating func lower(_ rule: ResolvedRule, of policy: ResolvedPolicy) -> [Rule] {
    var result: [Rule] = []
    let targets = KubeRouterNames.targets(policy.id, rule.direction, family)
    let anyPeer = Lines(self, policy, rule, .any)

    if !rule.peerPods.isEmpty {
      let peers = putPeerPods(rule, policy)
      let lines = Lines(self, policy, rule, .pods)
      result += rule.numeric.flatMap { lines.allow(targets: targets, peers: peers, $0.portMatch) }
      for (index, port) in rule.named.enumerated() {
        let having = putNamedPort(rule, index, policy)
        // For egress the pods that have the port are peers; for ingress they are targets.
        result +=
          rule.direction == .ingress
          ? lines.allow(targets: having, peers: peers, port.portMatch, named: port.name)
          : lines.allow(targets: targets, peers: having, port.portMatch, named: port.name)
      }
      // Also where every port is a name that nobody exposes: all ports are open (D2).
      if rule.numeric.isEmpty, rule.named.isEmpty { result += lines.allow(targets: targets, peers: peers, nil) }
    }

    if rule.matchesAnyPeer {
      result += rule.numeric.flatMap { anyPeer.allow(targets: targets, peers: nil, $0.portMatch) }
      for (index, port) in rule.named.enumerated() {
        // Egress: the number to any address, whoever it belongs to (D3).
        let having = rule.direction == .ingress ? putNamedPort(rule, index, policy) : targets
        result += anyPeer.allow(targets: having, peers: nil, port.portMatch, named: port.name)
      }
      if rule.matchesAnyPort { result += anyPeer.allow(targets: targets, peers: nil, nil) }
    }

    if let blocks = putBlocks(rule, policy) {
      let lines = Lines(self, policy, rule, .ipBlocks)
      result += rule.numeric.flatMap { lines.allow(targets: targets, peers: blocks, $0.portMatch) }
      if rule.direction == .ingress {
        // Egress leaves the named ports out (D4).
        for (index, port) in rule.named.enumerated() {
          let having = putNamedPort(rule, index, policy)
          result += lines.allow(targets: having, peers: blocks, port.portMatch, named: port.name)
        }
      }
      if rule.matchesAnyPort { result += lines.allow(targets: targets, peers: blocks, nil) }
    }
    return result
  }

  // MARK: - Sets of a rule

  private mutating func putPeerPods(_ rule: ResolvedRule, _ policy: ResolvedPolicy) -> SetName {
    let name = KubeRouterNames.ruleSet(.peerPods, policy.id, rule.direction, rule: rule.index, family)
    put(
      NamedSet(
        name: name, family: family, kind: .hashIP,
        members: rule.peerPods.compactMap { $0.address(family).map { .init(CIDR($0)) } },
        origin: rule.origin(policy, peers: rule.peerPodIndexes)))
    return name
  }

  private mutating func putNamedPort(_ rule: ResolvedRule, _ index: Int, _ policy: ResolvedPolicy) -> SetName {
    let name = KubeRouterNames.ruleSet(
      .namedPort(index: index), policy.id, rule.direction, rule: rule.index, family)
    let onlyBlocks = rule.peerPods.isEmpty && !rule.matchesAnyPeer
    put(
      NamedSet(
        name: name, family: family, kind: onlyBlocks ? .hashNet : .hashIP,
        members: rule.named[index].pods.flatMap(\.podIPs).filter { $0.family == family }.map { .init(CIDR($0)) },
        origin: rule.origin(policy, peers: [], portName: rule.named[index].name)))
    return name
  }

  /// Nil: no block of this family.
  private mutating func putBlocks(_ rule: ResolvedRule, _ policy: ResolvedPolicy) -> SetName? {
    let blocks = rule.blocks.filter { $0.cidr.family == family }
    if blocks.isEmpty { return nil }
    let name = KubeRouterNames.ruleSet(.ipBlocks, policy.id, rule.direction, rule: rule.index, family)
    put(
      NamedSet(
        name: name, family: family, kind: .hashNet,
        members: blocks.flatMap { block in
          block.cidr.storable.map { .init($0) }
            + block.except.flatMap(\.storable).map { .init($0, nomatch: true) }
        },
        origin: rule.origin(policy, peers: rule.blockIndexes)))
    return name
  }
}

extension ResolvedRule {
  fileprivate func origin(_ policy: ResolvedPolicy, peers: [Int], portName: String? = nil) -> Origin {
    Origin(
      policy: policy.id, direction: direction, rule: index, peers: peers, portName: portName,
      location: location ?? policy.policy.location)
  }
}

/// The pairs of rules that allow: mark, then return with the mark (kube-router.md 3.1).
private struct Lines {
  let comment: (_ named: Bool) -> String
  let origin: Origin
  let direction: Direction

  init(_ table: PolicyTable, _ policy: ResolvedPolicy, _ rule: ResolvedRule, _ peers: KubeRouterVersion.PeerKind) {
    comment = { table.comment(rule.direction, peers, policy.id, named: $0) }
    let indexes: [Int] =
      switch peers {
      case .pods: rule.peerPodIndexes
      case .any: []
      case .ipBlocks: rule.blockIndexes
      }
    origin = rule.origin(policy, peers: indexes)
    direction = rule.direction
  }

  func allow(targets: SetName, peers: SetName?, _ port: Match?, named: String? = nil) -> [Rule] {
    var origin = origin
    origin.portName = named
    let comment = comment(named != nil)
    let target = Match.inSet(direction.subjectSide, targets)
    let peer = peers.map { [Match.inSet(direction.peerSide, $0)] } ?? []
    // Source before destination.
    let sets = direction == .ingress ? peer + [target] : [target] + peer
    let matches = sets + (port.map { [$0] } ?? [])
    return [
      Rule(matches, [.setMark(KubeRouter.allowed)], comment: comment, origin: origin),
      Rule(matches + [.mark(KubeRouter.allowed)], [.return], comment: comment, origin: origin),
    ]
  }
}

extension PolicyTable {
  fileprivate func comment(
    _ direction: Direction, _ peers: KubeRouterVersion.PeerKind, _ policy: PolicyID, named: Bool
  ) -> String {
    version.comments.policyRule(direction, peers, policy, named)
  }
}

extension NetworkPolicy.PortRule {
  /// kube-router uses `endPort` only where it is not below `port`.
  fileprivate var portMatch: Match? {
    switch number {
    case .any: .transport(transport)
    case .number(let first, let last): .port(transport, PortRange(first, max(first, last ?? first)))
    case .name: nil
    }
  }
}

extension ResolvedRule.NamedNumber {
  fileprivate var portMatch: Match { .port(transport, PortRange(number)) }
}

extension CIDR {
  /// A hash:net holds no /0: IPv4 is split in halves, and of IPv6 only 2000::/3 and fd00::/8 are stored (D10).
  fileprivate var storable: [CIDR] {
    guard prefixLength == 0 else { return [self] }
    return switch family {
    case .v4: [CIDR(network, prefixLength: 1), CIDR(IPAddress(v4: 0x8000_0000), prefixLength: 1)]
    case .v6:
      [
        CIDR(IPAddress(v6: 0x2000 << 112), prefixLength: 3),
        CIDR(IPAddress(v6: 0xfd00 << 112), prefixLength: 8),
      ]
    }
  }
}
