/// Rows as comma-separated values, a heading among them (RFC 4180, but with line feeds alone).
public func csvText(_ rows: [[String]]) -> String {
  rows.map { $0.map(quoted).joined(separator: ",") + "\n" }.joined()
}

private func quoted(_ cell: String) -> String {
  cell.contains { ",\"\n".contains($0) } ? "\"\(cell.replacing("\"", with: "\"\""))\"" : cell
}
