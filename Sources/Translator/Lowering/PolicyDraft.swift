internal import Algorithms
internal import NetpolModel
internal import RuleIR

/// What one policy becomes in one family: its chain, its sets and, with nft, a sub-chain for each rule with excepts.
struct PolicyDraft {
  private(set) var chain: Chain
  private(set) var subChains: [Chain] = []
  private(set) var sets: [NamedSet] = []
  /// Names that two sets of the policy share. The members of the later set win.
  private(set) var collisions: Set<SetName> = []
  /// The sets of named ports: by direction and index of their rule, the set's name and what it is for.
  private(set) var namedSets: [RulePlace: [SetName: NamedPorts.Key]] = [:]

  struct RulePlace: Hashable {
    let direction: Direction
    let index: Int
  }

  private let family: IPFamily
  private let version: KubeRouterVersion
  private let policy: ResolvedPolicy

  init(_ policy: ResolvedPolicy, _ family: IPFamily, _ version: KubeRouterVersion, stamp: String) {
    self.policy = policy
    self.family = family
    self.version = version
    chain = Chain(
      name: KubeRouterNames.policyChain(policy.id, version: stamp, family),
      comment: version.comments.onObjects?.policyChain(policy.id),
      origin: Origin(policy: policy.id, location: policy.policy.location))
    for direction in Direction.allCases where policy.policy.isolates.contains(direction) {
      let addresses = policy.targets.flatMap { $0.podIPs.filter { $0.family == family } }
      put(
        KubeRouterNames.targets(policy.id, direction, family, version.backend), .addresses,
        addresses.map { .init(CIDR($0)) },
        Origin(policy: policy.id, direction: direction, location: policy.policy.location))
    }
    for rule in policy.rules { chain.rules += lower(rule) }
    if version.logsInPolicyChains {
      chain.rules.append(
        Rule(
          [.limit(policy.logLimit), .mark(KubeRouter.allowed, negated: true)],
          [.log(group: KubeRouter.logGroup, prefix: NFLOGLimit.prefix(policy.id))],
          comment: "rule to log dropped traffic",
          origin: Origin(policy: policy.id, location: policy.policy.location)))
    }
  }

  /// Two overlapping members of one interval set, or `nil`. Because of them nft refuses the policy's whole transaction
  /// (D12).
  var overlap: (CIDR, CIDR)? {
    for set in sets where set.kind == .interval {
      let cidrs = Set(set.members.map(\.cidr)).sorted()
      for (first, second) in cidrs.adjacentPairs() where first.overlaps(second) { return (first, second) }
    }
    return nil
  }

  private mutating func lower(_ rule: ResolvedRule) -> [Rule] {
    var result: [Rule] = []
    let targets = KubeRouterNames.targets(policy.id, rule.direction, family, version.backend)
    let anyPeer = Lines(self, policy, rule, .any)

    if !rule.peerPods.isEmpty {
      let peers = putPeerPods(rule)
      let lines = Lines(self, policy, rule, .pods)
      result += rule.numeric.flatMap { lines.allow(targets: targets, peers: peers, $0.portMatch(version.backend)) }
      for (index, port) in rule.named.enumerated() {
        let having = putNamedPort(rule, index)
        // For egress, the pods that have the port are peers. For ingress, they are targets.
        result +=
          rule.direction == .ingress
          ? lines.allow(targets: having, peers: peers, port.portMatch, named: port.name)
          : lines.allow(targets: targets, peers: having, port.portMatch, named: port.name)
      }
      // Also if every port is a name that no pod exposes: then all ports are open (D2).
      if rule.numeric.isEmpty, rule.named.isEmpty { result += lines.allow(targets: targets, peers: peers, nil) }
    }

    if rule.matchesAnyPeer {
      result += rule.numeric.flatMap { anyPeer.allow(targets: targets, peers: nil, $0.portMatch(version.backend)) }
      for (index, port) in rule.named.enumerated() {
        // For egress, the port number is open to any address (D3).
        let having = rule.direction == .ingress ? putNamedPort(rule, index) : targets
        result += anyPeer.allow(targets: having, peers: nil, port.portMatch, named: port.name)
      }
      if rule.matchesAnyPort { result += anyPeer.allow(targets: targets, peers: nil, nil) }
    }

    if let blocks = putBlocks(rule) {
      let lines = Lines(self, policy, rule, .ipBlocks)
      var allowed = rule.numeric.flatMap { lines.allow(targets: targets, peers: blocks, $0.portMatch(version.backend)) }
      if rule.direction == .ingress {
        // An egress rule skips named ports here (D4).
        for (index, port) in rule.named.enumerated() {
          let having = putNamedPort(rule, index)
          allowed += lines.allow(targets: having, peers: blocks, port.portMatch, named: port.name)
        }
      }
      if rule.matchesAnyPort { allowed += lines.allow(targets: targets, peers: blocks, nil) }
      result += excepting(rule, allowed)
    }
    return result
  }

