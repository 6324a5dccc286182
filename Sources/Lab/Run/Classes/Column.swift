internal import Enforcement
internal import EngineComparison
internal import Evaluator
internal import NetpolModel
internal import Path
internal import Verdicts

/// All flows to one destination and port that leads on: to a service's endpoints, a host port's pod, or what a pod
/// sends
/// on.
///
/// The senders are divided by what can matter: the rules for services on their node, which of the endpoints are there,
/// and what the engines say about them, their node and each endpoint.
struct Column: Sendable {
  /// All with one address: a node and its host-network pods, or a single one.
  let destinations: [Endpoint]
  var destination: Endpoint { destinations[0] }
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

  /// `destinations` have one address. `nil` if they have none of the family.
  init?(
    to destinations: [Endpoint], _ question: Flow.Question, _ family: IPFamily, _ pairs: PairFlows, _ senders: Senders,
    _ space: PacketSpace, _ topology: Topology
  ) {
    guard let destination = destinations.first, let address = topology.address(of: destination, family) else {
      return nil
    }
    self.destinations = destinations
    self.question = question
    self.family = family
    isOfHost = topology.hostNode(of: destination) != nil
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

  /// Adds what the engines say about each sender and an endpoint.
  mutating func add(_ look: [UInt16]) {
    for index in signatures.indices {
      signatures[index] = (signatures[index] ^ UInt64(look[index])) &* 0x9e37_79b9_7f4a_7c15
    }
  }

  /// The senders' endpoints, by class.
  func classes(_ senders: Senders) -> [[Endpoint]] {
    struct Key: Hashable {
      let signature: UInt64
      let rules: Int
      let isPod: Bool
      /// Hosts outside, and an endpoint that asks for itself, stand for themselves.
      let single: Int
    }
    var members: [Key: [Endpoint]] = [:]
    var order: [Key] = []
    for (index, sender) in senders.all.enumerated() {
      let isOwn = looks.contains { sender.notAsked.contains($0.number) }
      let key = Key(
        signature: signatures[index], rules: sender.serviceRules, isPod: sender.isPod,
        single: isOwn || sender.node < 0 ? index : -1)
      if members[key] == nil { order.append(key) }
      members[key, default: []] += sender.endpoints
    }
    return order.compactMap { members[$0] }
  }
}

/// What the engines say about every sender and one endpoint: what does not tell two senders apart in it does not tell
/// their flows to the endpoint apart.
struct LookAnswers {
  private let rows: [MatrixComparer.Row]
  private let senders: Senders
  private let answers: MatrixComparer.Answers

  init(_ rows: [MatrixComparer.Row], _ senders: Senders, _ answers: MatrixComparer.Answers) {
    self.rows = rows
    self.senders = senders
    self.answers = answers
  }

  func answers(about number: Int) -> [UInt16] {
    // The receiver may see a sender's node in place of the sender.
    let nodes = senders.nodeSenders.map { node in
      node.map { UInt16(answers.arrivals(of: senders.all[$0].sender, at: number)) } ?? 0
    }
    return senders.all.indices.map { index in
      let sender = senders.all[index]
      var bits: UInt16 = 0
      let row = rows[index]
      for part in [row.allowed, row.deviating, row.unexplained, row.missing, row.open] {
        bits = bits << 1 | (part.contains(number) ? 1 : 0)
      }
      bits = bits << 3 | UInt16(answers.departures(of: sender.sender, towards: number))
      bits = bits << 3 | (sender.node < 0 ? 0 : nodes[sender.node])
      return bits << 1 | (sender.neighbours.contains(number) ? 1 : 0)
    }
  }
}
