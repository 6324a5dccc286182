internal import Apply
internal import Kernel
internal import Lowering
internal import NetpolModel
internal import RuleIR

/// Measures what a packet pays on its way through a node's rules: every style in every world of a sweep, side by side.
public struct PacketBench: Sendable {
  public let sweep: PacketSweep

  public init(_ sweep: PacketSweep) { self.sweep = sweep }

  /// A step of a run, for whoever waits for it.
  public enum Progress: Sendable {
    case building(Int, of: Int)
    case checking
    case measuring(round: Int, of: Int, left: Duration)
  }

  /// A column of a point.
  private struct Variant {
    let rules: BenchRules
    let path: PacketPath
    let cells: [PacketCell]
  }

  /// Throws `LabFailure` where the machine can't do it, or where packets don't fare as the policies say.
  public func run(version: String, progress: (Progress) -> Void = { _ in }) throws -> PacketBenchReport {
    try withLab(version: version) { environment, worker in
      let begin = ContinuousClock.now
      var report = PacketBenchReport(
        environment: environment, machine: machineText(), rounds: sweep.rounds, clock: .processor, isRealTime: true,
        reference: sweep.styles.last?.name)
      for (number, batch) in sweep.batches.enumerated() { try measure(batch, number, &report, worker, progress) }
      report.duration = ContinuousClock.now - begin
      return report
    }
  }

  private var allRules: [BenchRules] { [.none, .conntrackOnly] + sweep.styles.map { .style($0) } }

  private func measure(
    _ points: [PacketSweep.Point], _ batch: Int, _ report: inout PacketBenchReport, _ worker: NamespaceWorker,
    _ progress: (Progress) -> Void
  ) throws {
    var variants: [[Variant]] = []
    let count = points.count * allRules.count + 1
    var paths = try (0..<count).map { _ in
      try PacketPath(
        nodeAddress: BenchWorld.nodeAddress, pods: [BenchWorld.podBlock], clients: [BenchWorld.client], worker: worker)
    }
    for path in paths { try path.waitForLinks() }
    for point in points {
      let cluster = point.world.cluster
      // The second pair: the last style's rules of the first world once more.
      variants.append(
        try (allRules + (variants.isEmpty ? allRules.suffix(1) : [])).map { rules in
          progress(.building(count - paths.count + 1, of: count))
          return try variant(point, cluster, rules, paths.removeLast(), worker)
        })
    }
    progress(.checking)
    for (point, row) in zip(points, variants) {
      for variant in row {
        for (probe, cell) in zip(point.probes, variant.cells) {
          try cell.establish()
          try cell.check("\(variant.rules.name), \(point.world.text), \(probe.name)")
        }
      }
    }
    // The first pair: what is measured already, once more.
    variants[0].append(variants[0][allRules.count - 1])
    let table = CellTable(points, counts: variants.map(\.count))
    let groups = zip(points, variants).flatMap { point, row in
      point.probes.indices.map { column in row.map { $0.cells[column] } }
    }
    let run = try InterleavedRun(worker: worker, rounds: sweep.rounds).run(groups) { done, elapsed in
      progress(.measuring(round: done, of: sweep.rounds, left: elapsed / done * (sweep.rounds - done)))
    }
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
      // Without policies nobody is refused.
      if case .style = rules {} else { isAllowed = true }
      return PacketCell(path, probe.phase, world.flows(probe, order: order), isAllowed: isAllowed)
    }
    return Variant(rules: rules, path: path, cells: cells)
  }
}