  /// With nft, the excepts of a rule return from a sub-chain that holds the allow rules of its blocks. With iptables,
  /// the hash:net set handles excepts itself.
  private mutating func excepting(_ rule: ResolvedRule, _ allowed: [Rule]) -> [Rule] {
    let excepts = rule.blocks.filter { $0.cidr.family == family }.flatMap(\.except)
    guard version.backend == .nftables, !excepts.isEmpty else { return allowed }
    let origin = rule.origin(policy, peers: rule.blockIndexes)
    let set = name(.ipBlockExcepts, rule)
    put(set, .interval, excepts.flatMap(\.storable).map { .init($0) }, origin, isExcept: true)
    let subChain = KubeRouterNames.ipBlockChain(policy.id, rule.direction, rule: rule.index, family)
    let side = rule.direction.peerSide
    let leave = Rule(
      [.inSet(side, set)], [.counter, .return],
      comment: KubeRouterVersion.short("\(policy.id) except-\(side.rawValue)"), origin: origin)
    subChains.append(Chain(name: subChain, rules: [leave] + allowed, origin: origin))
    return [
      Rule(
        [], [.counter, .jump(subChain)], comment: KubeRouterVersion.short("\(policy.id) ipblock"), origin: origin)
    ]
  }

  // MARK: - Sets of a rule

  private func name(_ content: KubeRouterNames.RuleSet, _ rule: ResolvedRule) -> SetName {
    KubeRouterNames.ruleSet(content, policy.id, rule.direction, rule: rule.index, family, version.backend)
  }

  private mutating func put(
    _ name: SetName, _ kind: NamedSet.Kind, _ members: [NamedSet.Member], _ origin: Origin, isExcept: Bool = false
  ) {
    let set = NamedSet(
      name: name, family: family, kind: kind, members: members,
      comment: version.comments.onObjects?.set(kind, isExcept),
      origin: origin)
    if let index = sets.firstIndex(where: { $0.name == name }) {
      if sets[index].origin != set.origin { collisions.insert(name) }
      sets[index] = set
    } else {
      sets.append(set)
    }
  }

  private mutating func putPeerPods(_ rule: ResolvedRule) -> SetName {
    let name = name(.peerPods, rule)
    put(
      name, .addresses, rule.peerPods.compactMap { $0.address(family).map { .init(CIDR($0)) } },
      rule.origin(policy, peers: rule.peerPodIndexes))
    return name
  }

  private mutating func putNamedPort(_ rule: ResolvedRule, _ index: Int) -> SetName {
    let name = name(.namedPort(index: index), rule)
    let onlyBlocks = rule.peerPods.isEmpty && !rule.matchesAnyPeer
    put(
      name, onlyBlocks && version.backend == .iptables ? .hashNet : .addresses,
      rule.named[index].pods.flatMap(\.podIPs).filter { $0.family == family }.map { .init(CIDR($0)) },
      rule.origin(policy, peers: [], portName: rule.named[index].name))
    let port = rule.named[index]
    namedSets[RulePlace(direction: rule.direction, index: rule.index), default: [:]][name] = NamedPorts.Key(
      name: port.name, transport: port.transport, number: port.number)
    return name
  }

