internal import NetpolModel
internal import Rendering
public import RuleIR

/// A node's dump compared with what a style would have written there.
public struct DumpComparison: Sendable {
  /// Empty if the node has what the style writes, apart from what the controller leaves to chance.
  public internal(set) var differences: [Difference] = []
  public internal(set) var notes: [String] = []
  public internal(set) var foreign = NodeRules.Foreign()
  /// How much of the style's rules was compared.
  public internal(set) var chains = 0
  public internal(set) var rules = 0
  public internal(set) var sets = 0

  /// True if nothing of the style was compared. Then the two are not equal: there was nothing to compare.
  public var isEmpty: Bool { chains == 0 && rules == 0 && sets == 0 && differences.isEmpty }
}

/// One chain, set or table that differs.
public struct Difference: Hashable, Sendable {
  public enum Line: Hashable, Sendable {
    case onlyOnNode(String)
    case onlyExpected(String, Origin?)
  }
  /// What differs and which object it belongs to: `chain KUBE-POD-FW-… of pod app/web (filter, IPv4)`.
  public let subject: String
  /// In a few words: `differs`, `is not on the node` and the like.
  public let problem: String
  public let lines: [Line]
}

extension DumpComparison {
  /// Compares an enforcer's part of a dump, which its traces identify, with the rules that it would write.
  ///
  /// Some things are left to chance and not compared: the order of pods in the KUBE-ROUTER chains, the order of
  /// policies in a pod's chain, and the numbering of a named port's sets (kube-router walks Go maps there). Chains are
  /// recognised by the rules that jump to them, because their names hash the time of the sync. With `namesHold` the
  /// names are compared too. Counters and foreign rules are ignored.
  ///
  /// `sharedLists` tell which members chance could give the sets of named ports (D16). Members that some order of pods
  /// gives are no difference.
  ///
  /// Throws if the dump's language can't express the style's rules.
  public init(
    _ node: NodeRules, expected: Ruleset, traces: Traces, namesHold: Bool, sharedLists: [SharedLists] = []
  ) throws {
    let stated = try StatedRules(expected)
    var pairs: [ComparedTable] = []
    for table in stated.tables {
      guard let real = node.tables.first(where: { $0.name == table.name && $0.family == table.family }) else {
        differences.append(
          Difference(
            subject: "table \(table.name) (\(table.family.rawValue))", problem: "is not on the node", lines: []))
        continue
      }
      pairs.append(ComparedTable(real, table, node, stated, traces, namesHold: namesHold))
    }
    let excused = Self.excused(sharedLists, pairs)
    for pair in pairs { try compare(pair, node, stated, traces, excused) }
    foreign = node.foreign(besides: stated.tables, traces)
  }

  /// The node's sets whose members differ from ours, but that another order of pods gives, all sets of a rule at once.
  private static func excused(_ sharedLists: [SharedLists], _ pairs: [ComparedTable]) -> Set<SetPlace> {
    var excused: Set<SetPlace> = []
    for lists in sharedLists {
      var found: [SetPlace: Set<IPAddress>] = [:]
      var places: Set<SetPlace> = []
      for place in lists.sets.keys {
        guard let pair = pairs.first(where: { $0.table.family == place.family }) else { continue }
        let name = pair.setNames[place.set] ?? place.set
        guard let set = pair.onNode.sets[name], set.stored.allSatisfy({ $0.cidr.isHost && !$0.nomatch }) else {
          continue
        }
        found[place] = Set(set.stored.map(\.cidr.network))
        places.insert(SetPlace(set: name, family: place.family))
      }
      if lists.canHave(found) { excused.formUnion(places) }
    }
    return excused
  }

