internal import Enforcement
internal import EngineComparison
internal import NetpolModel
internal import OrderedCollections
internal import Path
internal import StandingLab
internal import Verdicts

/// All groups, sorted by the cluster that they need. Each distinct cluster is a stage, which asks all flows that need
/// it.
struct ExpectationsCheck {
  private struct Stage {
    let plan: LabPlan
    let backends: Backends
    var flows: OrderedSet<Flow> = []

    init(plan: LabPlan) {
      self.plan = plan
      backends = Backends(plan.cluster, plan.topology)
    }
  }

  private struct PlannedGroup {
    let group: Expectations.Group
    let hasReference: Bool
    let stage: Int
    let flows: [(expected: ExpectedFlow, pairs: [AskedPair])]
    let difference: (reference: Int, found: Difference)?
  }

  private let listsDifferences: Bool
  private var stages: [Stage] = []
  private var groups: [PlannedGroup] = []

  /// Works out what to ask of which cluster. `plan` lowers a cluster. `listsDifferences`: whether the flows that two
  /// clusters judge differently are looked for, one by one.
  init(
    _ groups: [GroupToCheck], base: LabPlan, sctpObstacle: String?, listsDifferences: Bool,
    plan: (Cluster) throws -> LabPlan
  ) throws {
    self.listsDifferences = listsDifferences
    var stages: OrderedDictionary = [base.cluster: Stage(plan: base)]
    func stage(_ cluster: Cluster) throws -> Int {
      if let known = stages.index(forKey: cluster) { return known }
      stages[cluster] = Stage(plan: try plan(cluster))
      return stages.count - 1
    }
    // All at once, on every core: there may be a matrix for each variant.
    let compared = Set(
      try groups.flatMap { group in
        try group.reference.map { [try stage(group.cluster), try stage($0.cluster)] } ?? []
      }
    ).sorted()
    let matrices = MatrixVerdicts.all(
      (listsDifferences ? compared : []).map { ($0, stages.values[$0].plan) }, sctpObstacle: sctpObstacle)
    for group in groups {
      let number = try stage(group.cluster)
      let needed = stages.values[number]
      let flows = group.group.flows.map {
        (expected: $0, pairs: needed.plan.pairs($0, needed.backends, sctpObstacle: sctpObstacle))
      }
      for case .flow(let flow) in flows.flatMap(\.pairs).map(\.asking) { stages.values[number].flows.append(flow) }
      var difference: (reference: Int, found: Difference)?
      if let reference = group.reference, case let other = try stage(reference.cluster), let old = matrices[other],
        let new = matrices[number]
      {
        let found = Difference(reference: reference.name, of: old, and: new)
        for change in found.changes.prefix(Difference.askedAtMost) {
          stages.values[other].flows.append(change.flowBefore)
          stages.values[number].flows.append(change.flow)
        }
        difference = (other, found)
      }
      self.groups.append(
        PlannedGroup(
          group: group.group, hasReference: group.reference != nil, stage: number, flows: flows, difference: difference)
      )
    }
    self.stages = Array(stages.values)
  }

  var asksSCTP: Bool {
    stages.flatMap(\.flows).contains { $0.transport == .sctp }
  }

  /// Asks one stage after the other and puts the answers together by group. Stages with the same fabric follow each
  /// other.
  func run(
    on lab: inout ReusableLab, strict: Bool, _ progress: (_ stage: Int, _ of: Int) -> Void
  ) throws -> [GroupResult] {
    var answers: [Int: [Flow: Answer]] = [:]
    let order = order
    for (position, number) in order.enumerated() {
      progress(position + 1, order.count)
      answers[number] = try ask(stages[number], on: &lab)
    }
    return groups.map { planned in
      let given = answers[planned.stage] ?? [:]
      let flows = planned.flows.map { expected, pairs in
        FlowResult(
          expected: expected,
          pairs: pairs.compactMap { pair in
            guard case .flow(let flow) = pair.asking else { return PairResult(pair, nil, expected) }
            guard let answer = given[flow], answer.comparison.finding == .notChosen else {
              return PairResult(pair, given[flow], expected)
            }
            // Only an endpoint that the document names is a question.
            guard let endpoint = expected.endpoint else { return nil }
            let why = "\(pair.to) sends nothing of \(pair.from) to \(endpoint)"
            return PairResult(AskedPair(from: pair.from, to: pair.to, asking: .impossible(why)), nil, expected)
          })
      }
      var difference = planned.difference?.found
      if let other = planned.difference?.reference, let changes = difference?.changes {
        difference?.changes = changes.map { change in
          var change = change
          change.answerBefore = answers[other]?[change.flowBefore]
          change.answerAfter = given[change.flow]
          return change
        }
      }
      return GroupResult(
        group: planned.group, flows: flows, difference: difference,
        isDifferenceLeftOut: planned.hasReference && !listsDifferences, strict: strict)
    }
  }

  private func ask(_ stage: Stage, on lab: inout ReusableLab) throws -> [Flow: Answer] {
    try lab.prepare(stage.plan)
    let journeys = stage.flows.map { ($0, stage.plan.enforced.journey(of: $0)) }
    // If the sender has no route, no packet is sent: the lab may have a route that the cluster doesn't have. A
    // multicast group can always be sent to.
    let sent = journeys.filter { flow, journey in
      flow.destinationAddress.isMulticast || !journey.hops.isEmpty || journey.end.noRoute == nil
    }.map(\.0)
    let observations = Dictionary(zip(sent, try lab.observe(sent, patiently: ClusterRun.patience))) { first, _ in first
    }
    return Dictionary(
      journeys.map { flow, journey in
        let comparison = stage.plan.comparer.compare(flow, journey, observations[flow])
        return (flow, Answer(comparison, codes: stage.plan.codes(of: comparison)))
      }
    ) { first, _ in first }
  }

  /// The base cluster comes first, because its lab may be up already.
  private var order: [Int] {
    var rest = stages.indices.filter { !stages[$0].flows.isEmpty }
    var order: [Int] = []
    while let first = rest.first {
      let fitting = rest.filter { $0 == first || stages[$0].plan.hasSameFabric(as: stages[first].plan) }
      order += fitting
      rest.removeAll { fitting.contains($0) }
    }
    return order
  }
}
