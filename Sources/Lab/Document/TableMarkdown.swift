internal import Text

/// A table of GitHub-flavoured Markdown. What stands beside or below a row is its last cell.
struct TableMarkdown {
  private let table: Table

  init(_ table: Table) { self.table = table }

  var lines: [String] {
    let titles = table.columns.flatMap { [$0.title] + ($0.interval.map { [$0] } ?? []) }
    let hasRemarks = table.rows.contains { !$0.remark.isEmpty || !$0.below.isEmpty }
    let marks = table.columns.enumerated().flatMap { index, column in
      [column.isLeading ?? (index == 0) ? ":--" : "--:"] + (column.interval == nil ? [] : ["--:"])
    }
    let rows = table.rows.map { row in
      zip(row.cells, table.columns).flatMap { cell, column in cell.text(in: column).map(\.asMarkdown) }
        + (hasRemarks ? [remark(row)] : [])
    }
    return [titles.map(\.asMarkdown) + (hasRemarks ? [""] : []), marks + (hasRemarks ? [":--"] : [])].map(line)
      + rows.map(line)
  }

  private func line(_ cells: [String]) -> String { "| \(cells.joined(separator: " | ")) |" }

  /// A cell has no blocks, but its text may have several lines.
  private func remark(_ row: Table.Row) -> String {
    let below = row.below.flatMap { block -> [String] in
      switch block {
      case .code(let code): code.lines.map { $0.asMarkdownCode(isInTable: true) }
      case .heading, .paragraph, .note:
        [
          DocumentText.lines(block, width: .max).map { $0.drop { $0 == " " } }.joined(separator: " ").asMarkdown
        ]
      case .table, .grid, .plot: DocumentText.lines(block, width: 100).map { $0.asMarkdownCode(isInTable: true) }
      }
    }
    return ((row.remark.isEmpty ? [] : ["**\(row.remark.asMarkdown)**"]) + below).joined(separator: "<br>")
  }
}
