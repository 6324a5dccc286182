extension String {
  public func padded(_ width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - count)) }
  public var trimmingEnd: String { String(reversed().drop { $0 == " " }.reversed()) }
  public func leftPadded(_ width: Int) -> String { String(repeating: " ", count: Swift.max(0, width - count)) + self }
}

/// Formats rows as aligned columns, two spaces apart. The first column is left-aligned, the others right-aligned.
public func columns(_ rows: [[String]]) -> [String] {
  let width = rows.map(\.count).max() ?? 0
  let widths = (0..<width).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
  return rows.map { row in
    let cells = row.enumerated().map { index, cell in
      index == 0 ? cell.padded(widths[0]) : cell.leftPadded(widths[index])
    }
    return cells.joined(separator: "  ").trimmingEnd
  }
}
