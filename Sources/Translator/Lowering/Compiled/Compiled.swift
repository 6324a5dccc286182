internal import NetpolModel
internal import RuleIR

extension EnforcementStyle {
  /// Our own lowering to nftables, equal to the specification for first packets. The number of rules that a packet
  /// meets is fixed: only sets grow with pods, policies and peers (docs/compiled.md).
  public static let compiled: EnforcementStyle = {
    var style = EnforcementStyle(
      name: "compiled", backend: .nftables,
      traits: EnforcerTraits(
        deviations: [.bridgeHidesPackets, .multicastIngress, .dropsUntranslatable, .refusesStrangers],
        passingICMPTypes: Dictionary(uniqueKeysWithValues: IPFamily.allCases.map { ($0, CompiledChains.icmpTypes($0)) })
      ),
      lower: compile)
    style.knowsDefaultDeny = true
    style.needsOwnPoliciesOnly = true
    style.costPerPod = 0
    style.setTitles = ["f": "the pairs", "ig": "the pods", "ib": "the networks"]
    return style
  }()

  private static func compile(_ view: NodeView) -> Lowered {
    var inhabitants = Inhabitants(view)
    let groups = Direction.allCases.flatMap { PolicyGroup.all($0, view.policies, &inhabitants) }
    var ruleset = Ruleset(backend: .nftables)
    for family in view.families {
      var sets = CompiledSets(family)
      let admitted = groups.map { ($0, Admissions($0, family, &inhabitants)) }
      let pairs = AdmittedPairs(admitted, family)
      for (index, (group, admissions)) in admitted.enumerated() {
        sets.add(group, admissions, listingPeers: !pairs.covered.contains(index))
      }
      sets.add(pairs)
      ruleset.keyedSets += sets.all
      let blocks = view.podCIDRs.filter { $0.family == family }
      let areInside = inhabitants.local.flatMap(\.podIPs).filter { $0.family == family }
        .allSatisfy { address in blocks.contains { $0.contains(address) } }
      if view.defaultDeny {
        // A finished pod's address may be a new pod's already, which the node doesn't know.
        let local = view.pods.filter { $0.node == view.node && !$0.hostNetwork && !$0.phase.isTerminal }
          .flatMap(\.podIPs)
        ruleset.sets.append(
          NamedSet(
            name: CompiledSets.known, family: family, kind: .addresses,
            members: Set(local.filter { $0.family == family }).sorted().map { .init(CIDR($0)) }))
      }
      ruleset.tables.append(
        Table(
          name: "netpol-lab", family: family,
          chains: CompiledChains(
            family: family, podCIDRs: areInside ? blocks : [], refusing: view.defaultDeny ? blocks : []
          ).all))
    }
    return Lowered(ruleset, findings: inhabitants.findings)
  }
}
