internal import Algorithms
public import Bench
public import Documents
internal import NetpolModel
internal import Statistics
internal import Text

extension PolicyBenchReport {
  /// The cost of packets of a user's own flows: `netpol-lab/bench/v1`, documented in docs/bench-json.md.
  public var document: Document {
    let facts = packetFacts(
      "policies", environment, machine, rounds: rounds, clock, isRealTime: isRealTime, noise: noise,
      interruption: interruption, duration)
    return Document(
      schema: benchSchema,
      facts: facts + [
        Fact("origin", OriginObject(origin)),
        Fact(
          "sent",
          sent.map {
            SentFlowObject(flow: $0.flow, family: $0.family.rawValue, way: $0.way.rawValue, isAllowed: $0.isAllowed)
          }),
        Fact("winners", verdicts.map { WinnerObject(what: "\($0.flows), \($0.phase.name)", batch: 0, $0.standing) }),
        Fact("resolution", resolutions.map(MeasuredTwiceObject.init)),
      ],
      rows: table, sections: PolicyBenchSections(self).all)
  }

  private var table: Table {
    Table(
      [
        Table.Column("flows"), Table.Column("family"), Table.Column("phase"),
        Table.Column(key: "isAllowed", csv: ["allowed"]), Table.Column("rules"),
        Table.Column(key: "packet", csv: ["packet_ns"]),
        Table.Column(key: "overNothing", csv: Table.Column.estimate("over_nothing", unit: "_ns")),
      ], csvDigits: 2,
      rows.map { row -> [Table.Cell] in
        [
          .text(row.flows), .text(row.family.rawValue), .text(row.phase.rawValue), .truth(row.isAllowed),
          .text(row.rules), .estimate(row.packet), .estimate(row.overNothing),
        ]
      })
  }
}

/// The cost of packets of a user's own flows, as text.
private struct PolicyBenchSections {
  private let report: PolicyBenchReport

  init(_ report: PolicyBenchReport) { self.report = report }

  var all: [Section] {
    let heading = packetHeading(
      report.environment, "\(report.machine). \(counted(report.rounds, "round")) in \(timeText(report.duration))",
      report.clock, isRealTime: report.isRealTime)
    return [heading, sent] + subjects.map(section) + [resolution] + remarks(report.noise, report.interruption)
  }

  /// What was selected from the user's flows.
  private var sent: Section {
    let origin = report.origin
    let ways = BenchProbe.Way.allCases.map { way in "\(report.sent.count { $0.way == way }) \(way.rawValue)" }
    var text =
      "Rules of \(origin.node), which has \(counted(origin.pods, "pod")), for "
      + "\(counted(origin.policies, "policy", "policies")) of the cluster. To these pods go "
      + "\(counted(origin.flows, "flow")) that differ in policy or port. Sent: \(report.sent.count) ("
      + "\(report.sent.count(where: \.isAllowed)) allowed, \(report.sent.count { !$0.isAllowed }) denied; "
      + "\(ways.joined(separator: ", ")))."
    if origin.unequal > 0 {
      text +=
        " Left out: \(counted(origin.unequal, "flow")) for which a style does not do what the specification says."
    }
    if origin.policies == 0 { text += " There is no policy, so only the styles' own rules for pods cost something." }
    return Section([.paragraph(text, indent: 2)])
  }

  private struct Subject: Hashable {
    let flows: String
    let phase: BenchProbe.Phase
  }

  /// In the order of the rows.
  private var subjects: [Subject] {
    Array(report.rows.map { Subject(flows: $0.flows, phase: $0.phase) }.uniqued())
  }

  private func section(_ subject: Subject) -> Section {
    let phase = subject.phase == .established ? "established" : "first packets"
    let rows = report.rows.filter { $0.flows == subject.flows && $0.phase == subject.phase }
    let cells = rows.map { row -> [Table.Cell] in
      let isBase = row.rules == BenchRules.none.name
      return [
        .text("\(row.rules)\(isBase ? " (the packet itself)" : "")"),
        .estimate(isBase ? row.packet : row.overNothing),
      ]
    }
    let verdict = report.verdicts.first { $0.flows == subject.flows && $0.phase == subject.phase }
    return Section(
      [
        .paragraph("\(subject.flows), \(phase):", indent: 2),
        .table(Table([Table.Column(), Table.Column(interval: "", form: .whole)], indent: 2, cells)),
      ] + (verdict.map { [.paragraph($0.standing.text, first: "  ", indent: 2)] } ?? []))
  }

  private var resolution: Section {
    guard let worst = report.resolutions.max(by: { $0.share < $1.share }) else { return Section([]) }
    return Section([
      .note(
        "Resolution",
        "two measurements of the same case (\(worst.rules)) differ by at most "
          + "\(decimals(abs(worst.difference.value), 1)) ns, \(decimals(worst.share * 100, 2)) % of a packet without "
          + "rules: \(worst.what).")
    ])
  }
}
