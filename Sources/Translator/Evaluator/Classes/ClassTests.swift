internal import NetpolModel
internal import RuleIR

/// Turns the matches of a node's rules into tests on the packets of a space.
struct ClassTests {
  enum Answer {
    case always, never
    case test(ClassTest)
  }

  let evaluator: Evaluator
  let space: PacketSpace
  private(set) var questions: [ClassQuestion] = []
  private var questionNumbers: [KeyedQuestion: Int] = [:]
  private var known: [PreparedMatch: Answer] = [:]
  private let members: SetMembers?

  init(_ evaluator: Evaluator, _ space: PacketSpace, _ members: SetMembers?) {
    self.evaluator = evaluator
    self.space = space
    self.members = members
  }

  mutating func answer(_ match: PreparedMatch) -> Answer {
    if let answer = known[match] { return answer }
    let answer = work(match)
    known[match] = answer
    return answer
  }

  private mutating func work(_ match: PreparedMatch) -> Answer {
    switch match {
    case .address(let side, let cidr, let negated): return addresses(side, space.addresses(in: [cidr]), negated)
    case .addresses(let side, let cidrs, let negated): return addresses(side, space.addresses(in: cidrs), negated)
    case .inSet(let side, let set, let negated): return addresses(side, members(of: set), negated)
    case .local(let side):
      return addresses(
        side, Bits(space.addresses.indices.filter { evaluator.isLocal(space.addresses[$0]) }, count: addressCount),
        false)
    case .keyed(let fields, let set): return .test(.keyed(question(fields, set)))
    case .transport(let transport): return questions(space.questions(transport, in: [PortRange(0, .max)]))
    case .ports(let transport, let ranges): return questions(space.questions(transport, in: ranges))
    case .sourcePort(let transport, let range):
      // That of `Packet(first:)`.
      return range.contains(40000) ? questions(space.questions(transport, in: [PortRange(0, .max)])) : .never
    case .icmpType(let type):
      return space.question(ofICMP: type).map { questions(Bits([$0], count: space.questionCount)) } ?? .never
    case .conntrack(let states): return .test(.states(ConntrackStates(states)))
    case .translated: return .test(.translated)
    case .bridged: return .test(.bridged)
    case .mark(let mark, let negated): return .test(.mark(mark, negated: negated))
    case .limit: return .always
    case .random(let share): return share > 0 ? .always : .never
    case .codePoint(let wanted): return .test(.codePoint(wanted))
    }
  }

  private var addressCount: Int { space.addresses.count }

  private func members(of set: Int) -> Bits {
    let set = evaluator.sets[set]
    return members?.known[set.number] ?? space.members(of: set)
  }

  private func addresses(_ side: Side, _ bits: Bits, _ negated: Bool) -> Answer {
    let bits = negated ? Bits(allBelow: addressCount).subtracting(bits) : bits
    guard let numbers = Numbers(bits) else { return .never }
    if numbers.count == addressCount { return .always }
    return .test(side == .source ? .source(numbers) : .destination(numbers))
  }

  private func questions(_ bits: Bits) -> Answer {
    guard let numbers = Numbers(bits) else { return .never }
    return numbers.count == space.questionCount ? .always : .test(.question(numbers))
  }

  mutating func question(_ fields: [PacketField], _ set: Int) -> Int {
    let question = KeyedQuestion(fields: fields, set: set)
    if let number = questionNumbers[question] { return number }
    let elements = evaluator.keyedSets[set].elements
    var divided = ClassQuestion(question: question)
    let universe = space.universe
    let addressLabels = { (side: Side) in
      question.labels(
        elements, count: universe.addresses.count, isOnAxis: { $0 == .address(side) },
        values: { universe.addresses(side, in: $0, of: question) })
    }
    if question.asksSource { divided.sources = addressLabels(.source) }
    if question.asksDestination { divided.destinations = addressLabels(.destination) }
    if question.asksPort {
      // No element covers packets without ports by their ports; by their protocol one may, and then they are alone.
      let labels = question.labels(
        elements, count: universe.ports.count, isOnAxis: { $0 == .transport || $0 == .port },
        values: { universe.ports(in: $0, of: question) })
      divided.questions = labels + space.portless.indices.map { .max - UInt32($0) }
    }
    questions.append(divided)
    questionNumbers[question] = questions.count - 1
    return questions.count - 1
  }
}

/// The members of all sets of several nodes that are part of a space, worked out once.
public struct SetMembers: Sendable {
  let known: [Int: Bits]

  /// The evaluators must have been made together, with the same `PreparedParts`.
  public init(_ evaluators: some Sequence<Evaluator>, _ space: PacketSpace) {
    var sets: [Int: PreparedSet] = [:]
    for evaluator in evaluators {
      for set in evaluator.sets { sets[set.number] = set }
    }
    known = sets.mapValues { space.members(of: $0) }
  }
}

extension PacketSpace {
  func members(of set: PreparedSet) -> Bits {
    if let own = set.addresses { return Bits(own.lazy.compactMap(number), count: addresses.count) }
    return Bits(addresses.indices.filter { set.contains(addresses[$0]) }, count: addresses.count)
  }
}
