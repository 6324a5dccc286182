internal import Algorithms
internal import NetpolModel
internal import RuleIR

/// The chains and marks of kube-router's network policy controller (its `pkg/controllers/netpol`), top to bottom.
///
/// Built-in hook -> KUBE-ROUTER-* -> KUBE-POD-FW-* (local pods) -> KUBE-NWPLCY-* (every policy). A policy chain never
/// accepts: it sets `allowed` and returns. The pod chain rejects packets without that mark and sets `passed` on the
/// rest.
struct KubeRouter {
  static let allowed = Mark(0x10000, mask: 0x10000)
  static let passed = Mark(0x20000, mask: 0x20000)
  static let logGroup: UInt16 = 100
  static let common = "KUBE-NWPLCY-COMMON"
  static let defaultChain = "KUBE-NWPLCY-DEFAULT"
  static let tail = "KUBE-NWPLCY-TAIL"

  let view: NodeView
  let version: KubeRouterVersion
  var findings: [Finding] = []

  init(_ view: NodeView, _ version: KubeRouterVersion) {
    self.view = view
    self.version = version
  }

  /// What is the same on every node: the policies, and their chains and sets.
  struct Policies {
    let resolved: [ResolvedPolicy]
    let tables: [IPFamily: PolicyTable]

    init(_ view: NodeView, _ version: KubeRouterVersion) {
      var resolution = PeerResolution(view)
      let policies = view.policies.map { ResolvedPolicy($0, &resolution) }
      resolved = policies
      tables = Dictionary(
        view.families.map { family in
          var table = PolicyTable(family, version, stamp: view.versionStamp)
          for policy in policies { table.add(policy) }
          return (family, table)
        }
      ) { first, _ in first }
    }
  }

  /// Lowers several nodes of one cluster.
  static func lower(_ views: [NodeView], _ version: KubeRouterVersion) -> [Lowered] {
    guard let first = views.first else { return [] }
    let policies = Policies(first, version)
    return concurrentMap(views.count) { index in
      var router = KubeRouter(views[index], version)
      return router.lower(policies)
    }
  }

  mutating func lower() -> Lowered { lower(Policies(view, version)) }

  private mutating func lower(_ shared: Policies) -> Lowered {
    let policies = shared.resolved
    noteTwins(policies)
    let unloadable = version.logsInPolicyChains ? policies.filter { !NFLOGLimit.isLoadable($0.logLimit) } : []
    for policy in unloadable {
      findings.append(
        Finding(
          .policy(policy.id, policy.policy.location),
          "its annotation \(NFLOGLimit.limitAnnotation) is out of range, so iptables-restore refuses every sync on "
            + "every node: no policy in the cluster is enforced (D15); correct or remove the annotation"))
    }
    let locals = localPods()
    var ruleset = Ruleset(backend: version.backend)
    var refused = ruleset
    for family in view.families {
      guard let table = shared.tables[family] else { continue }
      for policy in policies where table.failed[policy.id] != nil { noteOverlap(policy, table.failed[policy.id]) }
      for policy in policies where table.collided.contains(policy.id) {
        findings.append(
          Finding(
            .policy(policy.id, policy.policy.location),
            "two of its named-port sets have the same name, because kube-router joins the numbers of rule and port "
              + "without a separator: both rules use the members of the later set"))
      }
      ruleset.sets += table.sets
      var chains = [commonChain(family), defaultMarkChain()]
      var refusedChains = table.refusedChains
      refused.sets += table.refusedSets
      let pods = podChains(locals, policies, failed: Set(table.failed.keys), family)
      let enforcing = table.chains + self.chains(of: pods) + topChains(pods, family)
      if unloadable.isEmpty {
        chains += enforcing
        if case .routerChains = version.acceptance { chains.append(tailChain(family)) }
        if version.backend == .nftables || view.defaultDeny, case .routerChains = version.acceptance {
          ruleset.sets.append(localPodSet(view.defaultDeny ? pods.map(\.address) : [], family))
        }
      } else {
        // The sets are loaded before the refused restore. The hook jumps and exemptions are added one by one before
        // that.
        refusedChains = chains + enforcing
        chains += topChains([], family).map { chain in
          Chain(name: chain.name, base: chain.base, rules: chain.rules.filter { $0.statements != [.accept] })
        }
      }
      let name = version.backend == .iptables ? "filter" : "kube-router-filter-\(family.rawValue.lowercased())"
      ruleset.tables.append(
        Table(name: name, family: family, chains: chains, comment: version.comments.onObjects?.table(name)))
      if !refusedChains.isEmpty { refused.tables.append(Table(name: name, family: family, chains: refusedChains)) }
    }
    return Lowered(
      ruleset, findings: findings, refused: refused.tables.isEmpty ? nil : refused,
      sharedLists: policies.flatMap { Self.sharedLists(of: $0, shared.tables) })
  }

