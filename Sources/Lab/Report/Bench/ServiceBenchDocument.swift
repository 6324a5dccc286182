internal import Algorithms
public import Bench
public import Documents
internal import NetpolModel
internal import StandingLab
internal import Statistics
internal import Text

extension ServiceBenchReport {
  /// A bench of kube-proxy's modes: `netpol-lab/bench/v1`, documented in docs/bench-json.md.
  public var document: Document {
    let facts = packetFacts(
      "services", environment, machine, rounds: options.rounds, clock, isRealTime: isRealTime, noise: noise,
      interruption: interruption, duration)
    return Document(
      schema: benchSchema,
      facts: facts + [
        Fact("endpoints", options.endpoints), Fact("release", release.rawValue), Fact("seed", options.seed),
        Fact(
          "winners",
          verdicts.map { WinnerObject(what: "\($0.world.text): \($0.probe.name)", batch: 0, $0.standing) }),
        Fact("growth", growths.map(ServiceGrowthObject.init)),
        Fact("resolution", resolutions.map(MeasuredTwiceObject.init)), Fact("syncs", syncs.map(SyncObject.init)),
      ],
      rows: table, sections: ServiceBenchSections(self).all)
  }

  private var table: Table {
    typealias Column = Table.Column
    let names = ["services", "address", "target", "rules"].map { Column($0) }
    let costs = [
      Column(key: "packet", csv: ["packet_ns"]),
      Column(key: "overNothing", csv: Column.estimate("over_nothing", unit: "_ns")),
      Column(key: "overNat", csv: Column.estimate("over_nat", unit: "_ns")),
      Column(key: "timesNftables", csv: Column.estimate("times_nftables")),
    ]
    return Table(
      names + costs, csvDigits: 2,
      rows.map { row -> [Table.Cell] in
        [
          .count(row.world.services), .text(row.probe.address.rawValue), .text(row.probe.target.rawValue),
          .text(row.rules), .estimate(row.packet), .estimate(row.overNothing), .estimate(row.overNat),
          .estimate(row.timesNftables),
        ]
      })
  }
}

/// A bench of kube-proxy's modes as text.
private struct ServiceBenchSections {
  private let report: ServiceBenchReport

  init(_ report: ServiceBenchReport) { self.report = report }

  var all: [Section] {
    let heading = packetHeading(
      report.environment,
      "\(report.machine). \(counted(report.options.rounds, "round")) in \(timeText(report.duration))",
      report.clock, isRealTime: report.isRealTime)
    let subject = Section([
      .paragraph(
        "First packets of TCP connections to Services with \(counted(report.options.endpoints, "endpoint")) each. "
          + "iptables: kube-proxy's iptables mode; nftables: its nftables mode, as of \(report.release.rawValue).",
        indent: 2)
    ])
    return [heading, subject] + probes.map(section) + [growths, resolution, syncs]
      + remarks(report.noise, report.interruption) + [Section(report.plots.map { .plot($0) })]
  }

  /// In the order of the rows.
  private var probes: [ServiceProbe] { Array(report.rows.map(\.probe).uniqued()) }

  private func section(_ probe: ServiceProbe) -> Section {
    let rows = report.rows.filter { $0.probe == probe }
    let blocks = rows.map(\.world).uniqued().flatMap { world -> [Block] in
      let cells = rows.filter { $0.world == world }.map(cells)
      let verdict = report.verdicts.first { $0.world == world && $0.probe == probe }
      return [
        .paragraph(world.servicesText, first: "  ", indent: 4),
        .table(Table(Self.columns, indent: 4, cells)),
      ] + (verdict.map { [.paragraph($0.standing.text, first: "    ", indent: 4)] } ?? [])
    }
    return Section([.heading("\(probe.name):")] + blocks)
  }

  private static let columns = [
    Table.Column(title: "rules"), Table.Column(title: "ns", interval: "95 %", form: .whole),
    Table.Column(title: "over nat only", form: .whole), Table.Column(title: "times nftables", form: .threeDigits),
  ]

  private func cells(_ row: ServiceBenchReport.Row) -> [Table.Cell] {
    if row.rules == ServiceBenchReport.noRules {
      return [.text("\(row.rules) (the packet itself)"), .estimate(row.packet), .estimate(nil), .estimate(nil)]
    }
    let isMode = row.rules != ServiceBenchReport.natOnly
    return [
      .text(row.rules), .estimate(row.overNothing), .estimate(isMode ? row.overNat : nil),
      .estimate(row.timesNftables),
    ]
  }

  /// From the smallest number of Services to the largest.
  private var growths: Section {
    let all = report.growths
    guard let from = all.map(\.from.services).min(), let to = all.map(\.to.services).max() else { return Section([]) }
    let rows = all.filter { $0.from.services == from && $0.to.services == to }.map { growth -> [Table.Cell] in
      [.text("\(growth.rules), \(growth.probe.name)"), .estimate(growth.times)]
    }
    let columns = [Table.Column(), Table.Column(title: "times", interval: "95 %", form: .hundredths)]
    return Section([
      .heading("Growth of the rules' cost from \(from) to \(to) Services:"), .table(Table(columns, indent: 4, rows)),
    ])
  }

  private var resolution: Section {
    let pairs: [PacketBenchReport.Resolution.Pair] = [.sameNamespace, .otherNamespace]
    let worst = pairs.compactMap { pair in
      report.resolutions.filter { $0.pair == pair }.max { $0.share < $1.share }
    }
    if worst.isEmpty { return Section([]) }
    let texts = worst.map {
      "\(decimals(abs($0.difference.value), 1)) ns in \($0.pair.rawValue) (\(decimals($0.share * 100, 2)) % of a packet "
        + "without rules; \($0.what))"
    }
    return Section([
      .note(
        "Resolution", "two measurements of nftables mode differ by at most \(texts.joined(separator: ", and ")).",
        indent: 0)
    ])
  }

  private var syncs: Section {
    guard let first = report.syncs.first else { return Section([]) }
    let columns = [
      Table.Column(title: ""), Table.Column(title: "Services"), Table.Column(title: "everything", form: .time),
      Table.Column(title: "95 %", form: .time), Table.Column(title: "one endpoint", form: .time),
      Table.Column(title: "95 %", form: .time), Table.Column(title: "bytes of these"),
    ]
    let rows = report.syncs.map { sync -> [Table.Cell] in
      let (full, change) = (sync.full.interval(0.5), sync.change.interval(0.5))
      return [
        .text("\(sync.rules): \(sync.way)"), .count(sync.world.services), .number(sync.full.median),
        .ends(full.lower, full.upper), .number(sync.change.median), .ends(change.lower, change.upper),
        .text("\(sync.fullBytes), \(sync.changeBytes)"),
      ]
    }
    return Section([
      .heading(
        "Time to load everything, and then to add one endpoint to one Service: median of "
          + counted(first.full.count, "round")),
      .table(Table(columns, indent: 2, rows)),
    ])
  }
}
