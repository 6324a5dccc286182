internal import NetpolModel

/// Joins what changes, sender by sender and question by question, to few rows.
///
/// Ends that are alike in every question are a class, and classes are joined: the peers of a subject that change in the
/// same way for the same ports, and then subjects with the same peers.
struct DifferenceRows {
  private let space: DiffSpace
  private let questions: [(number: Int, difference: QuestionDifference)]
  /// Classes of ends for which something changes.
  private let senders: [Bits]
  private let destinations: [Bits]

  init(_ space: DiffSpace, _ differences: [QuestionDifference]) {
    self.space = space
    questions = differences.enumerated().filter { !$1.isEmpty }.map { ($0, $1) }
    let count = space.ends.count
    senders = classes(questions.map(\.difference.numbers), count)
    destinations = classes(questions.map(\.difference.columns), count)
  }

  /// A change of some flows that ask some questions, from one class of ends to another.
  private struct Cell: Hashable {
    let change: QuestionDifference.Change
    let questions: Bits
  }

  private struct Group: Hashable {
    let cell: Cell
    /// The number of a class, or a set of ends.
    let subject: Bits
  }

  var all: [DifferenceRow] {
    let (space, questions, senders, destinations) = (space, questions, senders, destinations)
    let count = space.questions.count
    // By class of senders: what changes towards each class of destinations.
    let cells = concurrentMap(senders.count) { number -> [(destination: Int, cell: Cell)] in
      guard let sender = senders[number].first else { return [] }
      let rows = questions.map { ($0.number, $0.difference.rows[$0.difference.numbers[sender]]) }.filter {
        !$1.opened.isEmpty || !$1.closed.isEmpty
      }
      return destinations.indices.flatMap { index -> [(destination: Int, cell: Cell)] in
        guard let destination = destinations[index].first else { return [] }
        var found: [QuestionDifference.Change: Bits] = [:]
        for (question, row) in rows {
          if let change = row.change(destination) { found[change, default: Bits(count: count)].insert(question) }
        }
        return found.map { (index, Cell(change: $0, questions: $1)) }
      }
    }
    var byChange: [QuestionDifference.Change: [(sender: Int, destination: Int, cell: Cell)]] = [:]
    for (sender, row) in cells.enumerated() {
      for (destination, cell) in row { byChange[cell.change, default: []].append((sender, destination, cell)) }
    }
    return byChange.flatMap { change, cells -> [DifferenceRow] in
      let ofDestinations = joined(cells.map { ($0.cell, senders[$0.sender], destinations[$0.destination]) })
      let ofSenders = joined(cells.map { ($0.cell, destinations[$0.destination], senders[$0.sender]) })
      let isEgress = change.directions == [.egress]
      let takesSenders = isEgress ? ofSenders.count <= ofDestinations.count : ofSenders.count < ofDestinations.count
      let products =
        takesSenders
        ? ofSenders.map { (cell: $0.cell, senders: $0.subjects, destinations: $0.peers) }
        : ofDestinations.map { (cell: $0.cell, senders: $0.peers, destinations: $0.subjects) }
      return products.compactMap { DifferenceRow(change, $0.senders, $0.destinations, $0.cell.questions, space) }
    }.sorted(by: Self.isBefore)
  }

  /// First the peers of each subject, then the subjects.
  private func joined(
    _ cells: [(cell: Cell, peers: Bits, subject: Bits)]
  ) -> [(cell: Cell, peers: Bits, subjects: Bits)] {
    var peers: [Group: Bits] = [:]
    for (cell, some, subject) in cells { peers[Group(cell: cell, subject: subject), default: some].formUnion(some) }
    var subjects: [Group: Bits] = [:]
    for (group, some) in peers {
      subjects[Group(cell: group.cell, subject: some), default: group.subject].formUnion(group.subject)
    }
    return subjects.map { ($0.cell, $0.subject, $1) }
  }

  /// Opened ones first, then by their first sender, destination and question.
  private static func isBefore(_ a: DifferenceRow, _ b: DifferenceRow) -> Bool {
    if a.isOpened != b.isOpened { return a.isOpened }
    let (first, second) = (a.order, b.order)
    return first.lexicographicallyPrecedes(second)
  }
}

extension DifferenceRow {
  fileprivate var order: [Int] {
    [
      destinations.first ?? 0, senders.first ?? 0, questions.first ?? 0, directions.count,
      directions == [.egress] ? 0 : 1,
    ]
  }
}

/// Ends that have the same number in every list, without those for which nothing changes.
private func classes(_ lists: [[Int]], _ count: Int) -> [Bits] {
  let keys = (0..<count).map { end in lists.map { Int32($0[end]) } }
  var order: [[Int32]] = []
  var members: [[Int32]: Bits] = [:]
  for (end, key) in keys.enumerated() {
    if members[key] == nil {
      order.append(key)
      members[key] = Bits(count: count)
    }
    members[key]?.insert(end)
  }
  return order.compactMap { members[$0] }
}