  /// What chance decides about the named ports of a policy's rules. All ingress rules have the lists of one order of
  /// the
  /// policy's pods, each egress rule those of its own (`buildNetworkPoliciesInfo` of kube-router's policy.go).
  private static func sharedLists(of policy: ResolvedPolicy, _ tables: [IPFamily: PolicyTable]) -> [SharedLists] {
    let lists = { (direction: Direction) in sharedLists(of: policy, direction, tables) }
    var ingress = lists(.ingress)
    for further in ingress.dropFirst() { ingress[0].sets.merge(further.sets) { first, _ in first } }
    return ingress.prefix(1) + lists(.egress)
  }

  private static func sharedLists(
    of policy: ResolvedPolicy, _ direction: Direction, _ tables: [IPFamily: PolicyTable]
  ) -> [SharedLists] {
    policy.rules.filter { $0.direction == direction }.compactMap { rule in
      guard var lists = rule.sharedLists else { return nil }
      for (family, table) in tables {
        let place = PolicyDraft.RulePlace(direction: rule.direction, index: rule.index)
        for (name, key) in table.namedSets[policy.id]?[place] ?? [:] {
          lists.sets[SetPlace(set: name, family: family)] = rule.keys[key]
        }
      }
      return lists.sets.isEmpty ? nil : lists
    }
  }

  private mutating func noteOverlap(_ policy: ResolvedPolicy, _ overlap: (CIDR, CIDR)?) {
    guard let (first, second) = overlap else { return }
    findings.append(
      Finding(
        .policy(policy.id, policy.policy.location),
        "its blocks \(first) and \(second) overlap in one rule, so nft refuses the whole policy and its pods fail "
          + "closed (D12); put them into two rules"))
  }

  /// Names are hashes of namespace and name without a separator, so `team`/`aweb` and `teama`/`web` share a chain and
  /// sets.
  private mutating func noteTwins(_ policies: [ResolvedPolicy]) {
    for twins in Dictionary(grouping: policies, by: { $0.id.namespace + $0.id.name }).values where twins.count > 1 {
      for twin in twins {
        let others = twins.filter { $0.id != twin.id }.map(\.id.description).sorted().joined(separator: ", ")
        findings.append(
          Finding(
            .policy(twin.id, twin.policy.location),
            "shares its chain and sets with \(others): kube-router joins namespace and name without a separator"))
      }
    }
    findings.sort { $0.description < $1.description }
  }

  // MARK: - Chains that every node has

  private func commonChain(_ family: IPFamily) -> Chain {
    let comments = version.comments.chains
    return Chain(
      name: Self.common,
      rules: [
        rule([.conntrack([.invalid])], .drop, comments.dropInvalid),
        rule([.conntrack([.related, .established])], .accept, comments.acceptEstablished),
      ] + KubeRouterVersion.ICMPMessage.all(family).map { rule([.icmpType($0.type)], .accept, comments.icmp($0)) },
      comment: version.comments.onObjects?.fixedChain(Self.common))
  }

  private func defaultMarkChain() -> Chain {
    Chain(
      name: Self.defaultChain, rules: [rule([], .setMark(Self.allowed), version.comments.chains.markAllowed)],
      comment: version.comments.onObjects?.fixedChain(Self.defaultChain))
  }

  /// With nft a rule needs a counter statement to count packets. With iptables every rule counts them.
  func rule(_ matches: [Match], _ statement: Statement, _ comment: String?, origin: Origin? = nil) -> Rule {
    Rule(matches, version.backend == .nftables ? [.counter, statement] : [statement], comment: comment, origin: origin)
  }

  /// KUBE-ROUTER-INPUT, -FORWARD and -OUTPUT. With iptables the built-in chains jump to them; with nft they are base
  /// chains.
  private func topChains(_ pods: [PodChain], _ family: IPFamily) -> [Chain] {
    // With nft no rule checks whether a packet is bridged.
    let bridged = version.backend == .iptables ? [false, true] : [false]
    let jumps = { (pod: PodChain, sides: [Side], bridged: [Bool]) in
      product(sides, bridged).map { side, isBridged in
        rule(
          pod.match(side, bridged: isBridged), .jump(pod.chain.name), pod.comment(side),
          origin: Origin(pod: pod.pod.id))
      }
    }
    let hooks: [(hook: Hook, rules: [Rule])] = [
      (.input, exemptions(family) + pods.flatMap { jumps($0, [.source], [false]) }),
      (.forward, pods.flatMap { jumps($0, [.destination, .source], bridged) }),
      (.output, pods.flatMap { jumps($0, [.destination, .source], [false]) }),
    ]
    return hooks.flatMap { topChains($0.hook, $0.rules) }
  }

