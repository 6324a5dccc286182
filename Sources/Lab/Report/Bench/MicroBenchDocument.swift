public import Bench
public import Documents
internal import StandingLab
internal import Statistics
internal import Text

extension MicroBenchReport {
  /// The cost of single rules: `netpol-lab/bench/v1`, documented in docs/bench-json.md.
  public var document: Document {
    let facts = packetFacts(
      "micro", environment, machine, rounds: rounds, clock, isRealTime: isRealTime, noise: noise,
      interruption: interruption, duration)
    return Document(
      schema: benchSchema, facts: facts + [Fact("resolution", resolution)], rows: table,
      sections: [heading, Section([.table(table)]), trust] + remarks(noise, interruption))
  }

  private var table: Table {
    Table(
      [
        Table.Column(key: "rule", csv: ["rule"], title: "rule, ns each"),
        Table.Column(key: "backend", csv: ["backend"], title: "back end"),
        Table.Column(
          key: "each", csv: Table.Column.estimate("each", unit: "_ns"), title: "ns", interval: "95 %", form: .tenths),
      ], csvDigits: 2, rows.map { [.text($0.name), .text($0.backend), .estimate($0.cost)] })
  }

  private var resolution: [MeasuredTwiceObject] {
    [(PacketBenchReport.Resolution.Pair.sameNamespace, sameNamespace), (.otherNamespace, otherNamespace)].map {
      MeasuredTwiceObject(pair: $0.rawValue, what: "the empty chain", batch: 0, difference: $1, packet: packet.value)
    }
  }

  private var heading: Section {
    Section([
      .paragraph(environment.text, indent: 2),
      .paragraph(
        "\(machine). \(counted(rounds, "round")) in \(timeText(duration)), \(clock.explanation). "
          + "A packet through an empty chain: \(whole(packet.value)) ns \(packet.interval).", indent: 2),
    ])
  }

  private var trust: Section {
    let differences = [sameNamespace, otherNamespace].map { "\(decimals($0.value, 1)) \($0.interval)" }
    return Section([
      .note(
        "Resolution, in ns per packet (a rule's cost is a hundredth of such a difference)",
        "the empty chain measured again \(differences[0]), in another namespace \(differences[1])", indent: 0)
    ])
  }
}
