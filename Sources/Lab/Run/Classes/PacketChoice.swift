internal import Enforcement
internal import EngineComparison
internal import Evaluator
internal import NetpolModel
internal import Path

/// Chooses flows to send: one for each class of packets that rules tell apart, and one for each that the policies'
/// objects do. Pods that send or receive already come first, so that the lab stays small.
struct PacketChoice {
  private struct RuleClass: Hashable {
    let trace: UInt64
    /// `nil` where the packet went on.
    let end: PacketClass.End?
    let isDeparture: Bool
    /// A question at a border of the class, beyond which a rule tells ports apart. `nil` for other questions, and for
    /// the rules in a pod's chain.
    let question: Int?
  }
  private struct ObjectClass: Hashable {
    let question: Int
    let direction: Direction
    /// Which policies isolate the end.
    let isolation: Int
    let admits: Bool
    let isAllowed: Bool
  }

  private let matrix: MatrixComparer
  private let senders: Senders
  private let topology: Topology
  private let family: IPFamily
  /// By number of an address: the sender that uses it.
  private var senderOf: [Int: Int] = [:]
  private var seenRules: Set<RuleClass> = []
  private var seenObjects: Set<ObjectClass> = []
  private var used: Bits
  private let cover: NodeCover
  /// How many candidates are tried for a class, at each end.
  private static let tries = 12
  /// How many ends with equal lists of isolating policies are tried.
  private static let perList = 3

  init(
    _ matrix: MatrixComparer, _ senders: Senders, _ topology: Topology, _ family: IPFamily, _ cover: NodeCover
  ) {
    self.cover = cover
    self.matrix = matrix
    self.senders = senders
    self.topology = topology
    self.family = family
    used = Bits(count: matrix.enforced.space.addresses.count)
    for (index, sender) in senders.all.enumerated() {
      for (source, _) in matrix.enforced.sources(of: sender.sender) { senderOf[source] = index }
    }
  }

  /// `receivers`: by number of the address, each with the flow's question there.
  mutating func flows(
    at question: Int, _ receivers: [Int: (endpoint: Endpoint, question: Flow.Question)], _ rows: [MatrixComparer.Row],
    _ answers: MatrixComparer.Answers
  ) -> [Flow] {
    var flows: [Flow] = []
    let mask = Bits(receivers.keys, count: matrix.enforced.space.addresses.count)
    let take = { (choice: inout PacketChoice, sender: Int, receiver: Int) in
      guard let to = receivers[receiver],
        let flow = choice.topology.flow(
          from: choice.senders.all[sender].endpoints[0], to: to.endpoint, to.question, choice.family)
      else { return }
      flows.append(flow)
      if case .address(let number) = choice.senders.all[sender].sender { choice.used.insert(number) }
      choice.used.insert(receiver)
    }
    matrix.enforced.forEachClass(at: question, onNodes: cover.order) { isDeparture, one in
      var isNew = false
      visitKeys(one, isDeparture, question) { isNew = isNew || !seenRules.contains($0) }
      guard isNew, let pair = pair(one, isDeparture, mask, rows, answers) else { return }
      var keys: [RuleClass] = []
      visitKeys(one, isDeparture, question) { keys.append($0) }
      seenRules.formUnion(keys)
      take(&self, pair.sender, pair.receiver)
    }
    chooseObjects(question, mask, rows, answers, take)
    return flows
  }

  /// What the class shows: the rules outside pods' chains with the end and borders between ports, and the rules in each pod's
  /// chain. The pods may be any: which two meet on a node is no class of its own.
  private func visitKeys(
    _ one: PacketClass, _ isDeparture: Bool, _ question: Int, _ body: (RuleClass) -> Void
  ) {
    let questions = one.packets.questions
    let isBorder =
      question > 0 && !questions.contains(question - 1)
      || question + 1 < matrix.enforced.space.questionCount && !questions.contains(question + 1)
    body(
      RuleClass(
        trace: one.packets.trace, end: one.end, isDeparture: isDeparture, question: isBorder ? question : nil))
    for (index, trace) in one.packets.podTraces.enumerated() {
      let isLast = index == one.packets.podTraces.count - 1
      body(RuleClass(trace: trace, end: isLast ? one.end : nil, isDeparture: isDeparture, question: nil))
    }
  }

