public import NetpolModel
internal import RuleIR

/// Runs sets of packets through a node's rules: every packet of a space at once, in classes that no rule tells apart.
///
/// It does to each packet what `Evaluator.run` does. Where a match holds for some packets of a set, the set is divided.
/// docs/exactness.md has the argument.
public struct ClassEvaluator: Sendable {
  /// What a hook did to a class of packets.
  public struct Result: Sendable {
    public var packets: PacketSet
    /// `accept`: they go on.
    public let verdict: Outcome.Verdict
  }

  public let space: PacketSpace
  private let joinsSets: Bool
  private let tables: [[[ClassRule]]]
  private let policies: [[Bool]]
  private let isNat: [[Bool]]
  private let bases: [Evaluator.Entry: [Evaluator.Place]]
  private let chainIndexes: [[ChainName: Int]]
  private let isPods: [[Bool]]
  /// The chains of pods. Empty if the rules have one chain for all pods.
  public let podChains: [PodID: ChainPlace]
  private let questions: [ClassQuestion]
  private let keyedSets: [PreparedKeyedSet]

  /// `members`: of the evaluator's sets, if they are known already. `joinsSets`: whether packets that met different rules
  /// may be in one set if nothing tells them apart any more.
  public init(
    _ evaluator: Evaluator, _ space: PacketSpace, _ members: SetMembers? = nil, joinsSets: Bool = false
  ) {
    self.joinsSets = joinsSets
    self.space = space
    var tests = ClassTests(evaluator, space, members)
    tables = evaluator.tables.map { table in
      table.family == space.family
        ? table.chains.map { chain in
          // flannel's rules name the node's own networks.
          let isOfNode = chain.name.hasPrefix("FLANNEL-")
          return chain.rules.compactMap { ClassRule($0, &tests, isOfNode: isOfNode, isNamed: !joinsSets) }
        } : []
    }
    policies = evaluator.tables.map { $0.chains.map { $0.base?.policy == .drop } }
    isNat = evaluator.tables.map { $0.chains.map { $0.base?.kind == .nat } }
    chainIndexes = evaluator.tables.map(\.chainIndex)
    isPods = evaluator.tables.map { $0.chains.map { $0.pod != nil } }
    var podChains: [PodID: ChainPlace] = [:]
    for (index, table) in evaluator.tables.enumerated() where table.family == space.family {
      for (number, chain) in table.chains.enumerated() {
        if let pod = chain.pod { podChains[pod] = ChainPlace(table: index, chain: number) }
      }
    }
    self.podChains = podChains
    bases = evaluator.bases
    questions = tests.questions
    keyedSets = evaluator.keyedSets
  }

  /// The chains of a hook, by their priorities.
  public enum HookPart: Sendable {
    case whole
    /// Up to the last chain that translates.
    case untilTranslation
    /// The chains after that.
    case afterTranslation
  }

  /// Runs packets of the space through one hook. The results are disjoint and together are the given packets.
  public func run(_ sets: [PacketSet], at hook: Hook, _ part: HookPart = .whole) -> [Result] {
    var results: [Result] = []
    var live = sets.map { set in
      var set = set
      set.isTranslated = false
      return set
    }
    let places = bases[Evaluator.Entry(hook: hook, family: space.family)] ?? []
    let border = places.lastIndex { isNat[$0.table][$0.chain] }.map { $0 + 1 } ?? 0
    let range =
      switch part {
      case .whole: 0..<places.count
      case .untilTranslation: 0..<border
      case .afterTranslation: border..<places.count
      }
    for index in range {
      let place = places[index]
      if tables[place.table][place.chain].isEmpty, !policies[place.table][place.chain] { continue }
      var run = Run(isLast: index == places.count - 1)
      var entering: [PacketSet] = []
      var passing: [PacketSet] = []
      for set in live {
        guard isNat[place.table][place.chain] else {
          entering.append(set)
          continue
        }
        if set.isTranslated || !set.states.contains(.new) {
          passing.append(set)
          continue
        }
        var first = set
        first.states = .new
        entering.append(first)
        if set.states != .new { passing.append(with(set) { $0.states.remove(.new) }) }
      }
      let left = step(place.table, place.chain, entering, &run)
      for (set, verdict) in run.ended {
        if verdict == .accept { passing.append(set) } else { results.append(Result(packets: set, verdict: verdict)) }
      }
      if policies[place.table][place.chain] {
        results += left.map { Result(packets: $0, verdict: .drop) }
      } else {
        passing += left
      }
      live = passing
    }
    return results + live.map { Result(packets: $0, verdict: .accept) }
  }

