public import Bench
internal import NetpolModel
internal import StandingLab
internal import Statistics
internal import Text

/// A report of `ApplyBench` for a reader.
public struct ApplyBenchText {
  private let report: ApplyBenchReport
  private let width: Int

  public init(_ report: ApplyBenchReport, width: Int = 120) {
    self.report = report
    self.width = width
  }

  public var text: String {
    let options = report.options
    let world =
      "\(counted(options.policies, "policy", "policies")) of 20 peers each, \(counted(options.pods, "pod")) on the node"
    let parts = [
      [report.environment.text, world], applies, updates, newPods, memory, syncs,
      ["Measured in \(timeText(report.duration))."],
    ]
    return parts.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n")
  }

  private var applies: [String] {
    let rows = report.applies.flatMap { apply -> [[String]] in
      let objects = apply.objects
      let size = "\(objects.rules) rules, \(objects.sets) sets, \(objects.elements) elements"
      let whole = [
        "\(apply.style): \(apply.way)", timeText(apply.times.median), spread(apply.times),
        apply.ratio.map(ratioText) ?? size,
      ]
      return [whole]
        + apply.parts.map { ["  \($0.name)", timeText($0.times.median), spread($0.times), ""] }
    }
    return [
      "All rules into an empty namespace: median, smallest to largest of \(counted(report.options.rounds, "round"))"
    ]
      + wrapped(
        "(the ratio is that of the same round, with the 95 % interval of its median)", width: width, first: "  ",
        indent: 2)
      + columns([["", "median", "range", "size, or ratio to the first way"]] + rows).map { "  " + $0 }
  }

  private var updates: [String] {
    let rows = report.updates.map {
      ["\($0.rules): \($0.what)"] + quantiles($0.backToBack) + quantiles($0.spaced)
    }
    return [
      "One element, open socket, \(report.options.updates) times: p50 and p99"
        + (report.isRealTime ? "" : " (an ordinary process: others interrupt it)")
    ] + columns([["", "back to back", "", "2 ms apart", ""]] + rows).map { "  " + $0 }
  }

  private var newPods: [String] {
    let rows = report.newPods.map {
      ["\($0.style): \($0.what)"] + quantiles($0.backToBack) + quantiles($0.spaced)
        + [timeText($0.lowering.median), timeText($0.comparing.median), timeText($0.replacing.median)]
    }
    let head = ["", "back to back", "", "2 ms apart", "", "making rules", "comparing", "replace"]
    return ["A new pod, one transaction: p50 and p99; what comes before: median"]
      + columns([head] + rows).map { "  " + $0 }
  }

  private var memory: [String] {
    guard let first = report.memory.first else { return [] }
    let rows = report.memory.map { memory in
      [
        memory.style, mebibytes(memory.bytes.median),
        "\(mebibytes(memory.bytes.values.first)) to \(mebibytes(memory.bytes.largest))",
        memory.ratio(to: first).map(threeDigits) ?? "-",
      ]
    }
    return [
      "Memory of the kernel for the rules, MiB: median and range of \(first.bytes.count), \(report.options.copies) copies at once"
    ]
      + columns([["", "median", "range", "to \(first.style)"]] + rows).map { "  " + $0 }
  }

  private var syncs: [String] {
    if report.syncs.isEmpty { return [] }
    let rows = report.syncs.map {
      [$0.style, timeText($0.times.median), spread($0.times), "\($0.processes)"]
    }
    return ["A whole sync as kube-router does it, on an empty node"]
      + columns([["", "median", "range", "processes"]] + rows).map { "  " + $0 }
  }

  private func spread(_ times: Distribution) -> String {
    "\(timeText(times.values.first)) to \(timeText(times.largest))"
  }

  private func quantiles(_ times: Distribution) -> [String] {
    [timeText(times.median), timeText(times.quantile(0.99))]
  }

  private func ratioText(_ ratio: Distribution) -> String {
    let interval = ratio.interval(0.5)
    let ends = [interval.lower, interval.upper].map { $0.map { decimals($0, 3) } ?? "?" }
    return "\(ratio.median.map { decimals($0, 3) } ?? "-") (\(ends.joined(separator: " to ")))"
  }

  private func mebibytes(_ bytes: Double?) -> String { bytes.map { threeDigits($0 / 1_048_576) } ?? "-" }
}