  /// Returns `nil` if the rule has no block of this family.
  private mutating func putBlocks(_ rule: ResolvedRule) -> SetName? {
    let blocks = rule.blocks.filter { $0.cidr.family == family }
    if blocks.isEmpty { return nil }
    let name = name(.ipBlocks, rule)
    let origin = rule.origin(policy, peers: rule.blockIndexes)
    switch version.backend {
    case .iptables:
      let members = blocks.flatMap { block in
        block.cidr.storable.map { NamedSet.Member($0) }
          + block.except.flatMap(\.storable).map { NamedSet.Member($0, nomatch: true) }
      }
      put(name, .hashNet, members, origin)
    case .nftables: put(name, .interval, blocks.flatMap(\.cidr.storable).map { .init($0) }, origin)
    }
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

/// Builds the rules that allow. iptables needs two, one that sets the mark and one that returns if it is set. nft needs
/// one.
private struct Lines {
  let comment: (_ named: Bool) -> String
  let origin: Origin
  let direction: Direction
  let backend: EnforcementStyle.Backend

  init(_ draft: PolicyDraft, _ policy: ResolvedPolicy, _ rule: ResolvedRule, _ peers: KubeRouterVersion.PeerKind) {
    comment = { draft.comment(rule.direction, peers, policy.id, named: $0) }
    let indexes: [Int] =
      switch peers {
      case .pods: rule.peerPodIndexes
      case .any: []
      case .ipBlocks: rule.blockIndexes
      }
    origin = rule.origin(policy, peers: indexes)
    direction = rule.direction
    backend = draft.backend
  }

  func allow(targets: SetName, peers: SetName?, _ port: Match?, named: String? = nil) -> [Rule] {
    var origin = origin
    origin.portName = named
    let comment = comment(named != nil)
    let target = Match.inSet(direction.subjectSide, targets)
    let peer = peers.map { [Match.inSet(direction.peerSide, $0)] } ?? []
    // The source set comes before the destination set.
    let sets = direction == .ingress ? peer + [target] : [target] + peer
    let matches = sets + (port.map { [$0] } ?? [])
    switch backend {
    case .iptables:
      return [
        Rule(matches, [.setMark(KubeRouter.allowed)], comment: comment, origin: origin),
        Rule(matches + [.mark(KubeRouter.allowed)], [.return], comment: comment, origin: origin),
      ]
    case .nftables:
      return [Rule(matches, [.counter, .setMark(KubeRouter.allowed), .return], comment: comment, origin: origin)]
    }
  }
}

extension PolicyDraft {
  fileprivate var backend: EnforcementStyle.Backend { version.backend }

  fileprivate func comment(
    _ direction: Direction, _ peers: KubeRouterVersion.PeerKind, _ policy: PolicyID, named: Bool
  ) -> String {
    version.comments.policyRule(direction, peers, policy, named)
  }
}

extension NetworkPolicy.PortRule {
  /// kube-router uses `endPort` only if it is not below `port`. With nft, a range of one port stays a range.
  fileprivate func portMatch(_ backend: EnforcementStyle.Backend) -> Match? {
    switch number {
    case .any: .transport(transport)
    case .number(let first, let last?) where last >= first && backend == .nftables:
      .multiport(transport, [PortRange(first, last)])
    case .number(let first, let last): .port(transport, PortRange(first, max(first, last ?? first)))
    case .name: nil
    }
  }
}

extension ResolvedRule.NamedNumber {
  fileprivate var portMatch: Match { .port(transport, PortRange(number)) }
}

extension CIDR {
  /// The CIDRs that are stored for this one. A hash:net can't hold /0, so IPv4's is split into halves, and IPv6's is
  /// replaced by 2000::/3 and fd00::/8 only (D10).
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
