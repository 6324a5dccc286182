internal import Algorithms
internal import RuleIR

/// A rule about one address, without that address. Its jumps go to a group of chains.
struct UnnamedRule: Hashable {
  let place: Int
  let tests: [BatchTest]
  let actions: [BatchAction]
}

/// The rules of a chain that names many addresses, by address. If two addresses have equal rules once the addresses are
/// left out, the chain treats them alike. Only which address's rules come first can still matter.
struct NamedRules {
  /// For each address, a number for the rules that name it as a source, and one for those that name it as a
  /// destination.
  let sourceLabels, destinationLabels: [UInt32]
  /// Where the rules of each address begin in the chain.
  let places: [Int32]

  /// Returns `nil` if a rule asks for an address other than the one it names, if it jumps to a chain without a table,
  /// or if rules of another address interrupt those of one address.
  init?(_ range: Range<Int>, _ builder: BatchBuilder) {
    let count = builder.questions.universe.addresses.count
    var sources = [[UnnamedRule]](repeating: [], count: count)
    var destinations = sources
    var places = [Int32](repeating: .max, count: count)
    var current = -1
    // The number of rules without an address so far.
    var unnamed = 0
    for number in range {
      let rule = builder.rules[number]
      let depends = builder.dependencies(of: rule)
      let singles = depends.source.singles.union(depends.destination.singles)
      guard let address = builder.tests[rule.tests].firstNonNil(\.address) else {
        if !singles.isEmpty { return nil }
        unnamed += 1
        continue
      }
      guard singles == [address.number], let rule = builder.unnamed(rule, behind: unnamed) else { return nil }
      if address.number != current {
        guard places[address.number] == .max else { return nil }
        places[address.number] = Int32(number)
        current = address.number
      }
      switch address.side {
      case .source: sources[address.number].append(rule)
      case .destination: destinations[address.number].append(rule)
      }
    }
    self.places = places
    sourceLabels = Self.labels(sources)
    destinationLabels = Self.labels(destinations)
  }

  private static func labels(_ lists: [[UnnamedRule]]) -> [UInt32] {
    var numbers: [[UnnamedRule]: UInt32] = [:]
    return lists.map { rules in
      let next = UInt32(numbers.count)
      let number = numbers[rules, default: next]
      if number == next { numbers[rules] = next }
      return number
    }
  }
}

extension BatchTest {
  /// The test without the single address that it asks for.
  var unnamed: BatchTest {
    switch self {
    case .sourceIs: .sourceIs(-1)
    case .destinationIs: .destinationIs(-1)
    case .source, .destination, .port, .fact, .mark, .keyed: self
    }
  }
}
