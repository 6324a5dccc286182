internal import Documents
internal import NetpolModel
internal import Run
internal import Text

/// Which part of the grid of workloads is shown, and how closely.
struct GridView {
  private let grid: WorkloadGrid
  private let view: RunReport.View
  private let profiles: WorkloadGrid.Profiles
  /// The most rows of a grid that fits a screen.
  private static let rowsAtMost = 36

  init(_ grid: WorkloadGrid, _ view: RunReport.View) {
    self.grid = grid
    self.view = view
    profiles = grid.profiles
  }

  private struct Line {
    let name: String
    let members: [Int]
  }

  var section: Section {
    if let focus = view.focus { return focused(focus) }
    let shown = grid.workloads.indices.filter { isShown($0) }
    var rows = lines(shown.filter { !grid.workloads[$0].isService }, columns: shown)
    var columns = columnLines(shown, rows: shown.filter { !grid.workloads[$0].isService })
    var blocks: [Block] = [
      .pieces(
        ["Rows send, columns receive."]
          + [
            ". allowed", "X denied", "+ some ports or pods only", "o x * the same, with known deviations",
            "! disagreement", "- no route", "blank: not asked",
          ],
        separator: "   ")
    ]
    if !view.isFull, rows.count > Self.rowsAtMost || columns.count > Self.rowsAtMost {
      (rows, columns) = (byNamespace(rows.flatMap(\.members)), byNamespace(columns.flatMap(\.members)))
      blocks.append(
        .paragraph("Namespaces; --namespace or --focus shows the workloads of one, --full shows all.", indent: 2))
      if rows.count > Self.rowsAtMost {
        blocks.append(.paragraph("The first \(Self.rowsAtMost) of \(rows.count) namespaces.", indent: 2))
        (rows, columns) = (Array(rows.prefix(Self.rowsAtMost)), Array(columns.prefix(Self.rowsAtMost)))
      }
    }
    let width = rows.map(\.name.count).max() ?? 0
    let title = String(repeating: " ", count: min(width, 48) + 6)
    if columns.count > 9 {
      let tens = columns.indices.map { ($0 + 1) % 10 == 0 ? String(($0 + 1) / 10 % 10) : " " }.joined()
      blocks.append(.code(title + tens, indent: 2))
    }
    blocks.append(.code(title + columns.indices.map { String(($0 + 1) % 10) }.joined(), indent: 2))
    for (index, row) in rows.enumerated() {
      let name = row.name.count > 48 ? row.name.prefix(45) + "..." : row.name[...]
      let number = String(repeating: " ", count: max(0, 3 - "\(index + 1)".count)) + "\(index + 1)"
      let padding = String(repeating: " ", count: max(0, min(width, 48) - name.count) + 2)
      let symbols = columns.map { String(symbol(row.members, $0.members)) }.joined()
      blocks.append(.code("\(number) \(name)\(padding)\(symbols)", indent: 2))
    }
    let others = columns.enumerated().filter { index, column in index >= rows.count || rows[index].name != column.name }
    if !others.isEmpty {
      blocks.append(
        .pieces(others.map { "\($0.offset + 1) \($0.element.name)" }, separator: "  ", first: "  columns: ", indent: 4))
    }
    return Section(blocks)
  }

  /// What one workload may send and receive, with ports.
  private func focused(_ name: String) -> Section {
    guard let own = grid.workloads.firstIndex(where: { $0.name.lowercased() == name.lowercased() }) else {
      return Section([.paragraph("No flow was asked of \(name).")])
    }
    let others = Array(grid.workloads.indices)
    let title = self.name([own])
    let sent =
      grid.workloads[own].isService
      ? [] : [.heading("\(title) sends")] + told(others) { profiles.number(from: own, to: $0) }
    return Section(
      sent + [.heading("\(title) receives")]
        + told(others.filter { !grid.workloads[$0].isService }) {
          profiles.number(from: $0, to: own)
        })
  }

  /// One line for workloads of which the same is the case on the same ports.
  private func told(_ others: [Int], _ profile: (Int) -> Int) -> [Block] {
    grouped(others) { [profile($0)] }.flatMap { line -> [Block] in
      let kinds = Dictionary(grouping: profiles.mixes(of: profile(line.members[0]))) { $0.mix.rawValue }
        .sorted { $0.key < $1.key }
      if kinds.isEmpty { return [] }
      let names = line.members.map { self.name([$0]) }.abridged(to: view.isFull ? .max : 6)
      return [.paragraph(names, first: "  ", indent: 4)]
        + kinds.map { kind, asked in
          let mix = WorkloadGrid.Mix(rawValue: kind)
          let ports = asked.map { grid.questions[$0.question].description }.abridged(to: view.isFull ? .max : 12)
          let odd = mix.contains(.failing) ? ", DISAGREEMENT" : mix.contains(.deviating) ? ", by a deviation" : ""
          let verdict = mix.verdictText == "none" ? "no answer (no route, or not modelled)" : mix.verdictText
          return .paragraph("\(verdict)\(odd): \(ports)", first: "    ", indent: 8)
        }
    }
  }

  private func isShown(_ number: Int) -> Bool {
    if let namespace = view.namespace { return grid.workloads[number].namespace == namespace }
    return true
  }

  /// Workloads whose rows and columns are equal share a line.
  private func lines(_ rows: [Int], columns: [Int]) -> [Line] {
    grouped(rows) { row in columns.map { row == $0 ? -1 : profiles.number(from: row, to: $0) } }
  }

  private func columnLines(_ columns: [Int], rows: [Int]) -> [Line] {
    grouped(columns) { column in rows.map { $0 == column ? -1 : profiles.number(from: $0, to: column) } }
  }

  private func grouped(_ numbers: [Int], _ profile: (Int) -> [Int]) -> [Line] {
    var members: [[Int]: [Int]] = [:]
    var order: [[Int]] = []
    for number in numbers {
      let own = profile(number)
      if members[own] == nil { order.append(own) }
      members[own, default: []].append(number)
    }
    return order.map { Line(name: name(members[$0] ?? []), members: members[$0] ?? []) }
  }

  private func byNamespace(_ numbers: [Int]) -> [Line] {
    var members: [String: [Int]] = [:]
    var order: [String] = []
    for number in numbers {
      let name = grid.workloads[number].namespace ?? "nodes and hosts"
      if members[name] == nil { order.append(name) }
      members[name, default: []].append(number)
    }
    return order.map { Line(name: $0, members: members[$0] ?? []) }
  }

  private func name(_ members: [Int]) -> String {
    members.map { number in
      let workload = grid.workloads[number]
      return workload.members.count > 1 ? "\(workload.name) x\(workload.members.count)" : workload.name
    }.abridged(to: 2)
  }

  private func symbol(_ senders: [Int], _ receivers: [Int]) -> Character {
    var mix: WorkloadGrid.Mix = []
    for sender in senders {
      for receiver in receivers { mix.formUnion(profiles.total(of: profiles.number(from: sender, to: receiver))) }
    }
    if mix.contains(.failing) { return "!" }
    let isOdd = mix.contains(.deviating)
    switch (mix.contains(.allowed), mix.contains(.denied)) {
    case (true, true): return isOdd ? "*" : "+"
    case (true, false): return isOdd ? "o" : "."
    case (false, true): return isOdd ? "x" : "X"
    case (false, false): return mix.contains(.unanswered) ? "-" : " "
    }
  }
}