  /// Runs packets through one chain by itself, as if a jump led there: what returns from it goes on.
  public func run(_ sets: [PacketSet], in chain: ChainPlace) -> [Result] {
    var run = Run(isLast: true)
    let left = pass(chain.table, chain.chain, sets, &run)
    return run.ended.map { Result(packets: $0.0, verdict: $0.1) }
      + left.map { Result(packets: $0, verdict: .accept) }
  }

  /// Where a pod's chain is.
  public struct ChainPlace: Hashable, Sendable {
    let table, chain: Int
  }

  private struct Run {
    /// Whether no other chain of the hook follows.
    let isLast: Bool
    var ended: [(PacketSet, Outcome.Verdict)] = []
  }

  /// Returns the packets that return from the chain or get to its end.
  private func step(_ table: Int, _ chain: Int, _ entering: [PacketSet], _ run: inout Run) -> [PacketSet] {
    guard isPods[table][chain], entering.allSatisfy({ $0.traceOutside == nil }) else {
      return pass(table, chain, entering, &run)
    }
    var inside = entering
    for index in inside.indices {
      inside[index].traceOutside = inside[index].trace
      inside[index].trace = 0
    }
    let before = run.ended.count
    var left = pass(table, chain, inside, &run)
    for index in left.indices { left[index].leavePodChain() }
    for index in before..<run.ended.count { run.ended[index].0.leavePodChain() }
    return left
  }

  /// With more sets in a chain, those that can be are joined: a service's rules leave a set of its own for each of its
  /// addresses.
  private static let mostApart = 64

  private func pass(_ table: Int, _ chain: Int, _ entering: [PacketSet], _ run: inout Run) -> [PacketSet] {
    var live = entering
    var returned: [PacketSet] = []
    var limit = max(2 * live.count, Self.mostApart)
    for rule in tables[table][chain] {
      if live.isEmpty { break }
      if joinsSets, live.count > limit {
        live = joined(live)
        limit = max(2 * live.count, Self.mostApart)
      }
      let touched = live.indices.filter { !misses(live[$0], rule) }
      if touched.isEmpty { continue }
      // Of each set, what goes on after the rule.
      var next: [[PacketSet]] = []
      for index in touched {
        var rest: [PacketSet] = []
        var matched = split(live[index], by: rule.tests, &rest)
        for place in matched.indices { matched[place].trace = Self.mix(matched[place].trace, rule.name) }
        act(rule, on: matched, table, &rest, &returned, &run)
        next.append(rest)
      }
      replace(touched, by: next, in: &live)
    }
    return live + returned
  }

  /// What comes from one set stays together.
  private func replace(_ touched: [Int], by next: [[PacketSet]], in live: inout [PacketSet]) {
    // Most rules of a long chain leave one set of one.
    if next.allSatisfy({ $0.count == 1 }) {
      for (index, sets) in zip(touched, next) { live[index] = sets[0] }
      return
    }
    for (index, sets) in zip(touched, next).reversed() { live.replaceSubrange(index...index, with: sets) }
  }

  /// The same packets in fewer sets, if sets are joined.
  public func joined(_ sets: [PacketSet]) -> [PacketSet] { joinsSets ? sets.joined(in: space) : sets }

