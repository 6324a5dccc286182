internal import NetpolModel
internal import Statistics
internal import Text

/// Where the cells of a batch lie among all samples, and what they say.
struct CellTable {
  private let points: [PacketSweep.Point]
  private let counts: [Int]
  private let starts: [Int]

  /// `counts` are the points' numbers of variants. A point's cells lie together, and in it those of a probe: what is
  /// compared is measured within milliseconds. The first point has two variants more at its end, the reference's twin and
  /// the reference once more.
  init(_ points: [PacketSweep.Point], counts: [Int]) {
    self.points = points
    self.counts = counts
    var next = 0
    starts = zip(points, counts).map { point, count in
      defer { next += count * point.probes.count }
      return next
    }
  }

  /// By point, probe, variant.
  private func cell(_ place: Int, _ variant: Int, _ column: Int) -> Int {
    starts[place] + column * counts[place] + variant
  }

  /// `names` are those of the variants: no rules, conntrack only, the styles; the last is the reference.
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

  /// What two equal things may differ by, in nanoseconds: of the same probe where it was measured.
  private func resolution(of probe: BenchProbe, _ batch: Int, _ report: PacketBenchReport) -> Double {
    let all = report.resolutions.filter { $0.batch == batch }
    let same = all.filter { $0.probe == probe }
    return (same.isEmpty ? all : same).map { abs($0.difference.value) }.max() ?? 0
  }

  /// From each number of pods to the next larger one, in worlds that are alike but for that and for their policies, of
  /// which there are as many.
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

  /// All but its numbers of pods and policies.
  public var peersText: String {
    "\(counted(peers, peerKind == .pods ? "peer" : "block")) each\(family == .v6 ? ", IPv6" : "")"
  }
}
