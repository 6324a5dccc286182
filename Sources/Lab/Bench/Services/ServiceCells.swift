internal import NetpolModel
internal import Statistics

/// Finds the cells of a bench of Services among all samples, and turns the samples into rows of the report.
///
/// Cells of one world are next to each other, and within it those of one probe. A probe has a cell for each of `rules`,
/// and the last of them again. In the first world there is one more: the last rules in another namespace.
struct ServiceCells {
  let worlds: [ServiceWorld]
  let probes: [ServiceProbe]
  let rules: [String]

  /// The places of rules among `rules`.
  private static let (nothing, natOnly, firstMode) = (0, 1, 2)

  private func size(_ place: Int) -> Int { rules.count + (place == 0 ? 2 : 1) }

  private func cell(_ place: Int, _ column: Int, _ variant: Int) -> Int {
    let before = (0..<place).map { size($0) * probes.count }.reduce(0, +)
    return before + column * size(place) + variant
  }

  func tell(_ samples: PairedSamples, _ report: inout ServiceBenchReport) {
    for (place, world) in worlds.enumerated() {
      for (column, probe) in probes.enumerated() {
        let cell = { self.cell(place, column, $0) }
        let again = tellResolution(samples, place, column, &report)
        var costs: [(name: String, cost: Estimate)] = []
        let last = rules.count - 1
        for (variant, name) in rules.enumerated() {
          let cost = samples.difference(cell(variant), over: cell(Self.nothing))
          report.rows.append(
            .init(
              world: world, probe: probe, rules: name, packet: samples.median(cell(variant)), overNothing: cost,
              overNat: samples.difference(cell(variant), over: cell(Self.natOnly)),
              timesNftables: variant >= Self.firstMode && variant != last
                ? samples.ratio(cell(variant), over: cell(Self.nothing), to: cell(last), over: cell(Self.nothing))
                : nil))
          if variant >= Self.firstMode { costs.append((name, cost)) }
        }
        if let standing = Standing(costs, resolution: abs(again.value)) {
          report.verdicts.append(.init(world: world, probe: probe, standing: standing))
        }
      }
    }
    tellGrowth(samples, &report)
  }

  /// Returns the difference of the last rules from themselves.
  private func tellResolution(
    _ samples: PairedSamples, _ place: Int, _ column: Int, _ report: inout ServiceBenchReport
  ) -> Estimate {
    let own = cell(place, column, rules.count - 1)
    let base = samples.median(cell(place, column, Self.nothing)).value
    let what = "\(probes[column].name), \(worlds[place].servicesText)"
    let pairs: [PacketBenchReport.Resolution.Pair] = place == 0 ? [.sameNamespace, .otherNamespace] : [.sameNamespace]
    let differences = pairs.enumerated().map { number, pair in
      let difference = samples.difference(cell(place, column, rules.count + number), over: own)
      report.resolutions.append(
        .init(
          batch: 0, pair, BenchProbe(.first, .spread), what: what, rules.last ?? "", difference, base: base))
      return difference
    }
    return differences.first ?? Estimate(0, 0, 0)
  }

  private func tellGrowth(_ samples: PairedSamples, _ report: inout ServiceBenchReport) {
    for (column, probe) in probes.enumerated() {
      for variant in rules.indices.dropFirst(Self.firstMode) {
        for from in worlds.indices {
          for to in worlds.indices.dropFirst(from + 1) {
            let times = samples.ratio(
              cell(to, column, variant), over: cell(to, column, Self.nothing), to: cell(from, column, variant),
              over: cell(from, column, Self.nothing))
            guard let times else { continue }
            report.growths.append(
              .init(rules: rules[variant], probe: probe, from: worlds[from], to: worlds[to], times: times))
          }
        }
      }
    }
  }
}