  /// Adds what goes on after the rule to `next`, and what leaves the chain to `returned`.
  private func act(
    _ rule: ClassRule, on matched: [PacketSet], _ table: Int, _ next: inout [PacketSet],
    _ returned: inout [PacketSet], _ run: inout Run
  ) {
    var sets = matched
    for statement in rule.statements {
      if sets.isEmpty { return }
      switch statement {
      case .nothing: break
      case .setMark(let mark):
        for index in sets.indices { sets[index].mark = (sets[index].mark & ~mark.mask) ^ mark.value }
      case .notrack: for index in sets.indices { sets[index].states = .untracked }
      case .setMarkFrom(let fields, let map):
        var found: [PacketSet] = []
        for set in sets {
          for (var part, value) in lookup(fields, map, set) {
            // Without a value the packet continues as if the rule had not matched.
            if let value {
              part.mark = value
              found.append(part)
            } else {
              next.append(part)
            }
          }
        }
        sets = found
      case .verdictFrom(let fields, let map):
        for set in sets {
          for (part, value) in lookup(fields, map, set) {
            guard let value else {
              next.append(part)
              continue
            }
            switch keyedSets[map].verdicts[Int(value)] {
            case .drop: run.ended.append((part, .drop))
            case .goto(let name): returned += step(table, chainIndexes[table][name] ?? 0, [part], &run)
            }
          }
        }
        return
      case .goto(let chain):
        returned += step(table, chain, sets, &run)
        return
      case .jump(let chain): sets = step(table, chain, sets, &run)
      case .accept:
        run.ended += sets.map { ($0, .accept) }
        return
      case .drop:
        run.ended += sets.map { ($0, .drop) }
        return
      case .reject(let kind):
        run.ended += sets.map { ($0, .reject(kind)) }
        return
      case .return:
        returned += sets
        return
      case .dnat(let address, let port):
        for set in sets { run.ended += translate(set, to: address, port).map { ($0, .accept) } }
        return
      case .masquerade:
        for var set in sets {
          set.isMasqueraded = true
          set.isTranslated = true
          // Later chains would see the new source.
          if !run.isLast { set.needsWalk = true }
          run.ended.append((set, .accept))
        }
        return
      }
    }
    next += sets
  }

  private func translate(_ set: PacketSet, to address: IPAddress, _ port: UInt16?) -> [PacketSet] {
    var set = set
    set.hasNewDestination = true
    set.isTranslated = true
    guard let number = space.number(of: address) else {
      set.needsWalk = true
      return [set]
    }
    set.newDestination = number
    guard let port else { return [set] }
    if let question = set.newQuestion {
      set.newQuestion = question >= space.echo ? question : self.question(question, port)
      return [set]
    }
    // One set for each transport.
    return Transport.allCases.compactMap { transport in
      guard let own = Numbers(space.questions(transport, in: [PortRange(0, .max)])),
        let part = set.questions.intersection(own)
      else { return nil }
      var one = set
      one.questions = part
      one.newQuestion = space.ports.number(transport, port)
      return one
    } + (withoutPorts(set).map { [$0] } ?? [])
  }

  private func withoutPorts(_ set: PacketSet) -> PacketSet? {
    guard let own = Numbers(Bits(space.echo..<space.questionCount, count: space.questionCount)),
      let part = set.questions.intersection(own)
    else { return nil }
    return with(set) { $0.questions = part }
  }

  private func question(_ number: Int, _ port: UInt16) -> Int {
    space.ports.number(space.ports.representatives[number].transport, port)
  }

  private func with(_ set: PacketSet, _ change: (inout PacketSet) -> Void) -> PacketSet {
    var set = set
    change(&set)
    return set
  }

  private static func mix(_ trace: UInt64, _ name: UInt64) -> UInt64 {
    (trace ^ name) &* 0x9e37_79b9_7f4a_7c15 ^ trace >> 29
  }

  // MARK: - Matches

