/// Where the cells of a batch lie among all samples, and what they say.
struct CellTable {
  private let points: [PacketSweep.Point]
  /// By point, variant, probe.
  private let cells: [[[Int]]]
  /// The reference's cells of the first point, measured once more.
  private let twice: [Int]

  /// `counts` are the cells of each point's variants. The first point has one variant more: the reference's twin.
  init(_ points: [PacketSweep.Point], _ counts: [[Int]]) {
    self.points = points
    var next = 0
    cells = counts.map { variants in
      variants.map { count in
        defer { next += count }
        return Array(next..<next + count)
      }
    }
    twice = points.first.map { Array(next..<next + $0.probes.count) } ?? []
  }

  /// `names` are those of the variants: no rules, conntrack only, the styles; the last is the reference.
  func tell(_ samples: PairedSamples, names: [String], batch: Int, _ report: inout PacketBenchReport) {
    let reference = names.count - 1
    tellResolution(samples, names[reference], reference, batch, &report)
    for (place, point) in points.enumerated() {
      for (column, probe) in point.probes.enumerated() {
        let cell = { (variant: Int) in cells[place][variant][column] }
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
      let own = cells[0][reference][column]
      let base = samples.median(cells[0][0][column]).value
      report.resolutions.append(
        .init(batch: batch, .sameNamespace, probe, name, samples.difference(twice[column], over: own), base: base))
      report.resolutions.append(
        .init(
          batch: batch, .otherNamespace, probe, name,
          samples.difference(cells[0][reference + 1][column], over: own), base: base))
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
              cells[to][variant][other], over: cells[to][0][other], to: cells[from][variant][column],
              over: cells[from][0][column])
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
    pods != other.pods && peers == other.peers && peerKind == other.peerKind
  }

  public var text: String {
    "\(counted(pods, "pod")), \(counted(policies, "policy", "policies")), "
      + "\(counted(peers, peerKind == .pods ? "peer" : "block")) each"
  }
}
