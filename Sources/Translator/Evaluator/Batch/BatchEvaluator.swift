public import NetpolModel
internal import RuleIR

/// An evaluator for millions of first packets: between addresses that are known beforehand, through the hooks of a node
/// that forwards them, without traces.
///
/// The rules' questions about an address or a port are answered once for each of them. Then every chain, together with
/// all that it jumps to, gets classes: of sources, of destinations and of ports that no match in it tells apart. A
/// chain does the same to all packets of one class that arrive with the same mark. So it runs for the first of them,
/// and the result is looked up for the others. Some chains name many single addresses, such as a chain with a jump for
/// each pod. There, only the rules that name an address of the packet or no address run, in their order, because no
/// other rule can match. docs/engines.md has the argument.
public struct BatchEvaluator {
  public enum Passage: Sendable {
    case passed, stopped
    /// The last chain gave it the source address of the outgoing interface.
    case masqueraded
    /// It has another destination, or continued with another source. The batch can't judge it.
    case translated
  }

  private let universe: BatchUniverse
  private let keyedSets: [PreparedKeyedSet]
  private let keyed: [KeyedQuestion]
  private let bases: [BatchBuilder.Base]
  private let rules: [BatchRule]
  private let tests: [BatchTest]
  private let actions: [BatchAction]
  private let verdicts: [BatchAction]
  private let dispatches: [BatchDispatch]
  private let source, destination, port: Axis
  private let pairs: PairFacts
  private let chains: [BatchChain]
  private var groups: [BatchTableGroup]
  private var tables: [GroupMark: BatchTable] = [:]
  /// Numbers of effects. 0 if not known yet.
  private var entries: [UInt16] = []
  private var effects: [BatchEffect] = [BatchEffect(end: .ranOut, mark: 0)]
  private var effectNumbers: [BatchEffect: UInt16] = [:]

  private struct GroupMark: Hashable {
    let group: Int
    let mark: UInt32
  }
  private let mostEntries: Int

  /// `addresses` must be of one family and without duplicates. Returns `nil` if there are none.
  ///
  /// `mostEntries` is the maximum size of all tables together, in entries of two bytes. A chain whose table does not
  /// fit runs for every packet.
  public init?(_ evaluator: Evaluator, addresses: [IPAddress], mostEntries: Int) {
    guard let family = addresses.first?.family else { return nil }
    self.mostEntries = mostEntries
    universe = BatchUniverse(
      family, addresses: addresses, ports: PortIntervals(dividedBy: RuleBorders([evaluator], family).ports))
    let built = BatchBuilder(evaluator, universe, mostEntries: mostEntries)
    keyedSets = evaluator.keyedSets
    keyed = built.questions.keyed
    bases = built.bases
    chains = built.chains
    groups = Array(repeating: BatchTableGroup(), count: built.groupCount)
    dispatches = built.dispatches
    rules = built.rules
    tests = built.tests
    actions = built.actions
    verdicts = built.verdicts
    source = built.questions.source
    destination = built.questions.destination
    port = built.questions.port
    pairs = PairFacts(built.questions)
  }

  /// Returns what happens to a first packet between two of the addresses, given by their numbers.
  public mutating func passage(
    from source: Int, to destination: Int, _ transport: Transport, _ port: UInt16, isBridged: Bool
  ) -> Passage {
    let packet = BatchPacket(
      source: source, destination: destination, port: universe.ports.number(transport, port),
      facts: pairs.facts(source, destination) | (isBridged ? 1 : 0))
    var mark: UInt32 = 0
    for (index, base) in bases.enumerated() {
      let effect = call(base.chain, packet, mark)
      mark = effect.mark
      switch effect.end {
      case .accept: continue
      case .stop: return .stopped
      case .translate: return .translated
      case .masquerade: return index == bases.count - 1 ? .masqueraded : .translated
      case .ranOut, .return: if base.drops { return .stopped }
      }
    }
    return .passed
  }

  private mutating func call(_ number: Int, _ packet: BatchPacket, _ mark: UInt32) -> BatchEffect {
    // The classes are only valid for packets between two different addresses.
    guard let shape = chains[number].shape, packet.source != packet.destination else {
      return run(number, packet, mark)
    }
    let offset = table(chains[number].group, shape, mark)
    if offset < 0 { return run(number, packet, mark) }
    let s = source.classNumber(packet.source, shape.source)
    let d = destination.classNumber(packet.destination, shape.destination)
    let p = port.classNumber(packet.port, shape.port)
    let place =
      offset + ((s * shape.destination.count + d) * shape.port.count + p) * shape.facts
      + packet.facts & (shape.facts - 1)
    let known = entries[place]
    if known != 0 { return effects[Int(known)] }
    let effect = run(number, packet, mark)
    entries[place] = intern(effect)
    return effect
  }

