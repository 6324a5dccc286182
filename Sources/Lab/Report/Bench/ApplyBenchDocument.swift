public import Bench
public import Documents
internal import StandingLab
internal import Statistics
internal import Text

extension ApplyBenchReport {
  /// The cost of applying rules: `netpol-lab/bench-apply/v1`, documented in docs/bench-json.md.
  public var document: Document {
    Document(
      schema: "netpol-lab/bench-apply/v1",
      facts: [
        Fact("environment", EnvironmentObject(environment)), Fact("policies", options.policies),
        Fact("pods", options.pods), Fact("rounds", options.rounds), Fact("realTime", isRealTime),
        Fact("objects", applies.filter { $0.ratio == nil }.map(ObjectsObject.init)),
        Fact("seconds", duration / .seconds(1)),
      ],
      rows: table, sections: ApplyBenchSections(self).all)
  }

  private var table: Table {
    Table(
      ["section", "rules", "what", "unit", "count", "min", "p50", "p99", "max"].map { Table.Column($0) }
        + [Table.Column(key: "p50Interval", csv: ["p50 from", "p50 to"])], csvDigits: 4,
      ApplyBenchRow.all(self).map { row -> [Table.Cell] in
        let interval = row.values.interval(0.5)
        return [
          .text(row.section), .text(row.rules), .text(row.what), .text(row.unit), .count(row.values.count),
          .number(row.values.values.first), .number(row.values.median), .number(row.values.quantile(0.99)),
          .number(row.values.largest), .ends(interval.lower, interval.upper),
        ]
      })
  }
}

/// The number of objects in a style's rules.
private struct ObjectsObject: Encodable {
  let style: String
  let rules, chains, sets, elements: Int
  init(_ apply: ApplyBenchReport.Apply) {
    style = apply.style
    (rules, chains) = (apply.objects.rules, apply.objects.chains)
    (sets, elements) = (apply.objects.sets, apply.objects.elements)
  }
}

/// The cost of applying rules, as text.
private struct ApplyBenchSections {
  private let report: ApplyBenchReport

  init(_ report: ApplyBenchReport) { self.report = report }

  var all: [Section] {
    [
      heading, applies, updates, newPods, memory, syncs,
      Section([.paragraph("Measured in \(timeText(report.duration)).")]),
    ]
  }

  private var heading: Section {
    let options = report.options
    return Section([
      .paragraph(report.environment.text, indent: 2),
      .paragraph(
        "\(counted(options.policies, "policy", "policies")) with 20 peers each, "
          + "\(counted(options.pods, "pod")) on the node",
        indent: 2),
    ])
  }

  private func times(_ titles: String...) -> [Table.Column] {
    titles.map { Table.Column(title: $0, form: .time) }
  }

  private var applies: Section {
    let rows = report.applies.flatMap { apply -> [[Table.Cell]] in
      let objects = apply.objects
      let size = [(objects.rules, "rule"), (objects.sets, "set"), (objects.elements, "element")]
      let whole: [Table.Cell] = [
        .text("\(apply.style): \(apply.way)"), .number(apply.times.median), range(apply.times),
        .text(apply.ratio.map(ratioText) ?? size.map { counted($0, $1) }.joined(separator: ", ")),
      ]
      return [whole]
        + apply.parts.map { [.text("  \($0.name)"), .number($0.times.median), range($0.times), .text("")] }
    }
    let columns = times("", "median", "range") + [Table.Column(title: "size, or ratio to the first method")]
    return Section([
      .heading(
        "Loading all rules into an empty namespace: median, and smallest to largest of "
          + counted(report.options.rounds, "round")),
      .paragraph(
        "(ratio: median of the ratios within one round, with its 95 % interval)", first: "  ", indent: 2),
      .table(Table(columns, indent: 2, rows)),
    ])
  }

  private var updates: Section {
    let rows = report.updates.map {
      [.text("\($0.rules): \($0.what)")] + quantiles($0.backToBack) + quantiles($0.spaced)
    }
    return Section([
      .heading(
        "One element over an open socket, \(report.options.updates) times: p50 and p99"
          + (report.isRealTime ? "" : " (ordinary scheduling: other processes interrupt it)")),
      .table(Table(times("", "back to back", "", "2 ms apart", ""), indent: 2, rows)),
    ])
  }

  private var newPods: Section {
    let rows = report.newPods.map {
      [.text("\($0.style): \($0.what)")] + quantiles($0.backToBack) + quantiles($0.spaced)
        + [.number($0.lowering.median), .number($0.comparing.median), .number($0.replacing.median)]
    }
    let columns = times("", "back to back", "", "2 ms apart", "", "making rules", "comparing", "replace")
    return Section([
      .heading("A new pod, in one transaction: p50 and p99; preparation: median"),
      .table(Table(columns, indent: 2, rows)),
    ])
  }

  private var memory: Section {
    guard let first = report.memory.first else { return Section([]) }
    let rows = report.memory.map { memory -> [Table.Cell] in
      [
        .text(memory.style), .number(memory.bytes.median), range(memory.bytes), .number(memory.ratio(to: first)),
      ]
    }
    let columns = [
      Table.Column(), Table.Column(title: "median", form: .mebibytes), Table.Column(title: "range", form: .mebibytes),
      Table.Column(title: "to \(first.style)", form: .threeDigits),
    ]
    return Section([
      .heading(
        "Kernel memory for the rules, MiB: median and range of \(counted(first.bytes.count, "run")) with "
          + "\(counted(report.options.copies, "copy", "copies")) each"
      ),
      .table(Table(columns, indent: 2, rows)),
    ])
  }

  private var syncs: Section {
    if report.syncs.isEmpty { return Section([]) }
    let rows = report.syncs.map { sync -> [Table.Cell] in
      [.text(sync.style), .number(sync.times.median), range(sync.times), .count(sync.processes)]
    }
    return Section([
      .heading("A whole sync as kube-router does it, on an empty node"),
      .table(Table(times("", "median", "range", "processes"), indent: 2, rows)),
    ])
  }

  private func range(_ values: Distribution) -> Table.Cell { .ends(values.values.first, values.largest) }

  private func quantiles(_ times: Distribution) -> [Table.Cell] {
    [.number(times.median), .number(times.quantile(0.99))]
  }

  private func ratioText(_ ratio: Distribution) -> String {
    let interval = ratio.interval(0.5)
    let ends = [interval.lower, interval.upper].map { $0.map { decimals($0, 3) } ?? "?" }
    return "\(ratio.median.map { decimals($0, 3) } ?? "-") (\(ends.joined(separator: " to ")))"
  }
}