  private mutating func compare(
    _ pair: ComparedTable, _ node: NodeRules, _ stated: StatedRules, _ traces: Traces,
    _ excused: Set<SetPlace>
  ) throws {
    let (real, table, ours, freedoms) = (pair.real, pair.table, pair.ours, pair.freedoms)
    var onNode = pair.onNode
    let place = "(\(table.name), \(table.family.rawValue))"
    chains += ours.chains.count
    rules += ours.chains.values.reduce(0) { $0 + $1.rules.count }
    sets += ours.sets.count + stated.keyedSets.count { $0.family == table.family }

    let titles = ours.titles
    let title = { (name: ChainName) in "chain \(name)\(titles[name].map { " of \($0)" } ?? "") \(place)" }
    for name in Set(onNode.chains.keys).union(ours.chains.keys).sorted() {
      guard let expected = ours.chains[name] else {
        let jumps = onNode.comments(ofJumpsTo: name)
        differences.append(
          Difference(
            subject: "\(title(name))\(jumps.first.map { ", jumped to by \"\($0)\"" } ?? "")",
            problem: "is on the node and not expected", lines: try onNode.lines(of: name).map { .onlyOnNode($0) }))
        continue
      }
      guard let found = onNode.chains[name] else {
        let lines = try ours.lines(of: name)
        differences.append(
          Difference(
            subject: title(name), problem: "is not on the node",
            lines: zip(lines, expected.rules).map { .onlyExpected($0, $1.origin) }))
        continue
      }
      onNode.chains[name]?.rules = freedoms.aligned(found, to: expected)
      try compareChain(name, title(name), onNode, ours, hasComments: node.hasCommentsOnObjects)
    }
    compareSets(onNode, ours, place, excused)
    compareKeyedSets(node.keyedSets.filter { traces.isSet($0.name) }, stated.keyedSets, table.family, place)
    if node.hasCommentsOnObjects, table.comment != real.comment {
      differences.append(
        Difference(
          subject: "table \(table.name)", problem: "has a different comment",
          lines: [.onlyOnNode(real.comment ?? "(none)"), .onlyExpected(table.comment ?? "(none)", nil)]))
    }
    if node.backend == .iptables { comparePlaces(real, table, node, place) }
  }

  private mutating func compareChain(
    _ name: ChainName, _ title: String, _ onNode: TableSide, _ ours: TableSide, hasComments: Bool
  ) throws {
    let (found, expected) = (try onNode.lines(of: name), try ours.lines(of: name))
    let rules = ours.chains[name]?.rules ?? []
    var lines: [Difference.Line] = []
    if onNode.backend == .nftables {
      let (real, stated) = (
        onNode.header(of: name, withComment: hasComments), ours.header(of: name, withComment: hasComments)
      )
      if real != stated { lines += [.onlyOnNode(real), .onlyExpected(stated, nil)] }
    }
    for change in expected.difference(from: found) {
      switch change {
      case .remove(_, let text, _): lines.append(.onlyOnNode(text))
      case .insert(let index, let text, _):
        lines.append(.onlyExpected(text, rules.indices.contains(index) ? rules[index].origin : nil))
      }
    }
    if !lines.isEmpty { differences.append(Difference(subject: title, problem: "differs", lines: lines)) }
  }

  private mutating func compareSets(
    _ onNode: TableSide, _ ours: TableSide, _ place: String, _ excused: Set<SetPlace>
  ) {
    for name in Set(onNode.sets.keys).union(ours.sets.keys).sorted() {
      let expected = ours.sets[name]
      let title = "set \(name)\(expected?.origin.flatMap(describe).map { " of \($0)" } ?? "") \(place)"
      guard let expected else {
        differences.append(Difference(subject: title, problem: "is on the node and not expected", lines: []))
        continue
      }
      guard let found = onNode.sets[name] else {
        differences.append(Difference(subject: title, problem: "is not on the node", lines: []))
        continue
      }
      var lines: [Difference.Line] = []
      if found.kind != expected.kind {
        lines += [.onlyOnNode(found.kind.rawValue), .onlyExpected(expected.kind.rawValue, nil)]
      }
      if found.comment != expected.comment {
        lines += [
          .onlyOnNode(found.comment ?? "(no comment)"), .onlyExpected(expected.comment ?? "(no comment)", nil),
        ]
      }
      let isExcused = excused.contains(SetPlace(set: name, family: onNode.family))
      let (real, stated) = (Set(found.stored), isExcused ? Set(found.stored) : Set(expected.stored))
      lines += real.subtracting(stated).sorted().map { .onlyOnNode($0.text) }
      lines += stated.subtracting(real).sorted().map { .onlyExpected($0.text, nil) }
      if !lines.isEmpty { differences.append(Difference(subject: title, problem: "differs", lines: lines)) }
    }
  }

  /// Ignores the size, because a set may keep the size that it was created with.
  private mutating func compareKeyedSets(
    _ found: [KeyedSet], _ expected: [KeyedSet], _ family: IPFamily, _ place: String
  ) {
    let byName = { (sets: [KeyedSet]) in
      Dictionary(sets.filter { $0.family == family }.map { ($0.name, $0) }) { first, _ in first }
    }
    let (found, expected) = (byName(found), byName(expected))
    for name in Set(found.keys).union(expected.keys).sorted() {
      let subject = "set \(name) \(place)"
      guard let ours = expected[name] else {
        differences.append(Difference(subject: subject, problem: "is on the node and not expected", lines: []))
        continue
      }
      guard let real = found[name] else {
        differences.append(Difference(subject: subject, problem: "is not on the node", lines: []))
        continue
      }
      var lines: [Difference.Line] = []
      if real.kindText != ours.kindText {
        lines += [.onlyOnNode(real.kindText), .onlyExpected(ours.kindText, nil)]
      }
      let (there, stated) = (Set(real.elements), Set(ours.elements))
      let texts = { (elements: Set<KeyedSet.Element>) in
        elements.sorted(by: KeyedSet.Element.precedes).map { nftElementText($0, of: ours) }
      }
      lines += texts(there.subtracting(stated)).map { .onlyOnNode($0) }
      lines += texts(stated.subtracting(there)).map { .onlyExpected($0, nil) }
      if !lines.isEmpty { differences.append(Difference(subject: subject, problem: "differs", lines: lines)) }
    }
  }

  /// The jump must be the first rule of a built-in chain. The fork puts its explicit ACCEPT after the last rule that
  /// mentions KUBE, and never moves it afterwards.
  private mutating func comparePlaces(_ real: Table, _ table: Table, _ node: NodeRules, _ place: String) {
    for expected in table.chains where expected.base != nil {
      guard let chain = real.chain(expected.name) else { continue }
      let rules = node.order(of: chain, in: real)
      if let jump = rules.firstIndex(where: { $0.isJump }), jump > 0 {
        differences.append(
          Difference(
            subject: "chain \(chain.name) \(place)", problem: "has rules of other programs before kube-router's jump",
            lines: rules[..<jump].map { .onlyOnNode($0.text) }))
      }
      guard let accept = rules.firstIndex(where: \.isExplicitAccept) else { continue }
      let last = rules.lastIndex { !$0.isExplicitAccept && $0.mentionsKube } ?? -1
      if accept != (last < accept ? last + 1 : last) {
        notes.append(
          "\(chain.name) \(place): the explicit ACCEPT is rule \(accept + 1). A first sync today would put it after "
            + "the last rule that mentions KUBE, rule \(last + 1). Rules have changed since; kube-router never moves it"
        )
      }
      let refusing = rules[..<accept].filter { !$0.mentionsKube && $0.refuses }
      for rule in refusing {
        notes.append(
          "\(chain.name) \(place): this rule of another program comes before the explicit ACCEPT and may refuse what "
            + "the policies allow: \(rule.text)")
      }
    }
  }
}

extension KeyedSet {
  fileprivate var kindText: String {
    "\(isMap ? "map" : "set") of \(fields.map(\.rawValue).joined(separator: " . "))"
      + (isMap ? " to \(content.rawValue)s" : "") + (hasRanges ? ", with ranges" : "")
  }
}

extension NamedSet.Member {
  var text: String { (cidr.isHost ? "\(cidr.network)" : "\(cidr)") + (nomatch ? " nomatch" : "") }
}

/// `policy app/p, ingress rule 1, named port http`, counted from 1.
public func describe(_ origin: Origin) -> String? {
  var parts: [String] = []
  if let policy = origin.policy {
    parts.append("policy \(policy)")
  } else if let pod = origin.pod {
    parts.append("pod \(pod)")
  }
  if let direction = origin.direction {
    parts.append(direction.keyword + (origin.rule.map { " rule \($0 + 1)" } ?? ""))
  }
  if let name = origin.portName { parts.append("named port \(name)") }
  return parts.isEmpty ? nil : parts.joined(separator: ", ")
}
