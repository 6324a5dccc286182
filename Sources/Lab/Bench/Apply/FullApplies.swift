internal import Kernel
internal import Lowering
internal import RuleIR
internal import Statistics

/// Rounds that load once in each way. The order is reversed every round, so that other load on the machine affects all
/// ways alike.
struct FullApplies {
  private let ways: [(way: LoadingWay, objects: ApplyBenchReport.RuleCount)]
  private var results: [[Stopwatch.Result]]

  init(_ world: ApplyWorld, _ styles: [EnforcementStyle], on worker: NamespaceWorker) throws {
    ways = try styles.flatMap { style in
      let ruleset = style.lower(world.view).ruleset
      let objects = ApplyBenchReport.RuleCount(ruleset)
      return try LoadingWay.all(style, ruleset, on: worker).map { ($0, objects) }
    }
    results = ways.map { _ in [] }
  }

  /// The first round is not counted, because a new namespace has to make its tables.
  mutating func run(rounds: Int, _ progress: (Int) -> Void) throws {
    for round in 0...rounds {
      progress(round)
      for index in round.isMultiple(of: 2) ? Array(ways.indices) : ways.indices.reversed() {
        let result = try ways[index].way.run()
        if round > 0 { results[index].append(result) }
      }
    }
  }

  var rows: [ApplyBenchReport.Apply] {
    ways.indices.map { index in
      let (way, objects) = ways[index]
      let first = ways.firstIndex { $0.way.style == way.style } ?? index
      let times = results[index].map(\.time)
      let parts = (results[index].first?.laps ?? []).indices.map { lap in
        (results[index][0].laps[lap].name, Distribution(results[index].map { $0.laps[lap].time }))
      }
      return ApplyBenchReport.Apply(
        style: way.style, way: way.name, times: Distribution(times), parts: parts,
        ratio: first == index ? nil : Self.ratio(times, to: results[first].map(\.time)), objects: objects)
    }
  }

  /// Ratios of values of the same rounds.
  static func ratio(_ times: [Double], to others: [Double]) -> Distribution {
    Distribution(zip(times, others).filter { $1 > 0 }.map { $0 / $1 })
  }
}

extension ApplyBenchReport.RuleCount {
  init(_ ruleset: Ruleset) {
    let chains = ruleset.tables.flatMap(\.chains)
    rules = chains.reduce(0) { $0 + $1.rules.count }
    self.chains = chains.count
    sets = ruleset.sets.count + ruleset.keyedSets.count
    elements = ruleset.sets.reduce(0) { $0 + $1.members.count } + ruleset.keyedSets.reduce(0) { $0 + $1.elements.count }
  }
}
