internal import NetpolModel
internal import RuleIR

/// The chain-and-mark machine of kube-router's iptables back end, top to bottom (kube-router.md 2 and 3).
///
/// Built-in hook -> KUBE-ROUTER-* -> KUBE-POD-FW-* (local pods) -> KUBE-NWPLCY-* (every policy). A policy chain never
/// accepts: it sets `allowed` and returns. The pod chain rejects what nobody allowed and sets `passed` on the rest.
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

  mutating func lower() -> Lowered {
    var resolution = PeerResolution(view)
    let policies = view.policies.map { ResolvedPolicy($0, &resolution) }
    noteTwins(policies)
    let unloadable = version.logsInPolicyChains ? policies.filter { !NFLOGLimit.isLoadable($0.logLimit) } : []
    for policy in unloadable {
      findings.append(
        Finding(
          .policy(policy.id, policy.policy.location),
          "its annotation \(NFLOGLimit.limitAnnotation) is out of range, so iptables-restore refuses every sync on "
            + "every node: no policy of the cluster is enforced (D15); correct or remove the annotation"))
    }
    let locals = localPods()
    var ruleset = Ruleset()
    for family in view.families {
      var table = PolicyTable(family, version, stamp: view.versionStamp)
      for policy in policies { table.add(policy) }
      ruleset.sets += table.sets
      var chains = [commonChain(family), defaultMarkChain()]
      if unloadable.isEmpty {
        let pods = podChains(locals, policies, family)
        chains += table.chains + pods.map(\.chain)
        chains += topChains(pods, family)
        if case .routerChains = version.acceptance {
          chains.append(tailChain(family))
          if view.defaultDeny { ruleset.sets.append(localPodSet(pods.map(\.address), family)) }
        }
      } else {
        // The sets went in before the refused restore; the hook jumps and exemptions one by one before that.
        chains += topChains([], family).map { chain in
          Chain(name: chain.name, base: chain.base, rules: chain.rules.filter { $0.statements != [.accept] })
        }
      }
      ruleset.tables.append(Table(name: "filter", family: family, chains: chains))
    }
    return Lowered(ruleset, findings: findings)
  }

  /// Names are hashes of namespace and name without a separator: `team`/`aweb` and `teama`/`web` share chain and sets.
  private mutating func noteTwins(_ policies: [ResolvedPolicy]) {
    for twins in Dictionary(grouping: policies, by: { $0.id.namespace + $0.id.name }).values where twins.count > 1 {
      for twin in twins {
        let others = twins.filter { $0.id != twin.id }.map(\.id.description).sorted().joined(separator: ", ")
        findings.append(
          Finding(
            .policy(twin.id, twin.policy.location),
            "shares its chain and sets with \(others), since kube-router joins namespace and name without a separator"))
      }
    }
    findings.sort { $0.description < $1.description }
  }

  // MARK: - Chains that every node has

  private func commonChain(_ family: IPFamily) -> Chain {
    let icmp: [(UInt8, String)] =
      switch family {
      case .v4: [(8, "echo requests"), (3, "destination unreachable messages"), (11, "time exceeded messages")]
      case .v6:
        [
          (128, "echo requests"), (1, "destination unreachable messages"), (3, "time exceeded messages"),
          (135, "neighbor solicitation messages"), (136, "neighbor advertisement messages"),
          (129, "echo reply messages"),
        ]
      }
    return Chain(
      name: Self.common,
      rules: [
        Rule([.conntrack([.invalid])], [.drop], comment: "\"rule to drop invalid state for pod\""),
        Rule([.conntrack([.related, .established])], [.accept], comment: "\"rule for stateful firewall for pod\""),
      ] + icmp.map { Rule([.icmpType($0)], [.accept], comment: "allow icmp \($1)") })
  }

  private func defaultMarkChain() -> Chain {
    let mark = Rule([], [.setMark(Self.allowed)], comment: "rule to mark traffic matching a network policy")
    return Chain(name: Self.defaultChain, rules: [mark])
  }

  /// The built-in chains and KUBE-ROUTER-INPUT, -FORWARD and -OUTPUT.
  private func topChains(_ pods: [PodChain], _ family: IPFamily) -> [Chain] {
    let hooks: [(hook: Hook, rules: [Rule])] = [
      (.input, exemptions(family) + pods.map { $0.jump(.source) }),
      (
        .forward,
        pods.flatMap {
          [
            $0.jump(.destination), $0.jump(.destination, bridged: true), $0.jump(.source),
            $0.jump(.source, bridged: true),
          ]
        }
      ),
      (.output, pods.flatMap { [$0.jump(.destination), $0.jump(.source)] }),
    ]
    return hooks.flatMap { hook, rules -> [Chain] in
      let builtIn = hook.rawValue.uppercased()
      let name = "KUBE-ROUTER-\(builtIn)"
      let comment = "kube-router netpol"
      let tag = KubeRouterNames.tag(builtIn, ["-m", "comment", "--comment", comment, "-j", name])
      let jump = Rule([], [.jump(name)], comment: "\(comment) - \(tag)")
      let accept = Rule([.mark(Self.passed)], [.accept], comment: version.comments.explicitAccept)
      switch version.acceptance {
      case .builtInChains:
        return [Chain(name: builtIn, base: Chain.Base(hook), rules: [jump, accept]), Chain(name: name, rules: rules)]
      case .routerChains:
        let tail = Rule(
          [], [.jump(Self.tail)],
          comment: "rule to explicitly handle traffic for network policies ACCEPT/REJECT decision")
        return [
          Chain(name: builtIn, base: Chain.Base(hook), rules: [jump]),
          Chain(name: name, rules: rules + [tail, accept]),
        ]
      }
    }
  }

  /// The last word of the KUBE-ROUTER chains (kube-router.md 2.8): with default-deny whatever is in the node's pod CIDRs and
  /// has no chain of its own is refused.
  private func tailChain(_ family: IPFamily) -> Chain {
    let accept = Rule([.mark(Self.passed)], [.accept], comment: "accept netpol-ok")
    guard view.defaultDeny else { return Chain(name: Self.tail, rules: [accept]) }
    let blocks = view.podCIDRs.filter { $0.family == family }
    let set = localPodSet([], family).name
    let refuse = { (side: Side, block: CIDR, further: [Match], comment: String) in
      Rule([.address(side, block)] + further, [.reject(.portUnreachable)], comment: "\(comment) (default-deny)")
    }
    return Chain(
      name: Self.tail,
      rules: blocks.flatMap { block in
        Side.allCases.map { refuse($0, block, [.inSet($0, set, negated: true)], "reject unprogrammed local pod") }
      } + [accept] + blocks.flatMap { block in Side.allCases.map { refuse($0, block, [], "reject pre-netpol") } })
  }

  /// Local pods that have a chain.
  private func localPodSet(_ pods: [IPAddress], _ family: IPFamily) -> NamedSet {
    NamedSet(
      name: (family == .v6 ? "inet6:" : "") + "kube-router-local-pods", family: family, kind: .hashIP,
      members: pods.map { .init(CIDR($0)) })
  }

  /// Traffic that policies don't judge in INPUT, since it is judged behind its translation (kube-router.md 2.2).
  private func exemptions(_ family: IPFamily) -> [Rule] {
    let chain = "KUBE-ROUTER-INPUT"
    let ranges = view.serviceCIDRs.filter { $0.family == family }.map { range in
      let comment = "allow traffic to primary/secondary cluster IP range"
      let tag = KubeRouterNames.tag(
        chain, ["-m", "comment", "--comment", comment, "-d", range.description, "-j", "RETURN"])
      return Rule([.address(.destination, range)], [.return], comment: "\(comment) - \(tag)")
    }
    let nodePorts = version.nodePortTransports.map { transport in
      let comment = "allow LOCAL \(transport.rawValue) traffic to node ports"
      let tag = KubeRouterNames.tag(
        chain,
        [
          "-p", transport.keyword, "-m", "comment", "--comment", comment, "-m", "addrtype", "--dst-type", "LOCAL",
          "-m", "multiport", "--dports", "\(view.nodePorts.first):\(view.nodePorts.last)", "-j", "RETURN",
        ])
      return Rule(
        [.local(.destination), .multiport(transport, [view.nodePorts])], [.return], comment: "\(comment) - \(tag)")
    }
    return ranges + nodePorts
  }
}
