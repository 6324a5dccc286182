public import NetpolModel
public import RuleIR

/// Runs packets through a ruleset: what the rules mean, in user space and without root.
///
/// It has no clock, so no rate limit is ever exceeded.
public struct Evaluator: Sendable {
  let tables: [PreparedTable]
  let sets: [PreparedSet]
  let keyedSets: [PreparedKeyedSet]
  let localAddresses: Set<IPAddress>
  /// Base chains of each hook and family, lowest priority first. Of those with the same priority, the last comes first:
  /// the kernel puts a new one in front (`nf_hook_entries_grow`).
  let bases: [Entry: [Place]]

  struct Entry: Hashable {
    let hook: Hook
    let family: IPFamily
  }
  struct Place {
    let priority: Int
    let table: Int
    let chain: Int
  }

  /// `localAddresses` are the node's own, for `addrtype LOCAL`. 127.0.0.0/8 and ::1 are always included.
  /// Throws `IllFormed` for anything that a kernel would refuse.
  public init(_ ruleset: Ruleset, localAddresses: Set<IPAddress>) throws(IllFormed) {
    try self.init([ruleset], localAddresses: localAddresses)
  }

  /// For rulesets that are loaded one after the other. No two of them have a table with the same family and name.
  public init(_ rulesets: [Ruleset], localAddresses: Set<IPAddress>) throws(IllFormed) {
    var own = PreparedParts(for: .manyPackets)
    try self.init(rulesets, localAddresses: localAddresses, sharing: &own)
  }

  /// The same for one of several nodes, whose equal sets and chains are prepared once. `isChecked`: whether the caller
  /// knows that the rulesets are well formed.
  public init(
    _ rulesets: [Ruleset], localAddresses: Set<IPAddress>, isChecked: Bool = false, sharing shared: inout PreparedParts
  ) throws(IllFormed) {
    var sets: [PreparedSet] = []
    var keyedSets: [PreparedKeyedSet] = []
    var tables: [PreparedTable] = []
    for ruleset in rulesets {
      if !isChecked { try ruleset.checkWellFormed() }
      // In one family, a plain set and a keyed set never have the same name.
      var index: [IPFamily: [SetName: Int]] = [:]
      for (number, set) in ruleset.sets.enumerated() { index[set.family, default: [:]][set.name] = sets.count + number }
      for (number, set) in ruleset.keyedSets.enumerated() {
        index[set.family, default: [:]][set.name] = keyedSets.count + number
      }
      for set in ruleset.sets { sets.append(shared.prepared(set)) }
      keyedSets += ruleset.keyedSets.map(PreparedKeyedSet.init)
      tables += ruleset.tables.map { PreparedTable($0, setIndex: index[$0.family] ?? [:], sharing: &shared) }
    }
    self.sets = sets
    self.keyedSets = keyedSets
    self.tables = tables
    var bases: [Entry: [Place]] = [:]
    for (t, table) in rulesets.flatMap(\.tables).enumerated() {
      for (c, chain) in table.chains.enumerated() {
        guard let base = chain.base else { continue }
        bases[Entry(hook: base.hook, family: table.family), default: []].append(
          Place(priority: base.priority, table: t, chain: c))
      }
    }
    self.bases = bases.mapValues { places in places.reversed().sorted { $0.priority < $1.priority } }
    self.localAddresses = localAddresses
  }

  /// Runs a packet through one hook. `accept` ends one base chain only; those with the next priority still run.
  ///
  /// A nat chain only sees the first packet of a connection, and only until one translates it (`nf_nat_inet_fn`).
  /// `leavingFrom` is the address of the outgoing interface, which masquerading puts on the packet. Without it the
  /// source stays. `isTranslated`: whether an earlier hook has decided about this hook's translation.
  public func run(
    _ packet: Packet, at hook: Hook, leavingFrom: IPAddress? = nil, isTranslated: Bool = false
  ) -> Outcome {
    var state = Run(packet: packet, leavingFrom: leavingFrom, isTranslated: isTranslated)
    for place in bases[Entry(hook: hook, family: packet.family)] ?? [] {
      let base = tables[place.table].chains[place.chain].base
      if base?.kind == .nat, state.packet.state != .new || state.isTranslated { continue }
      switch step(place.table, place.chain, &state) {
      case .accept: continue
      case .drop: return Outcome(.drop, state)
      case .reject(let kind): return Outcome(.reject(kind), state)
      case .return, nil: if base?.policy == .drop { return Outcome(.drop, state) }
      }
    }
    return Outcome(.accept, state)
  }

  struct Run {
    var packet: Packet
    let leavingFrom: IPAddress?
    var isTranslated: Bool
    var steps: [Step] = []
    var rulesVisited = 0
  }

  /// How a chain ended. `nil` if its rules ran out.
  private enum End {
    case accept, drop, `return`
    case reject(Statement.Rejection)
  }

