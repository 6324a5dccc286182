internal import Enforcement
internal import EngineComparison
internal import Lowering
internal import NetpolModel
internal import Path
internal import Proof
internal import StandingLab
internal import Statistics
internal import Verdicts

/// A world in a style, and the packets that should reveal mistakes.
struct MutantJudge {
  let seed: UInt64
  let plan: LabPlan
  /// Whether this is the world of its seed, and not one derived from it.
  let isOwnWorld: Bool
  private let flows: [Flow]
  /// Flows of a pod that its node has not been notified of. All of them are refused.
  private let strange: [Flow]
  /// The evaluator's verdicts on the flows without a mistake. `nil` until they are needed.
  private var verdicts: [Verdict?]?
  private var further: [FollowUpPacket]?

  /// Number of flows that have further packets.
  private static let followed = 36

  init(_ plan: LabPlan, seed: UInt64, flows: [Flow]) {
    self.seed = seed
    self.plan = plan
    self.flows = flows
    strange = []
    isOwnWorld = true
  }

  /// Throws if the style refuses the world.
  init(_ world: StrangerWorld, _ style: EnforcementStyle) throws {
    seed = world.seed
    plan = try LabPlan(world.known, style, versionStamp: "1", in: world.topology)
    flows = world.flows
    strange = world.strange
    isOwnWorld = false
  }

  /// Packets that don't do what is predicted although there is no mistake. They can't reveal mistakes.
  func surprises() -> [FollowUpPacket] {
    asked().filter { !$0.isAsForetold(in: plan.enforced) }
  }

  private func asked() -> [FollowUpPacket] {
    FollowUpPackets(plan).all(of: Array(flows.prefix(Self.followed)))
      + strange.map { .sent(Packet(first: $0), from: $0.source, .stopped) }
  }

  /// Whether some packet of this world, of all that there are, has another fate with the mutant. Such a packet kills it;
  /// if there is none, the mutant does the same here.
  func isKilled(_ mutant: MutantHunt.Mutant) -> Bool {
    guard
      plan.enforced.lowered.values.contains(where: { mutant.mutation.applied(to: $0.ruleset) != $0.ruleset }),
      let mutated = try? EnforcedCluster(plan.cluster, plan.topology, mutant.mutated, versionStamp: "1")
    else { return false }
    return !RulesComparison(plan.cluster, plan.enforced, mutated).isEqual
  }

  /// What revealed the mutant here.
  enum Sign { case flow, furtherPacket }

  /// Returns `nil` for an ill-formed mutant, which could not be loaded.
  mutating func sign(of mutant: MutantHunt.Mutant, byFlowsAlone: Bool) -> Sign? {
    let isTouched = plan.enforced.lowered.values.contains { mutant.mutation.applied(to: $0.ruleset) != $0.ruleset }
    guard isTouched,
      let mutated = try? EnforcedCluster(plan.cluster, plan.topology, mutant.mutated, versionStamp: "1")
    else { return nil }
    let verdicts = verdicts ?? flows.map(plan.enforced.verdict)
    self.verdicts = verdicts
    // The rules' verdict on a flow is a mistake only if it differs from what the objects alone predict.
    let reading = DeviationModel(plan.cluster, plan.comparer.oracle, mutant.style.traits)
    for (flow, verdict) in zip(flows, verdicts) where verdict != nil {
      let other = mutated.verdict(of: flow)
      if other != verdict, other != reading.verdict(flow) { return .flow }
    }
    if byFlowsAlone { return nil }
    let further = further ?? asked().filter { $0.isAsForetold(in: plan.enforced) }
    self.further = further
    return further.allSatisfy { $0.isAsForetold(in: mutated) } ? nil : .furtherPacket
  }
}

/// A world with default-deny, and with a pod that its node has not been notified of yet: the stranger.
struct StrangerWorld {
  let seed: UInt64
  /// Without the stranger, which has its place in the topology nevertheless.
  let known: Cluster
  let topology: Topology
  let flows: [Flow]
  /// The stranger's flows, except what its own node sends to it, what it sends to that node's NodePorts, and what a
  /// bridge hides.
  let strange: [Flow]

  /// `nil` if no pod can be the stranger.
  init?(_ world: Cluster, seed: UInt64, flows flowLimit: Int) {
    var cluster = world
    cluster.settings.defaultDeny = true
    let topology = Topology(cluster)
    guard let stranger = topology.pods.keys.min(), let place = topology.pods[stranger] else { return nil }
    let all = ProbePlan(cluster, topology, breadth: .boundaries).flows
    cluster.pods.removeAll { $0.id == stranger }
    let isStrange = { (flow: Flow) in flow.source == .pod(stranger) || flow.destination == .pod(stranger) }
    let isJudged = { (flow: Flow) -> Bool in
      let ends = [flow.source, flow.destination]
      if topology.hostNode(of: flow.source)?.name == place.node { return false }
      if topology.hostNode(of: flow.destination)?.name == place.node {
        return flow.port.map { !world.settings.nodePorts.contains($0) } ?? true
      }
      return topology.bridgeNetfilter
        || !ends.allSatisfy { if case .pod(let id) = $0 { topology.pods[id]?.node == place.node } else { false } }
    }
    var random = SplitMix64(seed: seed)
    self.seed = seed
    known = cluster
    self.topology = topology
    flows = random.some(flowLimit, of: all.filter { !isStrange($0) })
    strange = random.some(flowLimit / 4, of: all.filter { $0.isPlain && isStrange($0) && isJudged($0) })
  }
}