  /// Returns where the table for a mark begins, or -1 if there is no room for it.
  private mutating func table(_ group: Int, _ shape: BatchShape, _ mark: UInt32) -> Int {
    let first = groups[group].first
    if first.mark == mark, first.offset >= 0 { return first.offset }
    let second = groups[group].second
    if second.mark == mark, second.offset >= 0 { return second.offset }
    let key = GroupMark(group: group, mark: mark)
    if let known = tables[key] { return known.offset }
    guard entries.count + shape.size <= mostEntries else { return -1 }
    let table = BatchTable(mark: mark, offset: entries.count)
    entries.append(contentsOf: repeatElement(0, count: shape.size))
    if first.offset < 0 {
      groups[group].first = table
    } else if second.offset < 0 {
      groups[group].second = table
    }
    tables[key] = table
    return table.offset
  }

  /// Returns 0 if there are too many effects.
  private mutating func intern(_ effect: BatchEffect) -> UInt16 {
    if let known = effectNumbers[effect] { return known }
    guard let number = UInt16(exactly: effects.count) else { return 0 }
    effects.append(effect)
    effectNumbers[effect] = number
    return number
  }

  private mutating func run(_ number: Int, _ packet: BatchPacket, _ mark: UInt32) -> BatchEffect {
    var mark = mark
    guard let dispatch = chains[number].dispatch else {
      for rule in chains[number].rules {
        if let end = run(rules[rule], packet, &mark) { return BatchEffect(end: end, mark: mark) }
      }
      return BatchEffect(end: .ranOut, mark: mark)
    }
    var (always, source, destination) = dispatches[dispatch].candidates(packet)
    while true {
      let next = dispatches[dispatch].takeFirst(&always, &source, &destination)
      if next < 0 { return BatchEffect(end: .ranOut, mark: mark) }
      if let end = run(rules[next], packet, &mark) { return BatchEffect(end: end, mark: mark) }
    }
  }

  /// Returns how the chain ends with the rule, or `nil` if it continues.
  private mutating func run(_ rule: BatchRule, _ packet: BatchPacket, _ mark: inout UInt32) -> BatchEffect.End? {
    for test in rule.tests where !holds(tests[test], packet, mark) { return nil }
    for action in rule.actions {
      var action = actions[action]
      if case .verdictFrom(let question, let range) = action {
        guard let number = answer(question, packet, mark) else { return nil }
        action = verdicts[range.lowerBound + Int(number)]
      }
      switch action {
      case .verdictFrom: return nil
      case .goto(let chain):
        let effect = call(chain, packet, mark)
        mark = effect.mark
        return effect.end == .return ? .ranOut : effect.end
      case .setMark(let value, let mask): mark = (mark & ~mask) ^ value
      case .setMarkFrom(let question):
        guard let value = answer(question, packet, mark) else { return nil }
        mark = value
      case .end(let end): return end
      case .jump(let chain):
        let effect = call(chain, packet, mark)
        mark = effect.mark
        switch effect.end {
        case .ranOut, .return: break
        case .accept, .stop, .translate, .masquerade: return effect.end
        }
      }
    }
    return nil
  }

  private func holds(_ test: BatchTest, _ packet: BatchPacket, _ mark: UInt32) -> Bool {
    switch test {
    case .sourceIs(let number): packet.source == number
    case .destinationIs(let number): packet.destination == number
    case .source(let answer): source.holds(answer, for: packet.source)
    case .destination(let answer): destination.holds(answer, for: packet.destination)
    case .port(let answer): port.holds(answer, for: packet.port)
    case .fact(let fact): packet.facts >> fact & 1 == 1
    case .mark(let value, let mask, let negated): ((mark & mask) == value) != negated
    case .keyed(let question): answer(question, packet, mark) != nil
    }
  }

  private func answer(_ question: Int, _ packet: BatchPacket, _ mark: UInt32) -> UInt32? {
    let question = keyed[question]
    return universe.packet(packet, mark: mark).key(question.fields).flatMap { keyedSets[question.set].number(of: $0) }
  }
}
