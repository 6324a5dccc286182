internal import NetpolModel
internal import Text

/// A grid as text: rows send, columns receive. Both have numbers, and names are beside the rows or below them.
struct GridText {
  /// With less room beside a row, every other name would be broken, so names are shown below.
  static let leastNameWidth = 24

  private let grid: Matrix.Grid
  private let endpoints: [Endpoint]
  private let showsFamily: Bool
  private let width: Int
  private let rows: [Group]
  private let columns: [Group]
  private let numberWidth: Int

  private struct Group {
    let number: Int
    let members: [Int]
  }

  init(_ block: Grid, width: Int) {
    let grid = block.grid
    self.grid = grid
    endpoints = block.endpoints
    showsFamily = block.showsFamily
    self.width = width
    let groups = grid.groups(count: endpoints.count)
    rows = groups.enumerated().filter { _, group in
      groups.contains { grid.symbol(from: group, to: $0) != .nothing || grid.symbol(from: $0, to: group) != .nothing }
    }.map { Group(number: $0 + 1, members: $1) }
    columns = rows.filter { row in row.members.contains { grid.columns[$0] != nil } }
    numberWidth = String(groups.count).count
  }

  var lines: [String] {
    let room = width - gridWidth(columns.count) - 2
    return title + (room < Self.leastNameWidth ? apart : beside(room))
  }

  private var title: [String] {
    let some = Dictionary(grouping: grid.portsAtSome) { namesText($0.destinations) }
      .map { "\(portsText($0.value.map(\.port))) at \($0.key)" }.sorted()
    let entries = some.dropLast().map { $0 + ";" } + some.suffix(1)
    let also = entries.isEmpty ? [] : filled(entries, width: width, first: "  also ", indent: 4)
    return wrapped((showsFamily ? "\(grid.family.rawValue) " : "") + portsText(grid.ports), width: width) + also
  }

  private func beside(_ room: Int) -> [String] {
    let margin = String(repeating: " ", count: gridWidth(columns.count) + 2)
    var lines = [header(columns)]
    for row in rows {
      let names = namesLines(row.members.map { endpoints[$0] }, width: room)
      lines.append("\(cells(row, columns))  \(names[0])")
      lines += names.dropFirst().map { margin + $0 }
    }
    return lines
  }

  /// Numbers only, in as many blocks of columns as the width needs, followed by the names.
  private var apart: [String] {
    let most = max(1, (width - gridWidth(0)) / (numberWidth + 1))
    let blocks = max(1, (columns.count + most - 1) / most)
    let size = (columns.count + blocks - 1) / blocks
    var lines: [String] = []
    for block in 0..<blocks {
      let shown = Array(columns.dropFirst(block * size).prefix(size))
      lines += [header(shown)] + rows.map { cells($0, shown).trimmingEnd } + [""]
    }
    let margin = numberWidth + 2
    for row in rows {
      let names = namesLines(row.members.map { endpoints[$0] }, width: width - margin)
      lines.append(pad("\(row.number)") + "  " + names[0])
      lines += names.dropFirst().map { String(repeating: " ", count: margin) + $0 }
    }
    return lines
  }

  private func header(_ columns: [Group]) -> String {
    pad("") + " " + columns.map { " " + pad("\($0.number)") }.joined()
  }

  private func cells(_ row: Group, _ columns: [Group]) -> String {
    let symbols = columns.map { grid.symbol(from: row.members, to: $0.members).rawValue }
    return pad("\(row.number)") + " " + symbols.map { " " + pad(String($0)) }.joined()
  }

  private func gridWidth(_ columns: Int) -> Int { numberWidth + 1 + columns * (numberWidth + 1) }

  private func pad(_ text: String) -> String { text.leftPadded(numberWidth) }
}
