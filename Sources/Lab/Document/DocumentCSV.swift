internal import Statistics
internal import Text

/// A document's rows as CSV: a heading, and a line for each row (RFC 4180). Empty for a document without rows.
public struct DocumentCSV {
  private let document: Document

  public init(_ document: Document) { self.document = document }

  public var text: String {
    guard let table = document.rows else { return "" }
    let lines = table.rows.map { row in
      zip(row.cells, table.columns).flatMap { cell, column in
        cell.texts(count: column.csv.count, digits: table.csvDigits)
      }
    }
    return csvText([table.columns.flatMap(\.csv)] + lines)
  }
}

extension Document {
  public var csv: String { DocumentCSV(self).text }
}

extension Table.Cell {
  /// As many texts as the column has names: none, the value alone, the two ends of an interval, or all three. Absent
  /// values are empty.
  fileprivate func texts(count: Int, digits: Int?) -> [String] {
    let number = { (value: Double?) -> String in
      value.map { value in digits.map { decimals(value, $0) } ?? "\(value)" } ?? ""
    }
    let texts: [String] =
      switch self {
      case .text(let text): [(text ?? "").onOneLine.asCell]
      case .count(let count): [count.map { "\($0)" } ?? ""]
      case .truth(let truth): ["\(truth)"]
      case .number(let value): [number(value)]
      case .estimate(let estimate): [number(estimate?.value), number(estimate?.lower), number(estimate?.upper)]
      case .ends(let from, let to): [number(from), number(to)]
      }
    return Array(texts.prefix(count))
  }
}

extension String {
  /// The text for a spreadsheet, which takes a cell that begins with one of these characters for a formula.
  fileprivate var asCell: String { first.map("=+-@".contains) == true ? "'\(self)" : self }
}
