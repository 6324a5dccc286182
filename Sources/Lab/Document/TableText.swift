package import Statistics
internal import Text

/// A table as columns of text, or as sentences if it has them and lines are too narrow.
struct TableText {
  private let table: Table
  private let width: Int
  /// The spaces of the table's left margin.
  private let margin: String

  init(_ table: Table, width: Int) {
    self.table = table
    self.width = width
    margin = String(repeating: " ", count: table.indent)
  }

  var lines: [String] {
    if table.rows.isEmpty { return [] }
    let titles = table.columns.flatMap { [$0.title] + ($0.interval.map { [$0] } ?? []) }
    let cells = table.rows.map { row in zip(row.cells, table.columns).flatMap { $0.text(in: $1) } }
    let hasTitles = titles.contains { !$0.isEmpty }
    let all = (hasTitles ? [titles] : []) + cells
    let widths = titles.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    let remarks = table.rows.map { $0.remark.count }.max() ?? 0
    let whole =
      margin.count + widths.reduce(0, +) + 2 * (widths.count - 1) + (remarks > 0 ? remarks + 2 : 0)
    let isTable = whole <= width || table.rows.contains { $0.sentence == nil }
    var lines = isTable && hasTitles ? [line(titles, widths)] : []
    for (row, cells) in zip(table.rows, cells) {
      if isTable {
        lines.append(line(cells, widths, row.remark))
      } else {
        let words = [row.sentence ?? "", row.remark].filter { !$0.isEmpty }
        lines += wrapped(words.joined(separator: " "), width: width, first: margin, indent: table.indent + 4)
      }
      lines += row.below.flatMap { DocumentText.lines($0, width: width) }
    }
    return lines
  }

  private func line(_ cells: [String], _ widths: [Int], _ remark: String = "") -> String {
    let padded = zip(zip(cells, widths), isLeading).map { $1 ? $0.0.padded($0.1) : $0.0.leftPadded($0.1) }
    return margin + (padded + (remark.isEmpty ? [] : [remark])).joined(separator: "  ").trimmingEnd
  }

  /// Whether each column of text is left-aligned.
  private var isLeading: [Bool] {
    table.columns.enumerated().flatMap { index, column in
      [column.isLeading ?? (index == 0)] + (column.interval == nil ? [] : [false])
    }
  }
}

extension Table.Cell {
  /// One text, or two if the interval has its own column. An absent number is `-`.
  func text(in column: Table.Column) -> [String] {
    let form = column.form
    switch self {
    case .text(let text): return texts(text ?? "", in: column)
    case .count(let count): return texts(count.map { "\($0)" } ?? "-", in: column)
    case .truth(let truth): return texts(truth ? "yes" : "no", in: column)
    case .number(let number): return texts(number.map(form.text) ?? "-", in: column)
    case .ends(let from, let to):
      return texts("\(from.map(form.text) ?? "-") to \(to.map(form.text) ?? "-")", in: column)
    case .estimate(nil): return texts("", in: column)
    case .estimate(let estimate?):
      let (value, interval) = (form.text(estimate.value), form.interval(estimate))
      return column.interval == nil ? ["\(value) \(interval)"] : [value, interval]
    }
  }

  private func texts(_ text: String, in column: Table.Column) -> [String] {
    column.interval == nil ? [text] : [text, ""]
  }
}

extension Table.Form {
  package func text(_ value: Double) -> String {
    switch self {
    case .plain: "\(value)"
    case .whole: Documents.whole(value)
    case .tenths: decimals(value, 1)
    case .hundredths: decimals(value, 2)
    case .threeDigits: Text.threeDigits(value)
    case .time: timeText(value)
    case .mebibytes: Text.threeDigits(value / 1_048_576)
    case .percent(let digits): "\(decimals(value * 100, digits)) %"
    case .rate:
      value >= 1e6 ? "\(Text.threeDigits(value / 1e6)) M" : "\(Text.threeDigits(value / 1e3)) k"
    }
  }

  /// For nanoseconds, whole numbers if there are tens, otherwise tenths.
  fileprivate func interval(_ estimate: Estimate) -> String {
    switch self {
    case .whole, .tenths: estimate.interval
    case .plain, .hundredths, .threeDigits, .time, .mebibytes, .percent, .rate:
      "[\(text(estimate.lower)), \(text(estimate.upper))]"
    }
  }
}

package func whole(_ value: Double) -> String { "\(Int(value.rounded()))" }

extension Estimate {
  /// Whole numbers if there are tens, otherwise tenths.
  package var interval: String {
    let isLarge = abs(upper) >= 10 || abs(lower) >= 10
    return isLarge ? "[\(whole(lower)), \(whole(upper))]" : "[\(decimals(lower, 1)), \(decimals(upper, 1))]"
  }
}
