internal import Kernel
internal import NetpolModel
internal import Rendering
internal import RuleIR

extension NftPieces {
  mutating func add(_ table: Table) throws {
    let comment = try table.comment.map(nftComment)
    append(.table(table)) { $0.addTable(table.name, table.family.netlink, comment: comment) }
  }

  /// Adds a chain without its rules.
  mutating func add(_ chain: Chain, _ table: Table) throws {
    let base = chain.base.map {
      NftBatch.Base(
        type: $0.kind.rawValue, hook: $0.hook.number, priority: Int32(clamping: $0.priority), drops: $0.policy == .drop)
    }
    let comment = try chain.comment.map(nftComment)
    append(.chain(chain.name, table)) {
      $0.addChain(chain.name, in: table.name, table.family.netlink, base: base, comment: comment)
    }
  }

  /// Deletes the rules of the chains that are gone or change, so that none jumps to a chain that is deleted then.
  mutating func empty(_ change: RulesetChanges.Chains, _ table: Table) {
    for name in change.rewritten.map(\.name) + change.gone {
      append(.chain(name, table)) { $0.flushChain(name, in: table.name, table.family.netlink) }
    }
  }

  mutating func delete(_ change: RulesetChanges.Chains, _ table: Table) {
    for name in change.gone {
      append(.chain(name, table)) { $0.deleteChain(name, in: table.name, table.family.netlink) }
    }
  }

  mutating func addRules(
    of chain: Chain, _ table: Table, _ sets: [SetName: NftSet], isLast: Bool = false
  ) throws {
    for (index, rule) in chain.rules.enumerated() {
      try add(rule, index + 1, chain, table, sets)
      if !isLast { splitIfFull() }
    }
  }

  private mutating func add(
    _ rule: Rule, _ number: Int, _ chain: Chain, _ table: Table, _ sets: [SetName: NftSet]
  ) throws {
    var writer = NftRuleWriter(family: table.family, sets: sets)
    var ownSets: [(NftSet, [NftElement])] = []
    for match in rule.matches {
      if case .multiport(let transport, let ranges) = match, ranges.count > 1 {
        let own = portSet(ranges)
        ownSets.append(own)
        writer.ports(transport, in: own.0)
      } else if case .addresses(let side, let cidrs, let negated) = match, !cidrs.isEmpty {
        let own = addressSet(cidrs, table.family)
        ownSets.append(own)
        writer.addresses(side, in: own.0, negated: negated)
      } else {
        try writer.append(match)
      }
    }
    for statement in rule.statements {
      switch statement {
      case .gotoRandomly(let names) where !names.isEmpty:
        let own = choiceMap(.verdict, names.map { .verdict(.goto($0)) })
        ownSets.append(own)
        writer.choose(names.count, in: own.0)
      case .dnatRandomly(let targets) where !targets.isEmpty:
        let own = choiceMap(
          .fields([table.family == .v4 ? .ipv4 : .ipv6, .port]),
          targets.map { .bytes($0.address.bytes + $0.port.networkBytes + [0, 0]) })
        ownSets.append(own)
        writer.choose(targets.count, in: own.0)
      default: try writer.append(statement)
      }
    }
    let comment = try rule.comment.map(nftComment)
    append(.rule(rule, number: number, chain.name, table)) {
      for (set, elements) in ownSets {
        $0.addSet(set, in: table.name, table.family.netlink)
        $0.addElements(elements, to: set, in: table.name, table.family.netlink)
      }
      $0.addRule(writer.expressions, to: chain.name, in: table.name, table.family.netlink, comment: comment)
    }
  }

  private mutating func addressSet(_ cidrs: [CIDR], _ family: IPFamily) -> (NftSet, [NftElement]) {
    let isInterval = cidrs.contains { !$0.isHost }
    let elements =
      isInterval
      ? intervalElements(cidrs.sorted().map { ($0.firstAddress.bytes, $0.lastAddress.bytes) }, isWhole: true)
      : cidrs.sorted().map { NftElement($0.network.bytes) }
    return (
      NftSet(
        "__set%d", [family == .v4 ? .ipv4 : .ipv6], id: nextSetID(), isInterval: isInterval, size: elements.count,
        isAnonymous: true), elements
    )
  }

  /// A map from the numbers below its size. Numbers are in host order.
  private mutating func choiceMap(_ data: NftSet.Data, _ values: [NftElement.Data]) -> (NftSet, [NftElement]) {
    let elements = values.enumerated().map { number, value in
      NftElement(withUnsafeBytes(of: UInt32(number)) { Array($0) }, value)
    }
    return (
      NftSet("__map%d", [.integer], id: nextSetID(), data: data, size: elements.count, isAnonymous: true), elements
    )
  }

  private mutating func portSet(_ ranges: [PortRange]) -> (NftSet, [NftElement]) {
    let isInterval = ranges.contains { $0.first != $0.last }
    let elements =
      isInterval
      ? intervalElements(
        mergedRanges(ranges).map { ($0.first.networkBytes, $0.last.networkBytes) }, isWhole: true)
      : Set(ranges.map(\.first)).sorted().map { NftElement($0.networkBytes) }
    return (
      NftSet("__set%d", [.port], id: nextSetID(), isInterval: isInterval, size: elements.count, isAnonymous: true),
      elements
    )
  }
}

/// The comment as `nftText` writes it: an nft string can't contain a quote. nft accepts at most 128 bytes
/// (NFTNL_UDATA_COMMENT_MAXLEN).
func nftComment(_ text: String) throws(Unsupported) -> String {
  let text = text.filter { $0 != "\"" && !$0.isNewline && $0 != "\0" }
  if text.utf8.count > 128 { throw Unsupported("the comment \(text), which is longer than 128 bytes", in: "nft") }
  return text
}

extension Hook {
  /// NF_INET_*, linux/netfilter.h.
  fileprivate var number: UInt32 {
    switch self {
    case .prerouting: 0
    case .input: 1
    case .forward: 2
    case .output: 3
    case .postrouting: 4
    }
  }
}

extension UInt16 {
  var networkBytes: [UInt8] { [UInt8(self >> 8), UInt8(truncatingIfNeeded: self)] }
}
