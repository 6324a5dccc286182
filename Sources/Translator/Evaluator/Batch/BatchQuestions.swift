internal import NetpolModel
internal import RuleIR

/// What rules ask about packets, answered beforehand for all addresses and ports of a batch.
struct BatchQuestions {
  enum Asked {
    case constant(Bool)
    case test(BatchTest)
  }

  /// What a chain and all chains that it jumps to depend on, except the mark.
  struct Dependencies {
    var source = Axis.Questions()
    var destination = Axis.Questions()
    var port = Axis.Questions()
    /// How many of the facts about both ends are needed, counted from the first.
    var facts = 0
    /// Whether some question is of a kind that has no classes.
    var isOpen = false

    mutating func formUnion(_ other: Self) {
      source.formUnion(other.source)
      destination.formUnion(other.destination)
      port.formUnion(other.port)
      facts = max(facts, other.facts)
      isOpen = isOpen || other.isOpen
    }
  }

  let evaluator: Evaluator
  let universe: BatchUniverse
  var source: Axis
  var destination: Axis
  var port: Axis
  private(set) var keyed: [KeyedQuestion] = []
  /// Questions about both addresses together. Their facts follow the fact that the packet is bridged.
  private(set) var pairs: [PairQuestion] = []
  private var answers: [PreparedMatch: Asked] = [:]
  private var keyedNumbers: [KeyedQuestion: Int] = [:]
  private var keyedDependencies: [Dependencies] = []
  private static let mostPairs = 5

  init(_ evaluator: Evaluator, _ universe: BatchUniverse) {
    self.evaluator = evaluator
    self.universe = universe
    source = Axis(count: universe.addresses.count)
    destination = Axis(count: universe.addresses.count)
    port = Axis(count: universe.ports.count)
  }

  mutating func ask(_ match: PreparedMatch) -> Asked {
    if let known = answers[match] { return known }
    let asked = answer(match)
    answers[match] = asked
    return asked
  }

  private mutating func answer(_ match: PreparedMatch) -> Asked {
    let any = BatchPacket(source: 0, destination: 0, port: 0, facts: 0)
    switch match {
    case .address(let side, let cidr, false) where cidr.isHost:
      guard let number = universe.number(of: cidr.network) else { return .constant(false) }
      return .test(side == .source ? .sourceIs(number) : .destinationIs(number))
    case .address(let side, let cidr, let negated): return asked(side, universe.numbers(in: cidr), negated)
    case .inSet(let side, let set, let negated):
      let set = evaluator.sets[set]
      let members =
        set.addresses.map { $0.compactMap(universe.number) }
        ?? universe.addresses.indices.filter { set.contains(universe.addresses[$0]) }
      return asked(side, members, negated)
    case .addresses(let side, let cidrs, let negated):
      return asked(side, Array(Set(cidrs.flatMap(universe.numbers))), negated)
    case .local(let side):
      return asked(side, universe.addresses.indices.filter { evaluator.isLocal(universe.addresses[$0]) }, false)
    case .transport, .ports, .icmpType:
      let values = universe.ports.representatives.indices.filter {
        let packet = BatchPacket(source: 0, destination: 0, port: $0, facts: 0)
        return evaluator.holds(match, universe.packet(packet, mark: 0))
      }
      return asked(port.answer(holdingFor: values)) { .port($0) }
    case .bridged: return .test(.fact(0))
    case .mark(let mark, let negated): return .test(.mark(value: mark.value, mask: mark.mask, negated: negated))
    // For a first packet without a clock, the answer is always the same.
    // Flows of a batch have code point 0.
    // None of them is translated: such flows leave the batch.
    // Flows of a batch have one source port.
    case .conntrack, .translated, .limit, .random, .codePoint, .sourcePort:
      return .constant(evaluator.holds(match, universe.packet(any, mark: 0)))
    case .keyed(let fields, let set):
      let question = KeyedQuestion(fields: fields, set: set)
      if question.asksPair, let fact = fact(.key(question)) { return .test(.fact(fact)) }
      return .test(.keyed(ask(question)))
    }
  }

  private mutating func asked(_ side: Side, _ values: [Int], _ negated: Bool) -> Asked {
    var holding = values
    if negated {
      let excluded = Set(values)
      holding = universe.addresses.indices.filter { !excluded.contains($0) }
    }
    return side == .source
      ? asked(source.answer(holdingFor: holding)) { .source($0) }
      : asked(destination.answer(holdingFor: holding)) { .destination($0) }
  }

  private func asked(_ answer: Axis.Answer, _ test: (Int) -> BatchTest) -> Asked {
    switch answer {
    case .constant(let holds): .constant(holds)
    case .some(let number): .test(test(number))
    }
  }

  /// Returns the number of a fact, or `nil` if there are too many facts.
  mutating func fact(_ pair: PairQuestion) -> Int? {
    if let known = pairs.firstIndex(of: pair) { return known + 1 }
    guard pairs.count < Self.mostPairs else { return nil }
    pairs.append(pair)
    return pairs.count
  }

  /// Returns the number of a question to a set or map.
  mutating func ask(_ question: KeyedQuestion) -> Int {
    if let known = keyedNumbers[question] { return known }
    let elements = evaluator.keyedSets[question.set].elements
    var dependencies = Dependencies()
    dependencies.isOpen = !question.isRegular
    if question.asksSource { dependencies.source.labels = [source.labelling(labels(question, elements, .source))] }
    if question.asksDestination {
      dependencies.destination.labels = [destination.labelling(labels(question, elements, .destination))]
    }
    if question.asksPort {
      dependencies.port.labels = [
        port.labelling(
          question.labels(elements, count: port.count, isOnAxis: { $0 == .transport || $0 == .port }) {
            universe.ports(in: $0, of: question)
          })
      ]
    }
    keyed.append(question)
    keyedDependencies.append(dependencies)
    keyedNumbers[question] = keyed.count - 1
    return keyed.count - 1
  }

  /// The verdicts of a map that packets of the batch can get, as far as their addresses show it.
  func reachableVerdicts(_ question: KeyedQuestion) -> Set<Int> {
    let set = evaluator.keyedSets[question.set]
    var numbers: [KeyedSet.Verdict: Int] = [:]
    for (number, verdict) in set.verdicts.enumerated() { numbers[verdict] = number }
    let sides = Side.allCases.filter { question.fields.contains(.address($0)) }
    return Set(
      set.elements.compactMap { element in
        guard case .verdict(let verdict)? = element.value,
          sides.allSatisfy({ !universe.addresses($0, in: element, of: question).isEmpty })
        else { return nil }
        return numbers[verdict]
      })
  }

  private func labels(_ question: KeyedQuestion, _ elements: [KeyedSet.Element], _ side: Side) -> [UInt32] {
    question.labels(
      elements, count: universe.addresses.count, isOnAxis: { $0 == .address(side) },
      values: { universe.addresses(side, in: $0, of: question) })
  }

  func dependencies(of test: BatchTest) -> Dependencies {
    var result = Dependencies()
    switch test {
    case .sourceIs(let number): result.source.singles = [number]
    case .destinationIs(let number): result.destination.singles = [number]
    case .source(let answer): result.source.bits = [answer]
    case .destination(let answer): result.destination.bits = [answer]
    case .port(let answer): result.port.bits = [answer]
    case .fact(let fact): result.facts = fact + 1
    // Each table is for one mark.
    case .mark: break
    case .keyed(let question): return dependencies(ofKeyed: question)
    }
    return result
  }

  func dependencies(ofKeyed question: Int) -> Dependencies { keyedDependencies[question] }
}
