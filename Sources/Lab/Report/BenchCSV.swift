public import Bench
internal import Kernel
internal import NetpolModel
internal import Statistics
internal import Text

/// Benches as comma-separated values with a heading (RFC 4180): docs/bench-json.md names the columns.
public enum BenchCSV {
  public static func text(_ report: PacketBenchReport) -> String {
    table(
      ["batch", "pods", "policies", "peers", "peer_kind", "family", "probe", "phase", "way", "rules", "packet_ns"]
        + columns("over_nothing", unit: "_ns") + columns("over_conntrack", unit: "_ns") + columns("times_reference"),
      report.rows.map { row in
        let world = row.world
        return ["\(row.batch)", "\(world.pods)", "\(world.policies)", "\(world.peers)", world.peerKind.rawValue]
          + [world.family.rawValue, row.probe.name, row.probe.phase.rawValue, row.probe.way.rawValue, row.rules]
          + [number(row.packet.value)] + numbers(row.overNothing) + numbers(row.overConntrack)
          + numbers(row.timesReference)
      })
  }

  public static func text(_ report: MicroBenchReport) -> String {
    table(
      ["rule", "backend"] + columns("each", unit: "_ns"),
      report.rows.map { [$0.name, $0.backend] + numbers($0.cost) })
  }

  public static func text(_ report: PolicyBenchReport) -> String {
    table(
      ["flows", "family", "phase", "allowed", "rules", "packet_ns"] + columns("over_nothing", unit: "_ns"),
      report.rows.map {
        [$0.flows, $0.family.rawValue, $0.phase.rawValue, "\($0.isAllowed)", $0.rules, number($0.packet.value)]
          + numbers($0.overNothing)
      })
  }

  private static func columns(_ name: String, unit: String = "") -> [String] {
    ["\(name)\(unit)", "\(name)_lower\(unit)", "\(name)_upper\(unit)"]
  }

  private static func table(_ heading: [String], _ rows: [[String]]) -> String { csvText([heading] + rows) }

  private static func number(_ value: Double) -> String { decimals(value, 2) }
  private static func numbers(_ estimate: Estimate?) -> [String] {
    estimate.map { [number($0.value), number($0.lower), number($0.upper)] } ?? ["", "", ""]
  }
}
