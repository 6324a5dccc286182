internal import Algorithms
internal import Bench
internal import Documents
internal import Statistics

extension ServiceBenchReport {
  /// Cost and time by number of Services, with a line for each mode. None if only one number was measured.
  var plots: [Plot] {
    if Set(rows.map(\.world.services)).count < 2 { return [] }
    let costs = rows.map(\.probe).uniqued().map { probe in
      plot(
        "first packet, \(probe.name)", "additional ns per packet compared with no rules",
        rows.filter { $0.probe == probe && $0.rules != Self.noRules }.map { ($0.rules, $0.world, $0.overNothing) },
        name: "first-packet-\(probe.address.rawValue.lowercased())-\(probe.target.rawValue)-services")
    }
    if syncs.isEmpty { return costs }
    return costs + [
      plot(
        "kube-proxy's first sync", "microseconds", syncs.map { ($0.name, $0.world, $0.full.microseconds) },
        name: "sync-all-services"),
      plot(
        "kube-proxy's sync after one endpoint", "microseconds",
        syncs.map { ($0.name, $0.world, $0.change.microseconds) }, name: "sync-one-endpoint-services"),
    ]
  }

  private func plot(
    _ title: String, _ vertical: String, _ points: [(name: String, world: ServiceWorld, value: Estimate)], name: String
  ) -> Plot {
    let plot = LogPlot(
      title: title, horizontal: "Services, each with a ClusterIP and a NodePort", vertical: vertical,
      series: points.map(\.name).uniqued().map { name in
        (name, points.filter { $0.name == name }.map { .init(x: Double($0.world.services), y: $0.value) })
      })
    return .lines(plot, name: name)
  }
}

extension ServiceBenchReport.Sync {
  fileprivate var name: String {
    way.hasPrefix("one transaction") ? "\(rules), netlink" : "\(rules), program"
  }
}

extension Distribution {
  /// The median of nanoseconds with its interval. An end that is not known is the smallest or largest value.
  fileprivate var microseconds: Estimate {
    let ends = interval(0.5)
    let value = median ?? 0
    return Estimate(value, ends.lower ?? values.first ?? value, ends.upper ?? largest ?? value) / 1e3
  }
}
