internal import Enforcement
internal import EngineComparison
internal import Evaluator
internal import NetpolModel
internal import Path
internal import Verdicts

/// All flows to one destination and port that leads on: to a service's endpoints, a host port's pod, or what a pod sends
/// on.
///
/// The senders are divided by what can matter: their node, and what the engines say about them and each endpoint.
struct Column: Sendable {
  let destination: Endpoint
  let question: Flow.Question
  let family: IPFamily
  /// Where the flows may arrive: an address and a port.
  let looks: [Look]
  /// Whether the destination is a node or uses its network: then it may send to itself.
  private let isOfHost: Bool
  private var signatures: [UInt64]

  var isService: Bool {
    switch destination {
    case .service, .virtualAddress: true
    case .pod, .node, .external, .address: false
    }
  }

  struct Look: Hashable {
    let number: Int
    let question: Int
  }

  /// `nil` if no sender asks.
  init?(
    to destination: Endpoint, _ question: Flow.Question, _ family: IPFamily, _ pairs: PairFlows, _ senders: Senders,
    _ space: PacketSpace, _ topology: Topology
  ) {
    self.destination = destination
    self.question = question
    self.family = family
    isOfHost = topology.hostNode(of: destination) != nil
    guard let address = topology.address(of: destination, family) else { return nil }
    // The endpoints are the same for all senders.
    var looks: [Look] = []
    for sender in senders.all.prefix(3) {
      guard let source = sender.endpoints.first,
        let flow = topology.flow(from: source, to: destination, question, family, toItself: true)
      else { continue }
      for end in pairs.endpoints(for: flow) {
        guard let number = space.number(of: end.address), let transport = flow.transport else { continue }
        let look = Look(number: number, question: space.number(of: .port(TransportPort(transport, end.port))))
        if !looks.contains(look) { looks.append(look) }
      }
    }
    if let number = space.number(of: address) {
      looks.append(Look(number: number, question: space.number(of: question)))
    }
    self.looks = looks
    signatures = Array(repeating: 0, count: senders.all.count)
  }

  /// Adds what the engines say about each sender and the endpoints with this question.
  mutating func look(
    at question: Int, _ rows: [MatrixComparer.Row], _ senders: Senders, _ answers: MatrixComparer.Answers
  ) {
    for look in looks where look.question == question {
      for index in signatures.indices {
        var bits = rows[index].signature(look.number)
        bits = bits << 3 | answers.departures(of: senders.all[index].sender, towards: look.number)
        signatures[index] = (signatures[index] ^ bits) &* 0x9e37_79b9_7f4a_7c15
        // An endpoint that asks for its own service.
        if senders.all[index].notAsked.contains(look.number) { signatures[index] ^= UInt64(index + 1) << 32 }
      }
    }
  }

  /// The senders' endpoints, by class.
  func classes(_ senders: Senders) -> [[Endpoint]] {
    struct Key: Hashable {
      let node: Int
      let signature: UInt64
      /// Nodes and hosts outside stand for themselves.
      let single: Int
    }
    var members: [Key: [Endpoint]] = [:]
    var order: [Key] = []
    for (index, sender) in senders.all.enumerated() {
      var isPod = false
      if case .address = sender.sender, sender.node >= 0 { isPod = true }
      let key = Key(node: sender.node, signature: signatures[index], single: isPod ? -1 : index)
      if members[key] == nil { order.append(key) }
      members[key, default: []] += sender.endpoints.filter { isOfHost || $0 != destination }
    }
    return order.compactMap { members[$0] }
  }
}

extension MatrixComparer.Row {
  /// What the row says about a destination, in five bits.
  func signature(_ number: Int) -> UInt64 {
    var bits: UInt64 = 0
    for part in [allowed, deviating, unexplained, missing, open] { bits = bits << 1 | (part.contains(number) ? 1 : 0) }
    return bits
  }
}
