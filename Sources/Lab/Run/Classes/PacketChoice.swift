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
    let end: PacketClass.End
    let isDeparture: Bool
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
  /// How many candidates are tried for a class, at each end.
  private static let tries = 12

  init(_ matrix: MatrixComparer, _ senders: Senders, _ topology: Topology, _ family: IPFamily) {
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
    matrix.enforced.forEachClass(at: question) { isDeparture, one in
      let key = RuleClass(trace: one.packets.trace, end: one.end, isDeparture: isDeparture)
      if seenRules.contains(key) { return }
      guard let pair = pair(one, isDeparture, mask, rows, answers) else { return }
      seenRules.insert(key)
      take(&self, pair.sender, pair.receiver)
    }
    chooseObjects(question, mask, rows, answers, take)
    return flows
  }

  /// Those in use first.
  private func candidates(_ numbers: Numbers, _ mask: Bits?) -> [Int] {
    var bits = Bits(count: matrix.enforced.space.addresses.count)
    bits.formUnion(numbers)
    if let mask { bits.formIntersection(mask) }
    var found = Array(bits.intersection(used).numbers.prefix(Self.tries))
    if found.count < Self.tries { found += bits.subtracting(used).numbers.prefix(Self.tries - found.count) }
    return found
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

  private mutating func chooseObjects(
    _ question: Int, _ mask: Bits, _ rows: [MatrixComparer.Row], _ answers: MatrixComparer.Answers,
    _ take: (inout PacketChoice, Int, Int) -> Void
  ) {
    var receivers: [Int] = []
    var perList: [Int: Int] = [:]
    let order = mask.intersection(used).numbers + mask.subtracting(used).numbers
    for number in order {
      let list = matrix.isolation(of: number, .ingress)
      if perList[list, default: 0] < 3 {
        perList[list, default: 0] += 1
        receivers.append(number)
      }
    }
    var perSender: [Int: Int] = [:]
    for (index, sender) in senders.all.enumerated() {
      guard let source = matrix.enforced.sources(of: sender.sender).first?.source else { continue }
      let list = matrix.isolation(of: source, .egress)
      if perSender[list, default: 0] >= 3 { continue }
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
