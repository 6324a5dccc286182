/// Formats rows, including the heading, as comma-separated values (RFC 4180, but with LF line ends).
public func csvText(_ rows: [[String]]) -> String {
  rows.map { $0.map(quoted).joined(separator: ",") + "\n" }.joined()
}

private func quoted(_ cell: String) -> String {
  cell.contains { ",\"\n".contains($0) } ? "\"\(cell.replacing("\"", with: "\"\""))\"" : cell
}
