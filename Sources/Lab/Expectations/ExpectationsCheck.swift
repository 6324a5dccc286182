internal import Comparison
internal import Kernel
internal import NetpolModel
internal import Path

/// All groups, by the clusters that they need: each distinct one is a stage, in which all is asked that needs it.
struct ExpectationsCheck {
  private struct Stage {
    let plan: PlannedLab
    var inquiries: [Inquiry] = []
    private var known: Set<Inquiry> = []

    init(_ plan: PlannedLab) { self.plan = plan }

    mutating func ask(_ inquiry: Inquiry) {
      if known.insert(inquiry).inserted { inquiries.append(inquiry) }
    }
  }

  private struct PlannedGroup {
    let group: Expectations.Group
    let stage: Int
    let flows: [(expected: ExpectedFlow, pairs: [AskedPair])]
    let difference: (reference: Int, found: Difference)?
  }

  private var stages: [Stage] = []
  private var groups: [PlannedGroup] = []

  /// Works out what is to be asked of which cluster; `plan` lowers one.
  init(
    _ groups: [GroupToCheck], base: PlannedLab, sctpObstacle: String?, plan: (Cluster) throws -> PlannedLab
  ) throws {
    var stages = [Stage(base)]
    var index = [base.cluster: 0]
    func stage(_ cluster: Cluster) throws -> Int {
      if let known = index[cluster] { return known }
      stages.append(Stage(try plan(cluster)))
      index[cluster] = stages.count - 1
      return stages.count - 1
    }
    // All at once, on every core: there may be a matrix for each variant.
    let compared = Set(
      try groups.flatMap { group in
        try group.reference.map { [try stage(group.cluster), try stage($0.cluster)] } ?? []
      }
    ).sorted()
    let matrices = MatrixVerdicts.all(compared.map { ($0, stages[$0].plan) }, sctpObstacle: sctpObstacle)
    for group in groups {
      let number = try stage(group.cluster)
      let flows = group.group.flows.map {
        (expected: $0, pairs: stages[number].plan.pairs($0, sctpObstacle: sctpObstacle))
      }
      for case .inquiry(let inquiry) in flows.flatMap(\.pairs).map(\.asking) { stages[number].ask(inquiry) }
      var difference: (reference: Int, found: Difference)?
      if let reference = group.reference, case let other = try stage(reference.cluster), let old = matrices[other],
        let new = matrices[number]
      {
        let found = Difference(reference: reference.name, of: old, and: new)
        for change in found.changes.prefix(Difference.askedAtMost) {
          stages[other].ask(.flow(change.flowBefore))
          stages[number].ask(.flow(change.flow))
        }
        difference = (other, found)
      }
      self.groups.append(PlannedGroup(group: group.group, stage: number, flows: flows, difference: difference))
    }
    self.stages = stages
  }

  var asksSCTP: Bool {
    stages.flatMap(\.inquiries).contains { if case .flow(let flow) = $0 { flow.transport == .sctp } else { false } }
  }

  /// Asks stage by stage, those of one fabric behind each other, and puts the answers together by group.
  func run(on bench: inout LabBench, strict: Bool) throws -> [GroupResult] {
    var answers: [Int: [Inquiry: Answer]] = [:]
    let order = order
    for (position, number) in order.enumerated() {
      bench.progress(.expecting(stage: position + 1, of: order.count))
      answers[number] = try ask(stages[number], on: &bench)
    }
    return groups.map { planned in
      let given = answers[planned.stage] ?? [:]
      let flows = planned.flows.map { expected, pairs in
        FlowResult(
          expected: expected,
          pairs: pairs.map { pair in
            guard case .inquiry(let inquiry) = pair.asking else { return PairResult(pair, nil, expected) }
            return PairResult(pair, given[inquiry], expected)
          })
      }
      var difference = planned.difference?.found
      if let other = planned.difference?.reference, let changes = difference?.changes {
        difference?.changes = changes.map { change in
          var change = change
          change.answerBefore = answers[other]?[.flow(change.flowBefore)]
          change.answerAfter = given[.flow(change.flow)]
          return change
        }
      }
      return GroupResult(group: planned.group, flows: flows, difference: difference, strict: strict)
    }
  }

  private func ask(_ stage: Stage, on bench: inout LabBench) throws -> [Inquiry: Answer] {
    try bench.prepare(stage.plan)
    let walks = stage.inquiries.map { ($0, stage.plan.enforced.walk($0)) }
    // Without a way from the sender, the lab may have one that the cluster has not. A group can always be sent to.
    let sent = walks.filter { inquiry, walk in
      inquiry.destinationAddress.isMulticast || !walk.walk.positions.isEmpty || walk.walk.end.noRoute == nil
    }.map(\.0)
    let observations = Dictionary(
      zip(sent, try bench.observe(sent)).map { ($0, $1) }
    ) { first, _ in first }
    return Dictionary(
      walks.map { ($0, Answer($0, $1, observations[$0], stage.plan)) }
    ) { first, _ in first }
  }

  /// The base first, whose lab may be up already.
  private var order: [Int] {
    var rest = stages.indices.filter { !stages[$0].inquiries.isEmpty }
    var order: [Int] = []
    while let first = rest.first {
      let fitting = rest.filter { $0 == first || stages[$0].plan.hasSameFabric(as: stages[first].plan) }
      order += fitting
      rest.removeAll { fitting.contains($0) }
    }
    return order
  }
}