  private func topChains(_ hook: Hook, _ rules: [Rule]) -> [Chain] {
    let builtIn = hook.rawValue.uppercased()
    let name = "KUBE-ROUTER-\(builtIn)"
    let accept = rule([.mark(Self.passed)], .accept, version.comments.explicitAccept)
    let end: [Rule] =
      switch version.acceptance {
      case .builtInChains: []
      case .routerChains: [rule([], .jump(Self.tail), version.comments.chains.jumpToTail), accept]
      }
    if version.backend == .nftables {
      let comment = version.comments.onObjects?.baseChain(name)
      return [Chain(name: name, base: Chain.Base(hook), rules: rules + end, comment: comment)]
    }
    let comment = "kube-router netpol"
    let tag = KubeRouterNames.tag(builtIn, ["-m", "comment", "--comment", comment, "-j", name])
    let jump = rule([], .jump(name), "\(comment) - \(tag)")
    return [
      Chain(name: builtIn, base: Chain.Base(hook), rules: end.isEmpty ? [jump, accept] : [jump]),
      Chain(name: name, rules: rules + end),
    ]
  }

  /// The chain at the end of the KUBE-ROUTER chains. With default-deny it rejects packets from and to addresses that
  /// are in the node's pod CIDRs and have no chain of their own.
  private func tailChain(_ family: IPFamily) -> Chain {
    let accept = rule([.mark(Self.passed)], .accept, "accept netpol-ok")
    let blocks = view.defaultDeny ? view.podCIDRs.filter { $0.family == family } : []
    let set = localPodSet([], family).name
    let refuse = { (block: CIDR, side: Side, further: [Match], comment: String) in
      rule([.address(side, block)] + further, .reject(.portUnreachable), "\(comment) (default-deny)")
    }
    let sides = product(blocks, Side.allCases)
    let unprogrammed = sides.map { refuse($0, $1, [.inSet($1, set, negated: true)], "reject unprogrammed local pod") }
    let early = sides.map { refuse($0, $1, [], "reject pre-netpol") }
    return Chain(
      name: Self.tail, rules: unprogrammed + [accept] + early,
      comment: version.comments.onObjects?.fixedChain(Self.tail))
  }

  /// The set of local pods that have a chain.
  private func localPodSet(_ pods: [IPAddress], _ family: IPFamily) -> NamedSet {
    NamedSet(
      name: (family == .v6 && version.backend == .iptables ? "inet6:" : "") + "kube-router-local-pods", family: family,
      kind: .addresses, members: pods.map { .init(CIDR($0)) }, comment: version.comments.onObjects?.localPods)
  }

  /// Rules that exempt traffic from policies in INPUT, because policies judge it after its translation.
  private func exemptions(_ family: IPFamily) -> [Rule] {
    let chain = "KUBE-ROUTER-INPUT"
    // iptables rules at a fixed position carry the hash of their arguments.
    let tagged = { (comment: String, arguments: [String]) in
      version.backend == .nftables ? comment : "\(comment) - \(KubeRouterNames.tag(chain, arguments))"
    }
    let ranges = { (cidrs: [CIDR], comment: (CIDR) -> String) in
      cidrs.filter { $0.family == family }.map { range in
        let comment = comment(range)
        let arguments = ["-m", "comment", "--comment", comment, "-d", range.description, "-j", "RETURN"]
        return rule([.address(.destination, range)], .return, tagged(comment, arguments))
      }
    }
    let nodePorts = version.nodePortTransports.map { transport in
      let comment = version.comments.chains.nodePorts(transport)
      let arguments = [
        "-p", transport.keyword, "-m", "comment", "--comment", comment, "-m", "addrtype", "--dst-type", "LOCAL",
        "-m", "multiport", "--dports", "\(view.nodePorts.first):\(view.nodePorts.last)", "-j", "RETURN",
      ]
      let matches: [Match] = [.local(.destination), .multiport(transport, [view.nodePorts])]
      return rule(matches, .return, tagged(comment, arguments))
    }
    let comments = version.comments.chains
    let rules =
      ranges(view.serviceCIDRs) { _ in comments.serviceRange } + nodePorts
      + ranges(view.externalIPRanges, comments.externalRange)
      + ranges(view.loadBalancerIPRanges, comments.loadBalancerRange)
    return rules.map { Rule($0.matches, $0.statements, comment: $0.comment, role: .exemption) }
  }
}
