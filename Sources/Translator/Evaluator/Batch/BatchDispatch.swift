internal import RuleIR

/// Finds the rules of a chain that can match, by the addresses that they name. All lists are in the order of rules.
struct BatchDispatch {
  /// One list after another: rules without an address, rules of each source, rules of each destination.
  private(set) var rules: [Int32] = []
  /// Where each list begins, and where the last one ends.
  private var starts: [Int32] = []
  private let count: Int

  /// `count` is the number of addresses.
  init(count: Int) { self.count = count }

  mutating func fill(_ named: some Sequence<(Int, (side: Side, number: Int)?)>) {
    var lists = [[Int32]](repeating: [], count: 1 + 2 * count)
    for (rule, address) in named {
      let list = address.map { 1 + $0.number + ($0.side == .source ? 0 : count) } ?? 0
      lists[list].append(Int32(rule))
    }
    for list in lists {
      starts.append(Int32(rules.count))
      rules += list
    }
    starts.append(Int32(rules.count))
  }

  /// Where in `rules` the rules without an address, those of the packet's source and those of its destination are.
  func candidates(_ packet: BatchPacket) -> (Range<Int>, Range<Int>, Range<Int>) {
    (list(0), list(1 + packet.source), list(1 + count + packet.destination))
  }

  /// Removes and returns the first rule of three lists. Returns -1 if all are empty.
  func takeFirst(_ one: inout Range<Int>, _ two: inout Range<Int>, _ three: inout Range<Int>) -> Int {
    let none = Int32.max
    let first = one.isEmpty ? none : rules[one.lowerBound]
    let second = two.isEmpty ? none : rules[two.lowerBound]
    let third = three.isEmpty ? none : rules[three.lowerBound]
    let next = min(first, second, third)
    if next == none { return -1 }
    if next == first {
      one = one.dropFirst()
    } else if next == second {
      two = two.dropFirst()
    } else {
      three = three.dropFirst()
    }
    return Int(next)
  }

  private func list(_ number: Int) -> Range<Int> { Int(starts[number])..<Int(starts[number + 1]) }
}

extension BatchTest {
  /// The single address that the test asks for, if any.
  var address: (side: Side, number: Int)? {
    switch self {
    case .sourceIs(let number): (.source, number)
    case .destinationIs(let number): (.destination, number)
    case .source, .destination, .port, .fact, .mark, .keyed: nil
    }
  }
}