  /// Those in use first, then those on the cover's nodes.
  private func preferred(_ bits: Bits, _ count: Int = .max) -> [Int] {
    let fresh = bits.subtracting(used)
    var found: [Int] = []
    for part in [bits.intersection(used), fresh.intersection(cover.addresses), fresh.subtracting(cover.addresses)] {
      if found.count >= count { break }
      found += part.numbers.prefix(count - found.count)
    }
    return found
  }

  private func candidates(_ numbers: Numbers, _ mask: Bits?) -> [Int] {
    var bits = Bits(count: matrix.enforced.space.addresses.count)
    bits.formUnion(numbers)
    if let mask { bits.formIntersection(mask) }
    return preferred(bits, Self.tries)
  }

  /// A sender and a receiver of the class. What the other node would refuse shows nothing about this one, so pairs that
  /// only this class decides come first.
  private func pair(
    _ one: PacketClass, _ isDeparture: Bool, _ mask: Bits, _ rows: [MatrixComparer.Row],
    _ answers: MatrixComparer.Answers
  ) -> (sender: Int, receiver: Int)? {
    var second: (sender: Int, receiver: Int)?
    let receivers = candidates(one.packets.destinations, mask)
    if receivers.isEmpty { return nil }
    for source in candidates(one.packets.sources, nil) {
      guard let sender = senderOf[source] else { continue }
      let own = senders.all[sender]
      for receiver in receivers
      where !own.notAsked.contains(receiver) && !own.unreachable.contains(receiver)
        && matrix.enforced.uses(source, own.sender, towards: receiver) && !rows[sender].open.contains(receiver)
      {
        let isShown =
          one.end == .stopped
          ? isDeparture || answers.leaves(own.sender, towards: receiver) : rows[sender].allowed.contains(receiver)
        if isShown { return (sender, receiver) }
        if second == nil { second = (sender, receiver) }
      }
    }
    return second
  }

  private func preferredSenders() -> [Int] {
    let rank = senders.all.map { sender in
      guard case .address(let number) = sender.sender else { return 0 }
      return used.contains(number) ? 0 : cover.addresses.contains(number) ? 1 : 2
    }
    return (0...2).flatMap { wanted in rank.indices.filter { rank[$0] == wanted } }
  }

  private mutating func chooseObjects(
    _ question: Int, _ mask: Bits, _ rows: [MatrixComparer.Row], _ answers: MatrixComparer.Answers,
    _ take: (inout PacketChoice, Int, Int) -> Void
  ) {
    var perList: [Int: Int] = [:]
    let receivers = preferred(mask).filter { number in
      let list = matrix.isolation(of: number, .ingress)
      perList[list, default: 0] += 1
      return perList[list, default: 0] <= Self.perList
    }
    var perSender: [Int: Int] = [:]
    for index in preferredSenders() {
      let sender = senders.all[index]
      guard let source = matrix.enforced.sources(of: sender.sender).first?.source else { continue }
      let list = matrix.isolation(of: source, .egress)
      if perSender[list, default: 0] >= Self.perList { continue }
      perSender[list, default: 0] += 1
      let out = answers.specifiedPeers(of: source, .egress)
      for receiver in receivers
      where !sender.notAsked.contains(receiver) && !sender.unreachable.contains(receiver)
        && !rows[index].open.contains(receiver)
      {
        let isAllowed = rows[index].allowed.contains(receiver)
        let keys = [
          ObjectClass(
            question: question, direction: .egress, isolation: list, admits: out.contains(receiver),
            isAllowed: isAllowed),
          ObjectClass(
            question: question, direction: .ingress, isolation: matrix.isolation(of: receiver, .ingress),
            admits: answers.specifiedPeers(of: receiver, .ingress).contains(source), isAllowed: isAllowed),
        ]
        var isNew = false
        for key in keys where seenObjects.insert(key).inserted { isNew = true }
        if isNew { take(&self, index, receiver) }
      }
    }
  }
}
