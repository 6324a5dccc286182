internal import Algorithms
internal import NetpolModel
internal import RuleIR

/// A rule in its place, and which changes of it are equivalent. docs/fuzzing.md has the proofs.
struct RulePlace {
  let rule: Rule
  let next: Rule?
  let chain: Chain
  private let index: Int
  /// Whether kube-router accepts in KUBE-NWPLCY-TAIL and not in the built-in chains.
  private let hasTail: Bool
  private let isNft: Bool

  private static let passed = Mark(0x20000, mask: 0x20000)

  init(_ index: Int, in chain: Chain, hasTail: Bool, isNft: Bool) {
    self.index = index
    self.chain = chain
    self.hasTail = hasTail
    self.isNft = isNft
    rule = chain.rules[index]
    next = index + 1 < chain.rules.count ? chain.rules[index + 1] : nil
  }

  /// For the rule replaced by `other`, or removed if that is `nil`.
  func equivalence(of other: Rule?) -> Equivalence? {
    let isGone = !(other?.decides ?? false)
    if !rule.decides, isGone { return .decidesNothing }
    if let other, other.matches == rule.matches {
      if other.deciding == rule.deciding { return .decidesNothing }
      if other.withOnes == rule.withOnes { return .markOne }
    }
    if rule.isShortCut(in: chain), isGone || other.map(leavesWithMark) == true { return .shortCut }
    let repeats = other.map { chain.repeats($0, at: index, strictly: false) } ?? false
    if chain.repeats(rule, at: index, strictly: true), isGone || repeats { return .repeated }
    if isOutput, rule.isFromPod { return isGone || repeats || other?.isFromPod == true ? .noPodSends : nil }
    // A base chain that accepts also accepts what returns from it.
    if let other, chain.base?.policy == .accept, rule.deciding == [.accept], other.deciding == [.return],
      other.matches == rule.matches
    {
      return .acceptedAnyway
    }
    return hasTail ? ofTail(other, isGone: isGone) ?? behindTail(other) : atTheEnd(other, isGone: isGone)
  }

  /// Whether `other` matches the mark, or the rule before it has set the mark of everything that it matches.
  private func leavesWithMark(_ other: Rule) -> Bool {
    if other.isShortCut(in: chain) { return true }
    guard other.deciding == [.return], index > 0 else { return false }
    let before = chain.rules[index - 1]
    return before.deciding == [.setMark(Rule.allowed)] && Set(before.matches).isSubset(of: other.matches)
  }

  /// For a changed match that decides nothing.
  func equivalence(of match: Match, _ mutation: MatchMutation) -> Equivalence? {
    switch (match, mutation) {
    case (.address, .absent), (.address, .wider):
      return rule.statements.contains { if case .setMarkFrom = $0 { true } else { false } } ? .spares : nil
    case (.mark(Mark(1, mask: 1), negated: false), .absent): return .spares
    // Packets without a mark of another program find no chain there.
    case (.mark(Mark(0, mask: .max), negated: true), .absent), (.mark(Mark(0, mask: .max), negated: true), .otherMark):
      return rule.statements == [.jump("marked")] ? .spares : nil
    case (.keyed(let fields, in: "s"), .otherSide):
      return fields == [.address(.source), .address(.destination)] ? .selves : nil
    case (.transport, .otherTransport), (.port, .otherTransport), (.multiport, .otherTransport):
      return chain.isPermuted(by: mutation, rule) ? .otherTransports : nil
    default: return nil
    }
  }

  /// For the rule swapped with the next one.
  func equivalence(behind next: Rule) -> Equivalence? {
    if !rule.decides || !next.decides { return .decidesNothing }
    if rule.isShortCut(in: chain) || next.isShortCut(in: chain) { return .shortCut }
    if isOutput, rule.isFromPod || next.isFromPod { return .noPodSends }
    if rule.commutes(with: next, in: chain) { return .commutes }
    if chain.repeats(rule, at: index, strictly: true) { return .repeated }
    if chain.origin?.pod != nil, rule.deciding == [.accept], next.onlyMarks { return .marksBehind }
    if !hasTail, !isNft, chain.base != nil, next.isAccept(of: Self.passed) { return .acceptedAnyway }
    return nil
  }

  private var isOutput: Bool { ["OUTPUT", "KUBE-ROUTER-OUTPUT"].contains(chain.name) }

  /// kube-router 2.11 refuses packets with an address of the node's pods there, after it has accepted those that
  /// passed. All such packets have passed.
  private func ofTail(_ other: Rule?, isGone: Bool) -> Equivalence? {
    guard chain.name == "KUBE-NWPLCY-TAIL", let block = rule.onlyAddress, case .reject? = rule.deciding.first else {
      return nil
    }
    return isGone || other?.onlyAddress == block ? .nobodyLeft : nil
  }

  /// The last rule of a hook in kube-router 2.11.
  private func behindTail(_ other: Rule?) -> Equivalence? {
    guard rule.isAccept(of: Self.passed), chain.name.hasPrefix("KUBE-ROUTER-") else { return nil }
    guard let other else { return .acceptedInTail }
    if other.matches == rule.matches { return .acceptedInTail }
    if case .mark(let mark, negated: false)? = other.matches.first, mark != Self.passed { return .acceptedInTail }
    return isNft && other.deciding == [.accept] ? .acceptedAnyway : nil
  }

