internal import NetpolModel
internal import Oracle

/// What two specifications say differently about the flows that ask one question: by sender, and all at once.
struct QuestionDifference: Sendable {
  /// What changes for the flows of a sender, by number of the destination.
  struct Row: Hashable, Sendable {
    var opened: Bits
    var closed: Bits
    /// Where the sender's own policies judge differently.
    var byEgress: Bits
    /// Where the destination's policies judge differently.
    var byIngress: Bits

    func change(_ destination: Int) -> Change? {
      if opened.contains(destination) { return Change(isOpened: true, directions: directions(destination)) }
      if closed.contains(destination) { return Change(isOpened: false, directions: directions(destination)) }
      return nil
    }

    private func directions(_ destination: Int) -> Set<Direction> {
      var directions: Set<Direction> = []
      if byEgress.contains(destination) { directions.insert(.egress) }
      if byIngress.contains(destination) { directions.insert(.ingress) }
      return directions
    }
  }

  struct Change: Hashable, Sendable {
    let isOpened: Bool
    let directions: Set<Direction>
  }

  /// Each once. The first is that of senders for which nothing changes.
  private(set) var rows: [Row]
  /// By sender.
  private(set) var numbers: [Int]
  /// The ends whose own policies judge flows differently that the other end's policies deny on both sides.
  private(set) var oneSided: [Direction: Bits] = [:]

  var isEmpty: Bool { rows.count == 1 }

  init(_ question: Flow.Question, _ space: DiffSpace, old: OracleMatrix, new: OracleMatrix) {
    let count = space.ends.count
    let none = Bits(count: count)
    rows = [Row(opened: none, closed: none, byEgress: none, byIngress: none)]
    numbers = Array(repeating: 0, count: count)
    let unreached = Bits(space.ownNodes.keys, count: count)
    let before = old.answers(to: question, ignoringOwnNodesOf: unreached)
    let after = new.answers(to: question, ignoringOwnNodesOf: unreached)
    var known = [rows[0]: 0]
    for sender in space.ends.indices {
      let (sentBefore, sentAfter) = (before.peers(of: sender, .egress), after.peers(of: sender, .egress))
      let (letInBefore, letInAfter) = (
        before.destinations(admitting: sender), after.destinations(admitting: sender)
      )
      if sentBefore == sentAfter, letInBefore == letInAfter { continue }
      let (allowedBefore, allowedAfter) = (
        sentBefore.intersection(letInBefore), sentAfter.intersection(letInAfter)
      )
      let changed = allowedBefore.symmetricDifference(allowedAfter)
      let byEgress = sentBefore.symmetricDifference(sentAfter)
      let byIngress = letInBefore.symmetricDifference(letInAfter)
      if !changed.isEmpty {
        let row = Row(
          opened: allowedAfter.subtracting(allowedBefore), closed: allowedBefore.subtracting(allowedAfter),
          byEgress: byEgress.intersection(changed), byIngress: byIngress.intersection(changed))
        let number = known[row, default: rows.count]
        if number == rows.count {
          known[row] = number
          rows.append(row)
        }
        numbers[sender] = number
      }
      if !space.disputed(byEgress.subtracting(changed), with: sender, .egress).isEmpty {
        oneSided[.egress, default: none].insert(sender)
      }
      let letIn = space.disputed(byIngress.subtracting(changed), with: sender, .egress)
      if !letIn.isEmpty { oneSided[.ingress, default: none].formUnion(letIn) }
    }
  }

  /// By destination: equal for those that all senders find alike.
  var columns: [Int] {
    var columns = [[Int32]](repeating: [], count: numbers.count)
    for (number, row) in rows.enumerated() {
      for (kind, bits) in [row.opened, row.closed, row.byEgress, row.byIngress].enumerated() {
        bits.visit { columns[$0].append(Int32(number * 4 + kind)) }
      }
    }
    return numbered(columns)
  }
}

/// Numbers values in order of their first appearance.
func numbered<Value: Hashable>(_ values: [Value]) -> [Int] {
  var known: [Value: Int] = [:]
  return values.map { value in
    let number = known[value, default: known.count]
    if number == known.count { known[value] = number }
    return number
  }
}
