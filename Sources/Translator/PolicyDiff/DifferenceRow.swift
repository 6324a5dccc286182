public import NetpolModel

/// Flows that two policy sets judge differently, and in the same way: all from a sender to a destination that ask one of
/// the questions, except those that `DiffSpace.isUndisputed`.
public struct DifferenceRow: Hashable, Sendable {
  /// Whether the flows are denied by the old policies and allowed by the new ones. Otherwise it is the other way round.
  public let isOpened: Bool
  /// Which policies judge differently: those of the sender (egress), those of the destination, or both.
  public let directions: Set<Direction>
  /// By number of the end. Each has a flow in the row.
  public let senders: Bits
  public let destinations: Bits
  /// By number of the question.
  public let questions: Bits
  /// Ends that are alike and have no flow in this row. Names may include them.
  public let alike: (senders: Bits, destinations: Bits)

  public static func == (a: Self, b: Self) -> Bool {
    a.isOpened == b.isOpened && a.directions == b.directions && a.senders == b.senders
      && a.destinations == b.destinations && a.questions == b.questions
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(isOpened)
    hasher.combine(senders)
    hasher.combine(destinations)
    hasher.combine(questions)
  }

  public func contains(_ source: Int, _ destination: Int, _ question: Int, in space: DiffSpace) -> Bool {
    senders.contains(source) && destinations.contains(destination) && questions.contains(question)
      && !space.isUndisputed(source, destination)
  }

  /// The row of a product of ends. `nil` if no flow of it can be disputed.
  init?(
    _ change: QuestionDifference.Change, _ senders: Bits, _ destinations: Bits, _ questions: Bits, _ space: DiffSpace
  ) {
    let kept = senders.filtered { sender in
      destinations.contains { !space.isUndisputed(sender, $0) }
    }
    let reached = destinations.filtered { destination in
      kept.contains { !space.isUndisputed($0, destination) }
    }
    if kept.isEmpty { return nil }
    isOpened = change.isOpened
    directions = change.directions
    self.senders = kept
    self.destinations = reached
    self.questions = questions
    alike = (senders.subtracting(kept), destinations.subtracting(reached))
  }
}

extension Bits {
  fileprivate func filtered(_ isKept: (Int) -> Bool) -> Bits {
    var bits = self
    visit { if !isKept($0) { bits.remove($0) } }
    return bits
  }

  fileprivate func contains(where holds: (Int) -> Bool) -> Bool {
    for (index, word) in words.enumerated() {
      var rest = word
      while rest != 0 {
        if holds(index << 6 + rest.trailingZeroBitCount) { return true }
        rest &= rest - 1
      }
    }
    return false
  }
}