  /// k3s's kube-router marks what passed and accepts it after kube-proxy's rules.
  private func atTheEnd(_ other: Rule?, isGone: Bool) -> Equivalence? {
    if isNft { return nil }
    if rule.deciding == [.setMark(Self.passed)] { return .acceptedAnyway }
    guard rule.isAccept(of: Self.passed) else { return nil }
    return isGone || other?.deciding == [.accept] || other?.deciding == [.return] ? .acceptedAnyway : nil
  }
}

extension Chain {
  /// Whether the rule only jumps to a chain to which another rule sends the same packets. With `strictly`, that rule
  /// must have fewer matches.
  fileprivate func repeats(_ rule: Rule, at index: Int, strictly: Bool) -> Bool {
    rule.jumps
      && rules.enumerated().contains { number, other in
        number != index && other.deciding == rule.deciding && Set(other.matches).isSubset(of: rule.matches)
          && (!strictly || other.matches.count < rule.matches.count)
      }
  }

  /// Whether changing the transport in each rule of the make leaves the same rules, in another order.
  fileprivate func isPermuted(by mutation: MatchMutation, _ rule: Rule) -> Bool {
    let site = RuleSite(rule, in: name)
    let places = rules.indices.filter { RuleSite(rules[$0], in: name) == site }
    guard let first = places.first, places == Array(first..<first + places.count),
      Set(places.map { rules[$0].statements }).count == 1
    else { return false }
    let own = places.map { rules[$0].matches }
    let others = own.map { matches in
      matches.flatMap { match in
        switch match {
        case .transport, .port, .multiport: mutation.mutated(match) ?? [match]
        default: [match]
        }
      }
    }
    return Set(own) == Set(others)
  }
}

extension Rule {
  fileprivate static let allowed = Mark(0x10000, mask: 0x10000)

  /// The statements that neither count nor log.
  fileprivate var deciding: [Statement] {
    statements.filter { statement in
      switch statement {
      case .counter, .log: false
      default: true
      }
    }
  }

  fileprivate var decides: Bool { !deciding.isEmpty }

  /// Whether the rule leaves a policy's chain early with the mark that all other rules there could only set again.
  fileprivate func isShortCut(in chain: Chain) -> Bool {
    chain.origin?.policy != nil && matches.contains(.mark(Self.allowed)) && deciding == [.return]
  }

  /// Whether the order of the two rules makes no difference: both do the same, mark different bits, match different
  /// packets, or jump to chains that refuse alike or only mark.
  fileprivate func commutes(with next: Rule, in chain: Chain) -> Bool {
    if deciding == next.deciding { return true }
    if let kind = jumpsTo, kind == next.jumpsTo { return true }
    if let states, let others = next.states, states.isDisjoint(with: others) { return true }
    if let mark, let other = next.mark, mark.mask & other.mask == 0, matches.isEmpty, next.matches.isEmpty {
      return true
    }
    return chain.origin?.policy != nil && (jumps || marks) && (next.jumps || next.marks)
  }

  private var marks: Bool { statements.contains { if case .setMark = $0 { true } else { false } } }

  fileprivate var jumps: Bool {
    decides && deciding.allSatisfy { if case .jump = $0 { true } else { false } }
  }

  /// The kind of chain that the rule jumps to, if each chain of the kind only refuses or marks, or a packet meets at
  /// most one of them.
  private var jumpsTo: String? {
    guard jumps, case .jump(let target)? = deciding.first, target != "KUBE-NWPLCY-COMMON", target != "KUBE-NWPLCY-TAIL"
    else { return nil }
    return ["KUBE-POD-FW-", "KUBE-NWPLCY-", "marked-"].first { target.hasPrefix($0) }
  }

  private var states: Set<ConntrackState>? {
    matches.firstNonNil { if case .conntrack(let states) = $0 { states } else { nil } }
  }

  private var mark: Mark? {
    if deciding.count == 1, case .setMark(let mark) = deciding[0] { mark } else { nil }
  }

  /// Whether a rule of a pod's chain only marks. Policies' chains never accept or refuse.
  fileprivate var onlyMarks: Bool {
    deciding.allSatisfy { statement in
      switch statement {
      case .setMark: true
      case .jump(let target): target.hasPrefix("KUBE-NWPLCY-") && target != "KUBE-NWPLCY-COMMON"
      default: false
      }
    }
  }

  fileprivate func isAccept(of mark: Mark) -> Bool { matches == [.mark(mark)] && deciding == [.accept] }

  /// Whether the rule jumps for packets from a pod's address, or from a block around it that is too small to include an
  /// address of a node.
  fileprivate var isFromPod: Bool {
    jumps
      && matches.contains { match in
        guard case .address(.source, let cidr, negated: false) = match else { return false }
        return cidr.prefixLength >= cidr.family.bitWidth - 1
      }
  }

  /// The block that the rule matches, on either side, if it matches nothing else.
  fileprivate var onlyAddress: CIDR? {
    if matches.count == 1, case .address(_, let cidr, negated: false) = matches[0] { cidr } else { nil }
  }

  /// The statements, with marks of one in place of zero.
  fileprivate var withOnes: [Statement] {
    statements.map { $0 == .setMark(Mark(0, mask: .max)) ? .setMark(Mark(1, mask: .max)) : $0 }
  }
}
