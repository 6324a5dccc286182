import Foundation
import Statistics
import Testing

@testable import Documents
@testable import Report

/// The kinds of cells. A new kind does not compile here until it has a name.
private enum Kind: CaseIterable {
  case text, count, truth, number, estimate, ends

  init(_ cell: Table.Cell) {
    self =
      switch cell {
      case .text: .text
      case .count: .count
      case .truth: .truth
      case .number: .number
      case .estimate: .estimate
      case .ends: .ends
      }
  }
}

@Suite("A table in its three renderers") struct TableTests {
  struct Example {
    var cell: Table.Cell
    var text: String
    var csv: [String]
    /// `nil` if the key is absent.
    var json: String?
  }

  static var examples: [Example] {
    [
      Example(cell: .text("a, b"), text: "a, b", csv: ["\"a, b\"", "", ""], json: #""a, b""#),
      Example(cell: .text(nil), text: "", csv: ["", "", ""], json: nil),
      Example(cell: .count(3), text: "3", csv: ["3", "", ""], json: "3"),
      Example(cell: .count(nil), text: "-", csv: ["", "", ""], json: nil),
      Example(cell: .truth(true), text: "yes", csv: ["true", "", ""], json: "true"),
      Example(cell: .number(1.25), text: "1.25", csv: ["1.25", "", ""], json: "1.25"),
      Example(cell: .number(nil), text: "-", csv: ["", "", ""], json: nil),
      Example(
        cell: .estimate(Estimate(1.5, 1, 2)), text: "1.50 [1.00, 2.00]", csv: ["1.50", "1.00", "2.00"],
        json: #"{"lower":1,"upper":2,"value":1.5}"#),
      Example(cell: .estimate(nil), text: "", csv: ["", "", ""], json: nil),
      Example(cell: .ends(1, 2), text: "1.00 to 2.00", csv: ["1.00", "2.00", ""], json: "[1,2]"),
      Example(cell: .ends(1, nil), text: "1.00 to -", csv: ["1.00", "", ""], json: "[1,null]"),
    ]
  }

  @Test("a cell is shown in text, and has its value in CSV and JSON", arguments: examples.indices)
  func cells(index: Int) throws {
    let example = Self.examples[index]
    let columns = { (csv: [String]) in
      [
        Table.Column(key: "name", csv: ["name"], title: "name"),
        Table.Column(key: "key", csv: csv, form: .hundredths),
      ]
    }
    // As many names as the cell has values.
    let count = example.csv.lastIndex { !$0.isEmpty }.map { $0 + 1 } ?? 1
    let names = Array(["value", "lower", "upper"].prefix(count))
    let table = Table(columns(names), csvDigits: 2, [[.text("x"), example.cell]])
    let document = Document(schema: "s", rows: table, sections: [Section([.table(table)])])
    let line = document.text().split(separator: "\n").last.map(String.init)
    #expect(line == (example.text.isEmpty ? "x" : "x     \(example.text)"))
    let csv = (["x"] + example.csv.prefix(count)).joined(separator: ",")
    #expect(document.csv == (["name"] + names).joined(separator: ",") + "\n\(csv)\n")
    let key = example.json.map { #""key":\#($0),"# } ?? ""
    #expect(
      String(decoding: try document.json(), as: UTF8.self) == #"{"rows":[{\#(key)"name":"x"}],"schema":"s"}"#)
  }

  @Test("every kind of cell is among the examples") func completeness() {
    #expect(Set(Self.examples.map { Kind($0.cell) }) == Set(Kind.allCases))
  }

  @Test(
    "a form says how text shows a number",
    arguments: [
      (.plain, 1234.5, "1234.5"), (.whole, 1234.5, "1235"), (.tenths, 1.26, "1.3"), (.hundredths, 1.256, "1.26"),
      (.threeDigits, 12.34, "12.3"), (.time, 71_400, "71.4 us"), (.mebibytes, 3_145_728, "3.00"),
      (.percent(digits: 1), 0.123, "12.3 %"), (.rate, 12_340_000, "12.3 M"), (.rate, 45_600, "45.6 k"),
    ] as [(Table.Form, Double, String)])
  func forms(_ form: Table.Form, _ value: Double, _ text: String) { #expect(form.text(value) == text) }

  @Test("an interval has its own column if that has a title, and without titles there is no title line")
  func intervals() {
    let rows: [[Table.Cell]] = [[.text("a"), .estimate(Estimate(1234, 1200, 1300))], [.text("b"), .text("none")]]
    let apart = Table([Table.Column(title: "who"), Table.Column(title: "ns", interval: "95 %", form: .whole)], rows)
    #expect(TableText(apart, width: 60).lines == ["who    ns          95 %", "a    1234  [1200, 1300]", "b    none"])
    let within = Table([Table.Column(), Table.Column(form: .whole)], indent: 2, rows)
    #expect(TableText(within, width: 60).lines == ["  a  1234 [1200, 1300]", "  b               none"])
  }

  @Test("a row has its remark after it and its blocks below it") func rows() {
    let columns = ["from", "to"].map { Table.Column(title: $0, isLeading: true) }
    let row = Table.Row(
      [.text("app/client"), .text("app/web")], remark: "MISSED", sentence: "app/client -> app/web",
      below: [.code("-A RULE", indent: 4)])
    let table = Table(columns, indent: 2, [row, Table.Row([.text("a"), .text("b")], sentence: "a -> b")])
    #expect(
      TableText(table, width: 60).lines
        == ["  from        to", "  app/client  app/web  MISSED", "    -A RULE", "  a           b"])
    #expect(
      TableText(table, width: 28).lines == ["  app/client -> app/web", "      MISSED", "    -A RULE", "  a -> b"],
      "too narrow for a table")
  }
}