  private func step(_ table: Int, _ chain: Int, _ run: inout Run) -> End? {
    let rules = tables[table].chains[chain].rules
    let firstTests = tables[table].chains[chain].firstTests
    var next = 0
    rules: while next < rules.count {
      // Most rules fail on the first test: those are not copied.
      let index = firstTests.next(from: next, FirstTested(run.packet))
      run.rulesVisited += min(index + 1, rules.count) - next
      if index == rules.count { break }
      next = index + 1
      guard holdsAll(rules[index].matches, run.packet) else { continue }
      run.steps.append(
        Step(
          table: tables[table].name, chain: tables[table].chains[chain].name, index: index, rule: rules[index].source))
      for statement in rules[index].statements {
        switch statement {
        case .nothing: break
        case .setMarkFrom(let fields, let map):
          guard let value = run.packet.key(fields).flatMap({ keyedSets[map].number(of: $0) }) else {
            // Continue as if the rule had not matched: no statement comes before this lookup.
            run.steps.removeLast()
            continue rules
          }
          run.packet.mark = value
        case .verdictFrom(let fields, let map):
          guard let number = run.packet.key(fields).flatMap({ keyedSets[map].number(of: $0) }) else {
            run.steps.removeLast()
            continue rules
          }
          switch keyedSets[map].verdicts[Int(number)] {
          case .drop: return .drop
          case .goto(let name): return go(table, tables[table].chainIndex[name] ?? 0, &run)
          }
        case .goto(let target): return go(table, target, &run)
        case .notrack:
          run.packet.state = .untracked
        case .setMark(let mark): run.packet.mark = (run.packet.mark & ~mark.mask) ^ mark.value
        case .accept: return .accept
        case .drop: return .drop
        case .reject(let kind): return .reject(kind)
        case .return: return .return
        case .dnat(let address, let port):
          run.packet.translate(to: address, port)
          run.isTranslated = true
          return .accept
        case .masquerade:
          if let address = run.leavingFrom { run.packet.source = address }
          run.isTranslated = true
          return .accept
        case .jump(let target):
          switch step(table, target, &run) {
          case .return, nil: break
          case let end?: return end
          }
        }
      }
    }
    return nil
  }

  /// Runs a chain in place of the rest of another. What returns from it leaves that one too.
  private func go(_ table: Int, _ chain: Int, _ run: inout Run) -> End? {
    switch step(table, chain, &run) {
    case .return, nil: nil
    case let end?: end
    }
  }

  private func holdsAll(_ matches: [PreparedMatch], _ packet: Packet) -> Bool {
    for match in matches where !holds(match, packet) { return false }
    return true
  }

  func holds(_ match: PreparedMatch, _ packet: Packet) -> Bool {
    switch match {
    case .address(let side, let cidr, let negated): return cidr.contains(packet[side]) != negated
    case .inSet(let side, let set, let negated): return sets[set].contains(packet[side]) != negated
    case .addresses(let side, let cidrs, let negated):
      return cidrs.contains { $0.contains(packet[side]) } != negated
    case .keyed(let fields, let set): return packet.key(fields).map { keyedSets[set].contains($0) } ?? false
    case .transport(let wanted):
      if case .transport(let transport, _, _) = packet.payload { return transport == wanted }
      return false
    case .ports(let wanted, let ranges):
      guard case .transport(let transport, _, let port) = packet.payload, transport == wanted else { return false }
      return ranges.contains { $0.contains(port) }
    case .sourcePort(let wanted, let range):
      guard case .transport(let transport, let port, _) = packet.payload, transport == wanted else { return false }
      return range.contains(port)
    case .icmpType(let wanted):
      if case .icmp(let type) = packet.payload { return type == wanted }
      return false
    case .conntrack(let states): return states.contains(packet.state)
    case .translated: return packet.hasNewDestination
    case .bridged: return packet.isBridged
    case .local(let side): return isLocal(packet[side])
    case .mark(let mark, let negated): return ((packet.mark & mark.mask) == mark.value) != negated
    case .limit: return true
    // Always takes the first of several choices, so that a user can predict the result.
    case .random(let share): return share > 0
    case .codePoint(let wanted): return packet.codePoint == wanted
    }
  }

  func isLocal(_ address: IPAddress) -> Bool {
    localAddresses.contains(address) || address.isLoopback
  }
}

extension Packet {
  fileprivate mutating func translate(to address: IPAddress, _ port: UInt16?) {
    destination = address
    hasNewDestination = true
    if let port, case .transport(let transport, let source, _) = payload {
      payload = .transport(transport, source: source, destination: port)
    }
  }

  /// Returns the values of the fields, or `nil` if the packet lacks one of them.
  func key(_ fields: [PacketField]) -> [UInt128]? {
    var key: [UInt128] = []
    for field in fields {
      switch (field, payload) {
      case (.mark, _): key.append(UInt128(mark))
      case (.address(let side), _): key.append(self[side].bits)
      case (.transport, .transport(let transport, _, _)): key.append(UInt128(transport.number))
      case (.transport, .icmp): key.append(family == .v4 ? 1 : 58)
      case (.transport, .other(let number)): key.append(UInt128(number))
      case (.port, .transport(_, _, let port)): key.append(UInt128(port))
      case (.port, .icmp), (.port, .other): return nil
      }
    }
    return key
  }

  fileprivate subscript(side: Side) -> IPAddress { side == .source ? source : destination }
}
