public import Bench
public import Documents
internal import Text

extension EngineBenchReport {
  /// Verdicts per second of the engines: `netpol-lab/bench/v1`, documented in docs/bench-json.md.
  public var document: Document {
    let title =
      "\(counted(pods, "pod")), \(counted(policies, "policy", "policies")), \(counted(nodes, "node")), "
      + "\(counted(flows, "different flow")), one thread of \(machine)"
    let walked = rows.filter { $0.walked > 0 }.map { row in
      Block.paragraph("\(row.name): \(counted(row.walked, "flow")) evaluated one by one", indent: 2)
    }
    return Document(
      schema: benchSchema,
      facts: [
        Fact("kind", "engines"), Fact("version", version), Fact("machine", machine), Fact("pods", pods),
        Fact("policies", policies), Fact("nodes", nodes), Fact("flows", flows),
      ],
      rows: table, sections: [Section([.paragraph(title, indent: 2)]), Section([.table(shown)] + walked)])
  }

  private var table: Table {
    Table(
      [
        "engine", "style", "verdicts", "allowedShare", "perSecond", "compared", "different", "perSecondOneByOne",
        "walked", "loweringSeconds", "preparationSeconds", "preparedBytes", "batchBytes",
      ].map { Table.Column($0) },
      rows.map { row -> [Table.Cell] in
        let judged: [Table.Cell] = [
          .text(row.engine), .text(row.style), .count(row.verdicts), .number(row.allowedShare), .number(row.perSecond),
        ]
        let checked: [Table.Cell] = [
          .count(row.compared), .count(row.different), .number(row.perSecondOneByOne), .count(row.walked),
        ]
        return judged + checked + [
          .number(row.loweringSeconds), .number(row.preparationSeconds), .count(row.preparedBytes),
          .count(row.batchBytes),
        ]
      })
  }

  /// The table as text.
  private var shown: Table {
    let columns = [
      Table.Column(title: "engine"), Table.Column(title: "verdicts/s", form: .rate),
      Table.Column(title: "one by one", form: .rate), Table.Column(title: "allowed", form: .percent(digits: 1)),
      Table.Column(title: "prepare", form: .time), Table.Column(title: "memory"), Table.Column(title: "compared"),
      Table.Column(title: "different"),
    ]
    return Table(
      columns,
      rows.map { row -> [Table.Cell] in
        [
          .text(row.name), .number(row.perSecond), .number(row.perSecondOneByOne), .number(row.allowedShare),
          .number((row.loweringSeconds + row.preparationSeconds) * 1e9), .text(row.memoryText), .count(row.compared),
          .count(row.different),
        ]
      })
  }
}

extension EngineBenchReport.Row {
  fileprivate var name: String { style.map { "\(engine), \($0)" } ?? engine }

  fileprivate var memoryText: String {
    guard let preparedBytes, let batchBytes else { return "-" }
    return "\((preparedBytes + batchBytes) >> 20) MiB"
  }
}