  /// Whether some test fails for all packets of a set.
  private func misses(_ set: PacketSet, _ rule: ClassRule) -> Bool {
    for test in rule.tests {
      switch test {
      case .source(let numbers):
        if set.newSource.map({ !numbers.contains($0) }) ?? set.sources.isDisjoint(with: numbers) { return true }
      case .destination(let numbers):
        if set.newDestination.map({ !numbers.contains($0) }) ?? set.destinations.isDisjoint(with: numbers) {
          return true
        }
      case .question(let numbers):
        if set.newQuestion.map({ !numbers.contains($0) }) ?? set.questions.isDisjoint(with: numbers) { return true }
      case .mark(let mark, let negated): if ((set.mark & mark.mask) == mark.value) == negated { return true }
      case .states(let states): if states.isDisjoint(with: set.states) { return true }
      case .translated: if !set.hasNewDestination { return true }
      case .bridged: if !set.isBridged { return true }
      case .codePoint(let wanted): if set.codePoints & 1 << UInt64(wanted) == 0 { return true }
      case .keyed: break
      }
    }
    return false
  }

  /// Returns the packets for which all tests hold, and adds the others to `rest`.
  private func split(_ set: PacketSet, by tests: [ClassTest], _ rest: inout [PacketSet]) -> [PacketSet] {
    var matched = set
    var keyed: [Int] = []
    for test in tests {
      let fits: Bool
      switch test {
      case .source(let numbers): fits = set.newSource != nil || divide(&matched, \.sources, numbers, &rest)
      case .destination(let numbers):
        fits = set.newDestination != nil || divide(&matched, \.destinations, numbers, &rest)
      case .question(let numbers): fits = set.newQuestion != nil || divide(&matched, \.questions, numbers, &rest)
      case .states(let states):
        fits = !matched.states.isDisjoint(with: states)
        if fits {
          if let other = Self.remaining(matched.states, states) { rest.append(with(matched) { $0.states = other }) }
          matched.states.formIntersection(states)
        }
      case .codePoint(let wanted):
        let one: UInt64 = 1 << UInt64(wanted)
        fits = matched.codePoints & one != 0
        if fits {
          if matched.codePoints != one { rest.append(with(matched) { $0.codePoints &= ~one }) }
          matched.codePoints = one
        }
      // `misses` has looked at these.
      case .mark, .translated, .bridged: fits = true
      case .keyed(let question):
        keyed.append(question)
        fits = true
      }
      // Each test holds for some packets of the set, but two tests of one axis need not hold for the same ones.
      if !fits {
        rest.append(matched)
        return []
      }
    }
    var parts = [matched]
    for question in keyed {
      var found: [PacketSet] = []
      for part in parts {
        for (piece, value) in lookup(question, part) {
          if value == nil { rest.append(piece) } else { found.append(piece) }
        }
      }
      parts = found
    }
    return parts
  }

  private static func remaining(_ states: ConntrackStates, _ matched: ConntrackStates) -> ConntrackStates? {
    let rest = states.subtracting(matched)
    return rest.isEmpty ? nil : rest
  }

  /// Leaves in `set` what is in `numbers` and adds the others to `rest`. Returns `false`, without a change, if nothing is.
  private func divide(
    _ set: inout PacketSet, _ axis: WritableKeyPath<PacketSet, Numbers>, _ numbers: Numbers, _ rest: inout [PacketSet]
  ) -> Bool {
    guard let inside = set[keyPath: axis].intersection(numbers) else { return false }
    if let outside = set[keyPath: axis].subtracting(numbers) {
      var other = set
      other[keyPath: axis] = outside
      rest.append(other)
      set[keyPath: axis] = inside
    }
    return true
  }

  private func lookup(_ fields: [PacketField], _ map: Int, _ set: PacketSet) -> [(PacketSet, UInt32?)] {
    let wanted = KeyedQuestion(fields: fields, set: map)
    guard let number = questions.firstIndex(where: { $0.question == wanted }) else { return [(set, nil)] }
    return lookup(number, set)
  }

