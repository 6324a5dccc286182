internal import Apply
internal import Kernel
internal import Lowering
internal import NetpolModel
internal import StandingLab
internal import Statistics

/// Measures what a packet costs on its way through a node's rules: every style in every world of a sweep, side by side.
public struct PacketBench: Sendable {
  public let sweep: PacketSweep

  public init(_ sweep: PacketSweep) { self.sweep = sweep }

  /// One set of rules of a point.
  private struct Variant {
    let rules: BenchRules
    let path: PacketPath
    let cells: [PacketCell]
  }

  /// If `stop` returns true, the report covers what was measured until then.
  ///
  /// Throws `LabFailure` if this machine can't run the lab or packets don't do what the policies say, and `Interrupted`
  /// if it is stopped too early.
  public func run(
    version: String, progress: (BenchProgress) -> Void = { _ in }, stop: () -> Bool = { false }
  ) throws -> PacketBenchReport {
    try withWorker(version: version) { environment, worker in
      try environment.requireAllPrograms()
      let begin = ContinuousClock.now
      let (plan, batches) = (SweepPlan(sweep), sweep.batches)
      var report = PacketBenchReport(
        environment: environment, machine: machineText(), rounds: sweep.rounds, batches: batches.count,
        clock: .processor, isRealTime: true, reference: sweep.styles.last?.name)
      var finished: [Duration] = []
      for (number, batch) in batches.enumerated() {
        let begin = ContinuousClock.now
        func tell(_ step: BenchProgress) {
          var step = step
          (step.batch, step.batches) = (number + 1, batches.count)
          let rest = plan.left(behind: finished)
          // As planned, until finished rounds give a better estimate.
          let own = step.left ?? max(.zero, plan.batches[number] - (ContinuousClock.now - begin))
          step.left = own + rest
          progress(step)
        }
        do { try measure(batch, number, &report, worker, tell, stop) } catch  where stop() {
          // Ctrl-C also ends a program that is loading rules.
          if report.rows.isEmpty { throw Interrupted() }
        }
        if stop() { break }
        finished.append(ContinuousClock.now - begin)
      }
      report.duration = ContinuousClock.now - begin
      return report
    }
  }

  private var allRules: [BenchRules] { [.none, .conntrackOnly] + sweep.styles.map { .style($0) } }

  private func measure(
    _ points: [PacketSweep.Point], _ batch: Int, _ report: inout PacketBenchReport, _ worker: NamespaceWorker,
    _ progress: (BenchProgress) -> Void, _ stop: () -> Bool
  ) throws {
    // The second pair: the last style's rules of the first world again, in another namespace.
    let rules = points.indices.map { allRules + ($0 == 0 ? allRules.suffix(1) : []) }
    let paths = try zip(points, rules).map { point, rules in
      try rules.map { _ in try PacketPath(point.world.addresses, worker: worker) }
    }
    for path in paths.joined() { try path.waitForLinks() }
    var built = 0
    var variants = try points.indices.map { index in
      let cluster = points[index].world.cluster
      return try zip(rules[index], paths[index]).map { rules, path in
        if stop() { throw Interrupted() }
        built += 1
        progress(BenchProgress(.building(built, of: paths.joined().count)))
        return try variant(points[index], cluster, rules, path, worker)
      }
    }
    progress(BenchProgress(.checking))
    for (point, row) in zip(points, variants) {
      for variant in row {
        if stop() { throw Interrupted() }
        for (probe, cell) in zip(point.probes, variant.cells) {
          try cell.establish()
          try cell.check("\(variant.rules.name), \(point.world.text), \(probe.name)")
        }
      }
    }
    // The first pair: a variant that is measured already is measured again.
    variants[0].append(variants[0][allRules.count - 1])
    let table = CellTable(points, counts: variants.map(\.count))
    let groups = zip(points, variants).flatMap { point, row in
      point.probes.indices.map { column in row.map { $0.cells[column] } }
    }
    let run = try InterleavedRun(worker: worker, rounds: sweep.rounds).run(groups, progress: progress, stop: stop)
    report.measuredRounds.append(run.samples.rounds)
    report.clock = run.clock
    report.isRealTime = report.isRealTime && run.isRealTime
    table.tell(run.samples, names: allRules.map(\.name), batch: batch, &report)
  }

  private func variant(
    _ point: PacketSweep.Point, _ cluster: Cluster, _ rules: BenchRules, _ path: PacketPath, _ worker: NamespaceWorker
  ) throws -> Variant {
    let world = point.world
    let ruleset = cluster.node(BenchWorld.node).flatMap { rules.ruleset($0, in: cluster) }
    if let ruleset { try RuleLoader(worker: worker).load(ruleset, in: path.node) }
    let order = dispatchOrder(of: (0..<world.pods).map(world.address), in: ruleset)
    let cells = point.probes.map { probe in
      var isAllowed = probe.isAllowed
      // Without policies nothing is refused.
      if case .style = rules {} else { isAllowed = true }
      return PacketCell(path, probe.phase, world.flows(probe, order: order), isAllowed: isAllowed)
    }
    return Variant(rules: rules, path: path, cells: cells)
  }
}
