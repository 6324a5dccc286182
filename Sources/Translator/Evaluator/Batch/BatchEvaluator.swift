public import NetpolModel
internal import RuleIR

/// The evaluator for first packets by the million: between addresses that are known beforehand, through the hooks of a
/// node that forwards them, without traces.
///
/// What the rules ask of an address or a port is answered once for each. Then every chain, with all that it jumps to,
/// gets classes: of sources, of destinations and of ports that no match in it tells apart. A chain does the same to all
/// packets of one class that come with one mark, so that it is run for the first of them and looked up for the others.
/// Of a chain that names many single addresses, as one with a jump for each pod, those rules are run that name an
/// address of the packet, or none, in their order; no other can match. docs/engines.md has the argument.
public struct BatchEvaluator {
  public enum Passage: Sendable {
    case passed, stopped
    /// The last chain gave it the source address of the interface that it leaves by.
    case masqueraded
    /// It has another destination, or went on with another source: not a matter of this batch.
    case translated
  }

  private let universe: BatchUniverse
  private let keyedSets: [PreparedKeyedSet]
  private let keyed: [KeyedQuestion]
  private let bases: [BatchBuilder.Base]
  private let rules: [BatchRule]
  private let tests: [BatchTest]
  private let actions: [BatchAction]
  private let dispatches: [BatchDispatch]
  private let source, destination, port: Axis
  private let pairs: PairFacts
  private let chains: [BatchChain]
  private var groups: [BatchTableGroup]
  private var tables: [GroupMark: BatchTable] = [:]
  /// Numbers of effects; 0: not known yet.
  private var entries: [UInt16] = []
  private var effects: [BatchEffect] = [BatchEffect(end: .ranOut, mark: 0)]
  private var effectNumbers: [BatchEffect: UInt16] = [:]

  private struct GroupMark: Hashable {
    let group: Int
    let mark: UInt32
  }
  private let mostEntries: Int

  /// `addresses` are all of one family, each once. Nil where there are none.
  ///
  /// `mostEntries`, of two bytes each, is what all tables together may have; what has no room in them is run each time.
  public init?(_ evaluator: Evaluator, addresses: [IPAddress], mostEntries: Int) {
    guard let family = addresses.first?.family else { return nil }
    self.mostEntries = mostEntries
    universe = BatchUniverse(
      family, addresses: addresses, ports: PortIntervals(dividedBy: evaluator.dividingPorts(family)))
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
    source = built.questions.source
    destination = built.questions.destination
    port = built.questions.port
    pairs = PairFacts(built.questions)
  }

  /// What becomes of a first packet between two of the addresses, by their numbers.
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
    // The classes are of packets between two addresses.
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

  /// Where the table for a mark begins; -1 where it has no room.
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

  /// 0 where there are too many.
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

  /// How the chain ends with the rule; nil where it goes on.
  private mutating func run(_ rule: BatchRule, _ packet: BatchPacket, _ mark: inout UInt32) -> BatchEffect.End? {
    for test in rule.tests where !holds(tests[test], packet, mark) { return nil }
    for action in rule.actions {
      switch actions[action] {
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
    return universe.packet(packet, mark: mark).key(question.fields).flatMap { keyedSets[question.set].mark(of: $0) }
  }
}
