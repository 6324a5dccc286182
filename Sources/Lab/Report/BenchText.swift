public import Bench
internal import NetpolModel
internal import StandingLab
internal import Statistics
internal import Text

/// A packet bench for a person.
public struct BenchText {
  private let report: PacketBenchReport
  private let width: Int

  /// `width` is the terminal's, in characters.
  public init(_ report: PacketBenchReport, width: Int = 100) {
    self.report = report
    self.width = max(width, 60)
  }

  public var text: String {
    let parts = [heading] + probes.map(lines) + [growths, resolution, noise, interruption]
    return parts.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
  }

  private var heading: [String] {
    packetHeading(
      report.environment, "\(report.machine). \(report.rounds) rounds in \(timeText(report.duration))", report.clock,
      isRealTime: report.isRealTime, width)
  }

  /// In the order in which they come.
  private var probes: [BenchProbe] {
    var seen: Set<BenchProbe> = []
    return report.rows.map(\.probe).filter { seen.insert($0).inserted }
  }

  private func lines(_ probe: BenchProbe) -> [String] {
    var lines = ["\(probe.name):"]
    let rows = report.rows.filter { $0.probe == probe }
    var worlds: [(batch: Int, world: BenchWorld)] = []
    for row in rows where worlds.last?.batch != row.batch || worlds.last?.world != row.world {
      worlds.append((row.batch, row.world))
    }
    for (batch, world) in worlds {
      let own = rows.filter { $0.batch == batch && $0.world == world }
      lines.append("  \(world.text)")
      lines += columns([["    rules", "ns", "95 %", "over conntrack", "times"]] + own.map(cells))
      let verdict = report.verdicts.first { $0.batch == batch && $0.world == world && $0.probe == probe }
      if let verdict { lines += wrapped(verdict.standing.text, width: width, first: "    ", indent: 4) }
    }
    return lines
  }

  private func cells(_ row: PacketBenchReport.Row) -> [String] {
    if row.rules == BenchRules.none.name {
      return ["    \(row.rules) (the packet itself)", whole(row.packet.value), row.packet.interval, "", ""]
    }
    let isStyle = row.rules != BenchRules.conntrackOnly.name
    return [
      "    \(row.rules)", whole(row.overNothing.value), row.overNothing.interval,
      isStyle ? "\(whole(row.overConntrack.value)) \(row.overConntrack.interval)" : "",
      row.timesReference.map { "\(threeDigits($0.value)) [\(threeDigits($0.lower)), \(threeDigits($0.upper))]" } ?? "",
    ]
  }

  private var growths: [String] {
    if report.growths.isEmpty { return [] }
    var lines = ["How the cost over no rules grows with pods and their policies:"]
    lines += columns(
      [["    rules and packets", "pods", "times", "95 %"]]
        + report.growths.map { growth in
          [
            "    \(growth.rules), \(growth.probe.name), \(growth.from.peersText)",
            "\(growth.from.pods) -> \(growth.to.pods)",
            decimals(growth.times.value, 2), "[\(decimals(growth.times.lower, 2)), \(decimals(growth.times.upper, 2))]",
          ]
        })
    return lines
  }

  private var resolution: [String] { resolutionLines(report.resolutions) }
  private var noise: [String] { noiseLines(report.noise, width) }
  private var interruption: [String] { interruptionLines(report.interruption, width) }
}

/// `run` tells the machine and how long it took.
func packetHeading(
  _ environment: LabEnvironment, _ run: String, _ clock: BenchClock, isRealTime: Bool, _ width: Int
) -> [String] {
  wrapped(environment.text, width: width, indent: 2)
    + wrapped(
      "\(run), \(clock.explanation), \(isRealTime ? "SCHED_FIFO" : "ordinary scheduling").", width: width, indent: 2)
    + wrapped(
      "Nanoseconds that a packet costs more than without rules; 95 % intervals in brackets.", width: width, indent: 2)
}

func resolutionLines(_ resolutions: [PacketBenchReport.Resolution]) -> [String] {
  if resolutions.isEmpty { return [] }
  return ["Resolution: the same measured twice, in ns and in shares of a packet without rules:"]
    + columns(
      resolutions.map { pair in
        [
          "    \(pair.pair.rawValue), \(pair.what)", decimals(pair.difference.value, 1), pair.difference.interval,
          "\(decimals(pair.share * 100, 2)) %",
        ]
      })
}

func noiseLines(_ noise: String?, _ width: Int) -> [String] {
  noise.map { wrapped("Too noisy: \($0). Try again on a quieter machine, or with more rounds.", width: width) } ?? []
}

func interruptionLines(_ interruption: String?, _ width: Int) -> [String] {
  interruption.map { wrapped("Interrupted: this is of \($0).", width: width) } ?? []
}

func whole(_ value: Double) -> String { "\(Int(value.rounded()))" }

extension Estimate {
  /// Whole numbers where it is of tens, tenths below.
  var interval: String {
    let isLarge = abs(upper) >= 10 || abs(lower) >= 10
    return isLarge ? "[\(whole(lower)), \(whole(upper))]" : "[\(decimals(lower, 1)), \(decimals(upper, 1))]"
  }
}

extension Standing {
  var text: String {
    switch self {
    case .cheapest(let name): "cheapest: \(name)"
    case .undecided(let names): "no winner: \(names.joined(separator: ", ")) can't be told apart"
    }
  }
}

extension BenchClock {
  var explanation: String {
    switch self {
    case .processor: "the sending thread's own time"
    case .wall: "time on the wall, since this kernel counts softirqs apart"
    }
  }
}
