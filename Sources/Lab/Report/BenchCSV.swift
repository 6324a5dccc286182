/// Benches as comma-separated values with a heading (RFC 4180). Costs are nanoseconds of a packet.
public enum BenchCSV {
  public static func text(_ report: PacketBenchReport) -> String {
    table(
      [
        "batch", "pods", "policies", "peers", "peer_kind", "probe", "phase", "way", "rules", "packet_ns",
        "over_nothing_ns", "lower", "upper", "over_conntrack_ns", "lower", "upper", "times_reference", "lower", "upper",
      ],
      report.rows.map { row in
        let world = row.world
        return ["\(row.batch)", "\(world.pods)", "\(world.policies)", "\(world.peers)", world.peerKind.rawValue]
          + [row.probe.name, row.probe.phase.rawValue, row.probe.way.rawValue, row.rules, number(row.packet.value)]
          + numbers(row.overNothing) + numbers(row.overConntrack) + numbers(row.timesReference)
      })
  }

  public static func text(_ report: MicroBenchReport) -> String {
    table(
      ["rule", "backend", "each_ns", "lower", "upper"],
      report.rows.map { [$0.name, $0.backend] + numbers($0.cost) })
  }

  public static func text(_ report: PolicyBenchReport) -> String {
    table(
      ["flows", "phase", "allowed", "rules", "packet_ns", "over_nothing_ns", "lower", "upper"],
      report.rows.map {
        [$0.flows, $0.phase.rawValue, "\($0.isAllowed)", $0.rules, number($0.packet.value)] + numbers($0.overNothing)
      })
  }

  private static func table(_ heading: [String], _ rows: [[String]]) -> String { csvText([heading] + rows) }

  private static func number(_ value: Double) -> String { decimals(value, 2) }
  private static func numbers(_ estimate: Estimate?) -> [String] {
    estimate.map { [number($0.value), number($0.lower), number($0.upper)] } ?? ["", "", ""]
  }
}
