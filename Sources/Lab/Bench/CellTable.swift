internal import NetpolModel
internal import Statistics
internal import Text

/// Finds the cells of a batch among all samples, and turns the samples into rows of the report.
struct CellTable {
  private let points: [PacketSweep.Point]
  private let counts: [Int]
  private let starts: [Int]

  /// `counts` has the number of variants of each point. Cells of one point are next to each other, and within it those
  /// of one probe, so that cells that are compared are measured within milliseconds. The first point has two more
  /// variants at its end: the reference's rules in another namespace, and the reference itself again.
  init(_ points: [PacketSweep.Point], counts: [Int]) {
    self.points = points
    self.counts = counts
    var next = 0
    starts = zip(points, counts).map { point, count in
      defer { next += count * point.probes.count }
      return next
    }
  }

  /// The index of a cell, by point, probe and variant.
  private func cell(_ place: Int, _ variant: Int, _ column: Int) -> Int {
    starts[place] + column * counts[place] + variant
  }

  /// `names` are those of the variants: no rules, conntrack only, then the styles. The last one is the reference.
  func tell(_ samples: PairedSamples, names: [String], batch: Int, _ report: inout PacketBenchReport) {
    let reference = names.count - 1
    tellResolution(samples, names[reference], reference, batch, &report)
    for (place, point) in points.enumerated() {
      for (column, probe) in point.probes.enumerated() {
        let cell = { (variant: Int) in self.cell(place, variant, column) }
        var costs: [(name: String, cost: Estimate)] = []
        for (variant, name) in names.enumerated() {
          let cost = samples.difference(cell(variant), over: cell(0))
          report.rows.append(
            PacketBenchReport.Row(
              batch: batch, world: point.world, probe: probe, rules: name, packet: samples.median(cell(variant)),
              overNothing: cost, overConntrack: samples.difference(cell(variant), over: cell(1)),
              timesReference: variant > 1 && variant != reference
                ? samples.ratio(cell(variant), over: cell(0), to: cell(reference), over: cell(0)) : nil))
          if variant > 1 { costs.append((name, cost)) }
        }
        let resolution = resolution(of: probe, batch, report)
        if let standing = Standing(costs, resolution: resolution) {
          report.verdicts.append(.init(batch: batch, world: point.world, probe: probe, standing: standing))
        }
      }
    }
    tellGrowth(samples, names, &report)
  }

  private func tellResolution(
    _ samples: PairedSamples, _ name: String, _ reference: Int, _ batch: Int, _ report: inout PacketBenchReport
  ) {
    for (column, probe) in (points.first?.probes ?? []).enumerated() {
      let own = cell(0, reference, column)
      let base = samples.median(cell(0, 0, column)).value
      report.resolutions.append(
        .init(
          batch: batch, .sameNamespace, probe, name, samples.difference(cell(0, reference + 2, column), over: own),
          base: base))
      report.resolutions.append(
        .init(
          batch: batch, .otherNamespace, probe, name,
          samples.difference(cell(0, reference + 1, column), over: own), base: base))
    }
  }

  /// The largest difference between two equal variants, in nanoseconds: for the same probe if it was measured,
  /// otherwise for any probe.
  private func resolution(of probe: BenchProbe, _ batch: Int, _ report: PacketBenchReport) -> Double {
    let all = report.resolutions.filter { $0.batch == batch }
    let same = all.filter { $0.probe == probe }
    return (same.isEmpty ? all : same).map { abs($0.difference.value) }.max() ?? 0
  }

  /// Growth from each number of pods to each larger one, between worlds that are otherwise alike. These worlds have as
  /// many policies as pods.
  private func tellGrowth(_ samples: PairedSamples, _ names: [String], _ report: inout PacketBenchReport) {
    let ordered = points.indices.filter { points[$0].world.isSquare }.sorted {
      points[$0].world.pods < points[$1].world.pods
    }
    for (index, from) in ordered.enumerated() {
      for to in ordered.dropFirst(index + 1) where points[from].world.isAlike(points[to].world) {
        for (column, probe) in points[from].probes.enumerated() {
          guard let other = points[to].probes.firstIndex(of: probe) else { continue }
          for variant in 1..<names.count {
            let times = samples.ratio(
              cell(to, variant, other), over: cell(to, 0, other), to: cell(from, variant, column),
              over: cell(from, 0, column))
            guard let times else { continue }
            report.growths.append(
              .init(rules: names[variant], probe: probe, from: points[from].world, to: points[to].world, times: times))
          }
        }
      }
    }
  }
}

extension BenchWorld {
  fileprivate var isSquare: Bool { pods == policies }
  fileprivate func isAlike(_ other: BenchWorld) -> Bool {
    pods != other.pods && peers == other.peers && peerKind == other.peerKind && family == other.family
  }

  public var text: String {
    "\(counted(pods, "pod")), \(counted(policies, "policy", "policies")), \(peersText)"
  }

  /// All parameters but the numbers of pods and policies.
  public var peersText: String {
    "\(counted(peers, peerKind == .pods ? "peer" : "block")) each\(family == .v6 ? ", IPv6" : "")"
  }
}
