internal import Algorithms
public import Bench
public import Documents
internal import NetpolModel
internal import StandingLab
internal import Statistics
internal import Text

extension PacketBenchReport {
  /// A packet bench: `netpol-lab/bench/v1`, documented in docs/bench-json.md.
  public var document: Document {
    let facts = packetFacts(
      "packets", environment, machine, rounds: rounds, clock, isRealTime: isRealTime, noise: noise,
      interruption: interruption, duration)
    return Document(
      schema: benchSchema,
      facts: facts + [
        Fact("reference", reference),
        Fact(
          "winners",
          verdicts.map { WinnerObject(what: "\($0.world.text): \($0.probe.name)", batch: $0.batch, $0.standing) }),
        Fact("growth", growths.map(GrowthObject.init)),
        Fact("resolution", resolutions.map(MeasuredTwiceObject.init)),
      ],
      rows: table, sections: PacketBenchSections(self).all)
  }

  private var table: Table {
    typealias Column = Table.Column
    let names = [
      Column("batch"), Column("pods"), Column("policies"), Column("peers"),
      Column(key: "peerKind", csv: ["peer_kind"]), Column("family"), Column("probe"), Column("phase"), Column("way"),
      Column("rules"),
    ]
    let costs = [
      Column(key: "packet", csv: ["packet_ns"]),
      Column(key: "overNothing", csv: Column.estimate("over_nothing", unit: "_ns")),
      Column(key: "overConntrack", csv: Column.estimate("over_conntrack", unit: "_ns")),
      Column(key: "timesReference", csv: Column.estimate("times_reference")),
    ]
    return Table(
      names + costs, csvDigits: 2,
      rows.map { row -> [Table.Cell] in
        let world: [Table.Cell] = [
          .count(row.batch), .count(row.world.pods), .count(row.world.policies), .count(row.world.peers),
          .text(row.world.peerKind.rawValue), .text(row.world.family.rawValue),
        ]
        let probe: [Table.Cell] = [
          .text(row.probe.name), .text(row.probe.phase.rawValue), .text(row.probe.way.rawValue), .text(row.rules),
        ]
        return world + probe + [
          .estimate(row.packet), .estimate(row.overNothing), .estimate(row.overConntrack),
          .estimate(row.timesReference),
        ]
      })
  }
}

/// A packet bench as text.
private struct PacketBenchSections {
  private let report: PacketBenchReport

  init(_ report: PacketBenchReport) { self.report = report }

  var all: [Section] {
    let heading = packetHeading(
      report.environment, "\(report.machine). \(counted(report.rounds, "round")) in \(timeText(report.duration))",
      report.clock, isRealTime: report.isRealTime)
    return [heading] + probes.map(section) + [growths, resolution] + remarks(report.noise, report.interruption)
      + [Section(report.plots.map { .plot($0) })]
  }

  /// In the order of the rows.
  private var probes: [BenchProbe] {
    Array(report.rows.map(\.probe).uniqued())
  }

  private func section(_ probe: BenchProbe) -> Section {
    var blocks = [Block.heading("\(probe.name):")]
    let rows = report.rows.filter { $0.probe == probe }
    var worlds: [(batch: Int, world: BenchWorld)] = []
    for row in rows where worlds.last?.batch != row.batch || worlds.last?.world != row.world {
      worlds.append((row.batch, row.world))
    }
    for (batch, world) in worlds {
      let own = rows.filter { $0.batch == batch && $0.world == world }
      blocks += [
        .paragraph(world.text, first: "  ", indent: 4), .table(Table(Self.columns, indent: 4, own.map(cells))),
      ]
      let verdict = report.verdicts.first { $0.batch == batch && $0.world == world && $0.probe == probe }
      if let verdict { blocks.append(.paragraph(verdict.standing.text, first: "    ", indent: 4)) }
    }
    return Section(blocks)
  }

  private static let columns = [
    Table.Column(title: "rules"), Table.Column(title: "ns", interval: "95 %", form: .whole),
    Table.Column(title: "over conntrack", form: .whole), Table.Column(title: "times", form: .threeDigits),
  ]

  private func cells(_ row: PacketBenchReport.Row) -> [Table.Cell] {
    if row.rules == BenchRules.none.name {
      return [.text("\(row.rules) (the packet itself)"), .estimate(row.packet), .estimate(nil), .estimate(nil)]
    }
    let isStyle = row.rules != BenchRules.conntrackOnly.name
    return [
      .text(row.rules), .estimate(row.overNothing), .estimate(isStyle ? row.overConntrack : nil),
      .estimate(row.timesReference),
    ]
  }

  private var growths: Section {
    if report.growths.isEmpty { return Section([]) }
    let columns = [
      Table.Column(title: "rules and packets"), Table.Column(title: "pods"),
      Table.Column(title: "times", interval: "95 %", form: .hundredths),
    ]
    let rows = report.growths.map { growth -> [Table.Cell] in
      [
        .text("\(growth.rules), \(growth.probe.name), \(growth.from.peersText)"),
        .text("\(growth.from.pods) -> \(growth.to.pods)"), .estimate(growth.times),
      ]
    }
    return Section([
      .heading("Growth of the rules' cost with the number of pods and policies:"),
      .table(Table(columns, indent: 4, rows)),
    ])
  }

  private var resolution: Section {
    if report.resolutions.isEmpty { return Section([]) }
    let columns = [Table.Column(), Table.Column(interval: "", form: .tenths), Table.Column(form: .percent(digits: 2))]
    let rows = report.resolutions.map { pair -> [Table.Cell] in
      [.text("\(pair.pair.rawValue), \(pair.what)"), .estimate(pair.difference), .number(pair.share)]
    }
    return Section([
      .heading(
        "Resolution: difference between two measurements of the same case, in ns and in % of a packet without rules:"),
      .table(Table(columns, indent: 4, rows)),
    ])
  }
}

/// `run` describes the machine and how long the run took.
func packetHeading(_ environment: LabEnvironment, _ run: String, _ clock: BenchClock, isRealTime: Bool) -> Section {
  Section([
    .paragraph(environment.text, indent: 2),
    .paragraph("\(run), \(clock.explanation), \(isRealTime ? "SCHED_FIFO" : "ordinary scheduling").", indent: 2),
    .paragraph("Additional nanoseconds per packet compared with no rules; 95 % intervals in brackets.", indent: 2),
  ])
}

/// What a reader should know before trusting the figures.
func remarks(_ noise: String?, _ interruption: String?) -> [Section] {
  let noise = noise.map { "\($0). Try again on a quieter machine, or with more rounds." }
  return [
    Section(noise.map { [.note("Too noisy", $0, indent: 0)] } ?? []),
    Section(interruption.map { [.note("Interrupted", "the report covers \($0).", indent: 0)] } ?? []),
  ]
}

extension Standing {
  var text: String {
    switch self {
    case .cheapest(let name): "cheapest: \(name)"
    case .undecided(let names): "no winner: \(names.joined(separator: ", ")) can't be distinguished"
    }
  }
}

extension BenchClock {
  var explanation: String {
    switch self {
    case .processor: "CPU time of the sending thread"
    case .wall: "wall-clock time, because this kernel accounts softirqs separately"
    }
  }
}
