internal import Bench
internal import Documents
internal import Statistics

/// A row of an `ApplyBench` report. All rows have the same shape, for programs.
struct ApplyBenchRow {
  let section: String
  let rules: String
  let what: String
  /// `us`, `MiB` or `ratio`.
  let unit: String
  let values: Distribution

  private init(_ section: String, _ rules: String, _ what: String, _ unit: String, _ values: Distribution) {
    self.section = section
    self.rules = rules
    self.what = what
    self.unit = unit
    let scale = unit == "us" ? 1e3 : unit == "MiB" ? 1_048_576 : 1
    self.values = Distribution(values.values.map { $0 / scale })
  }

  static func all(_ report: ApplyBenchReport) -> [ApplyBenchRow] {
    var rows: [ApplyBenchRow] = []
    for apply in report.applies {
      rows.append(ApplyBenchRow("apply", apply.style, apply.way, "us", apply.times))
      rows += apply.parts.map { ApplyBenchRow("apply", apply.style, "\(apply.way): \($0.name)", "us", $0.times) }
      if let ratio = apply.ratio { rows.append(ApplyBenchRow("apply", apply.style, apply.way, "ratio", ratio)) }
    }
    for update in report.updates {
      rows.append(ApplyBenchRow("element, back to back", update.rules, update.what, "us", update.backToBack))
      rows.append(ApplyBenchRow("element, 2 ms apart", update.rules, update.what, "us", update.spaced))
    }
    for pod in report.newPods {
      for (section, times) in [
        ("new pod, back to back", pod.backToBack), ("new pod, 2 ms apart", pod.spaced),
        ("new pod, making rules", pod.lowering), ("new pod, comparing", pod.comparing),
        ("new pod, replace", pod.replacing),
      ] {
        rows.append(ApplyBenchRow(section, pod.style, pod.what, "us", times))
      }
    }
    rows += report.memory.map { ApplyBenchRow("memory", $0.style, "rules of a node", "MiB", $0.bytes) }
    rows += report.syncs.map {
      ApplyBenchRow("whole sync", $0.style, "\($0.processes) processes", "us", $0.times)
    }
    return rows
  }
}