  /// Divides a set by what the keyed set says about its packets.
  private func lookup(_ number: Int, _ set: PacketSet) -> [(PacketSet, UInt32?)] {
    let question = questions[number]
    var results: [(PacketSet, UInt32?)] = []
    for sources in parts(set.sources, set.newSource, question.sources, space.addresses.count) {
      for destinations in parts(set.destinations, set.newDestination, question.destinations, space.addresses.count) {
        for asked in parts(set.questions, set.newQuestion, question.questions, space.questionCount) {
          var part = set
          (part.sources, part.destinations, part.questions) = (sources, destinations, asked)
          let key = packet(of: part).key(question.question.fields)
          results.append((part, key.flatMap { keyedSets[question.question.set].number(of: $0) }))
        }
      }
    }
    return results
  }

  private func parts(_ numbers: Numbers, _ new: Int?, _ labels: [UInt32]?, _ count: Int) -> [Numbers] {
    guard new == nil, let labels, case .many(let bits) = numbers else { return [numbers] }
    var byLabel: [UInt32: Bits] = [:]
    var order: [UInt32] = []
    bits.visit { number in
      let label = labels[number]
      if byLabel[label] == nil { order.append(label) }
      byLabel[label, default: Bits(count: count)].insert(number)
    }
    return order.compactMap { byLabel[$0].flatMap(Numbers.init) }
  }

  /// The first packet of a set, as it is now.
  public func packet(of set: PacketSet) -> Packet {
    Packet(
      from: space.addresses[set.newSource ?? set.sources.first],
      to: space.addresses[set.newDestination ?? set.destinations.first],
      space.payload(set.newQuestion ?? set.questions.first), mark: set.mark, state: set.states.all.first ?? .new,
      isBridged: set.isBridged, codePoint: UInt8(truncatingIfNeeded: set.codePoints.trailingZeroBitCount))
  }
}

extension PacketSet {
  fileprivate mutating func leavePodChain() {
    guard let outside = traceOutside else { return }
    podTraces.append(trace)
    trace = outside
    traceOutside = nil
  }
}

extension ClassRule {
  /// `nil` if it matches no packet of the space. `isNamed`: whether the sets tell which rules they met.
  init?(_ rule: PreparedRule, _ tests: inout ClassTests, isOfNode: Bool, isNamed: Bool) {
    var kept: [ClassTest] = []
    for match in rule.matches {
      switch tests.answer(match) {
      case .always: break
      case .never: return nil
      case .test(let test): kept.append(test)
      }
    }
    for statement in rule.statements {
      switch statement {
      case .setMarkFrom(let fields, let map), .verdictFrom(let fields, let map): _ = tests.question(fields, map)
      case .nothing, .setMark, .jump, .goto, .return, .accept, .drop, .reject, .dnat, .masquerade, .notrack: break
      }
    }
    self.init(tests: kept, statements: rule.statements, name: isNamed ? rule.source.name(isOfNode: isOfNode) : 0)
  }
}

extension Rule {
  /// Equal for equal rules of different pods. `isOfNode`: also for those that name different networks.
  fileprivate func name(isOfNode: Bool) -> UInt64 {
    var hasher = Hasher()
    let isOfPod = origin?.pod != nil
    hasher.combine(origin?.policy)
    hasher.combine(origin?.direction)
    hasher.combine(origin?.rule)
    hasher.combine(origin?.peers)
    hasher.combine(origin?.portName)
    hasher.combine(role)
    for match in matches {
      if case .address(let side, let cidr, let negated) = match, isOfNode || isOfPod && cidr.isHost {
        hasher.combine(side)
        hasher.combine(negated)
        hasher.combine(cidr.prefixLength)
      } else {
        hasher.combine(match)
      }
    }
    for statement in statements {
      if isOfPod, origin?.policy == nil, !statement.chains.isEmpty {
        hasher.combine(statement.chains.count)
      } else {
        hasher.combine(statement)
      }
    }
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }
}
