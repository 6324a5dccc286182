internal import Algorithms
internal import OrderedCollections
internal import RuleIR

/// What kube-router leaves to chance, because it walks Go maps over the numbers of a named port, over pods and over
/// policies.
struct NamedPortFreedoms {
  /// The rules of a chain that are for the numbers of one named port.
  private var ranges: [ChainName: [Range<Int>]] = [:]
  /// The sets for the numbers of one named port of one rule.
  private var groups: [Origin: [SetName]] = [:]

  init(_ ours: TableSide) {
    for chain in ours.chains.values {
      var start = 0
      while start < chain.rules.count {
        let first = chain.rules[start]
        var end = start + 1
        if first.origin?.portName != nil {
          while end < chain.rules.count, chain.rules[end].origin == first.origin,
            chain.rules[end].comment == first.comment
          { end += 1 }
          ranges[chain.name, default: []].append(start..<end)
        }
        start = end
      }
    }
    for set in ours.sets.values {
      if let origin = set.origin, origin.portName != nil { groups[origin, default: []].append(set.name) }
    }
  }

  /// Maps our names of named-port sets to the node's names: for sets with the same members that the same rules use, then
  /// for sets that the same rules use, since chance decides about members too (D16).
  func pairSets(_ node: TableSide, _ ours: TableSide) -> [SetName: SetName] {
    var pairs: [SetName: SetName] = [:]
    for names in groups.values where names.count > 1 {
      let found = names.sorted().map { ($0, uses(of: $0, node)) }
      var free = Set(names)
      var left = names.sorted()
      for isAlike in [{ $0 == $1 }, { $0.rules == $1.rules }] as [(Uses, Uses) -> Bool] {
        left = left.filter { name in
          let use = uses(of: name, ours)
          guard let same = found.first(where: { isAlike($0.1, use) && free.contains($0.0) }) else { return true }
          pairs[name] = same.0
          free.remove(same.0)
          return false
        }
      }
      for (a, b) in zip(left, free.sorted()) { pairs[a] = b }
    }
    return pairs
  }

  private struct Uses: Equatable {
    let members: Set<NamedSet.Member>
    let rules: Set<[Match]>
  }

  private func uses(of name: SetName, _ side: TableSide) -> Uses {
    var rules: Set<[Match]> = []
    for chain in side.chains.values {
      for rule in chain.rules {
        var asks = false
        let matches = rule.matches.map { match -> Match in
          guard case .inSet(let direction, name, let negated) = match else { return match }
          asks = true
          return .inSet(direction, "*", negated: negated)
        }
        if asks { rules.insert(matches) }
      }
    }
    return Uses(members: Set(side.sets[name]?.stored ?? []), rules: rules)
  }

  /// Returns the node's rules, in our order wherever the order is left to chance.
  func aligned(_ found: Chain, to expected: Chain) -> [Rule] {
    var rules = found.rules
    if found.name.hasPrefix("KUBE-ROUTER-") {
      rules = sortingRuns(rules, as: expected.rules) { $0.hasPrefix("KUBE-POD-FW-") }
    }
    if found.name.hasPrefix("KUBE-POD-FW-") {
      let fixed = ["COMMON", "DEFAULT", "TAIL"].map { "KUBE-NWPLCY-\($0)" }
      rules = sortingRuns(rules, as: expected.rules) { $0.hasPrefix("KUBE-NWPLCY-") && !fixed.contains($0) }
    }
    for range in ranges[found.name] ?? [] where range.upperBound <= min(rules.count, expected.rules.count) {
      rules.replaceSubrange(range, with: sortingPairs(Array(rules[range]), as: Array(expected.rules[range])))
    }
    return rules
  }

  /// Sorts the first run of rules that jump to targets of that kind: one group for each target in our order, unknown
  /// targets last.
  private func sortingRuns(
    _ rules: [Rule], as expected: [Rule], ofTargets isOfKind: (ChainName) -> Bool
  ) -> [Rule] {
    func target(_ rule: Rule) -> ChainName? {
      for case .jump(let name) in rule.statements where isOfKind(name) { return name }
      return nil
    }
    guard let first = rules.firstIndex(where: { target($0) != nil }) else { return rules }
    let run = rules[first...].prefix { target($0) != nil }
    let order = OrderedSet(expected.compactMap(target))
    let groups = run.chunked(on: target).map { name, rules in
      (rank: name.flatMap(order.firstIndex) ?? Int.max, rules: rules)
    }
    let sorted = groups.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }
    return rules[..<first] + sorted.flatMap(\.element.rules) + rules[run.endIndex...]
  }

  /// iptables has two rules for a number, nft has one.
  private func sortingPairs(_ rules: [Rule], as expected: [Rule]) -> [Rule] {
    let size = rules.count % 2 == 0 && expected.allSatisfy { $0.statements.count == 1 } ? 2 : 1
    var left = Array(rules.chunks(ofCount: size))
    var result: [ArraySlice<Rule>] = []
    for wanted in expected.chunks(ofCount: size).map({ $0.map(\.matches) }) {
      if let index = left.firstIndex(where: { $0.map(\.matches) == wanted }) { result.append(left.remove(at: index)) }
    }
    return (result + left).flatMap { $0 }
  }
}
