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
  /// Whether the engines were asked about the destination's own address too. They are not about a service's.
  let isAddressLooked: Bool
  /// The node that announces the address. -1: none.
  private let announcer: Int
  private let sourceRanges: [CIDR]
  /// Whether a bridge hides from the rules what pods of one node send to each other, but not what they send to a
  /// service.
  private let bridgeHides: Bool
  /// Numbers of the nodes that use another address towards the destination than towards nodes.
  private let unusual: Set<Int>
  /// By sender: its class, as far as the engines were asked.
  private var classOf: [UInt32]

  var isService: Bool {
    switch destination {
    case .service, .virtualAddress: true
    case .pod, .node, .external, .address: false
    }
  }

  /// Whether a sender is asked about the destination.
  func isAsked(by sender: Senders.One, _ asked: AskedFlows) -> Bool {
    !isService || sender.node >= 0 || sender.endpoints.allSatisfy { asked.isAsked($0, ofService: destination) }
  }

  struct Look: Hashable {
    let number: Int
    let question: Int
  }

  /// `destinations` have one address. `sourceRanges`: those of the service. `nil` if they have none of the family.
  init?(
    to destinations: [Endpoint], _ question: Flow.Question, _ family: IPFamily, from sourceRanges: [CIDR] = [],
    _ pairs: PairFlows, _ senders: Senders, _ space: PacketSpace, _ topology: Topology
  ) {
    guard let destination = destinations.first, let address = topology.address(of: destination, family) else {
      return nil
    }
    self.destinations = destinations
    self.question = question
    self.family = family
    self.sourceRanges = sourceRanges
    bridgeHides = !topology.bridgeNetfilter
    unusual = Set(
      senders.all.lazy.filter { sender in
        guard !sender.isPod, sender.node >= 0 else { return false }
        let own = topology.leavingAddress(of: topology.nodes[sender.node].name, towards: address)
        return sender.lanSource < 0 || own.flatMap(space.number) != sender.lanSource
      }.map(\.node))
    announcer = topology.announcers[address].flatMap { node in topology.nodes.firstIndex { $0.name == node } } ?? -1
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
    isAddressLooked = space.number(of: address) != nil
    if let number = space.number(of: address) {
      looks.append(Look(number: number, question: space.number(of: question)))
    }
    self.looks = looks
    classOf = Array(repeating: 0, count: senders.all.count)
  }

  /// Divides the classes of senders by what the engines say about each sender and an endpoint.
  mutating func divide(by answers: ArraySlice<UInt16>) {
    var known: [UInt64: UInt32] = [:]
    var last: (key: UInt64, number: UInt32)?
    for (sender, answer) in zip(classOf.indices, answers) {
      let key = UInt64(classOf[sender]) << 16 | UInt64(answer)
      if let last, last.key == key {
        classOf[sender] = last.number
        continue
      }
      let number = known[key] ?? UInt32(known.count)
      known[key] = number
      last = (key, number)
      classOf[sender] = number
    }
  }

  /// Numbers of the senders that nothing tells apart.
  func classes(_ senders: Senders, _ matrix: MatrixComparer) -> [[Int]] {
    struct Key: Hashable {
      let answers: UInt32
      let rules: Int
      let isPod, isAnnouncer: Bool
      /// The source ranges that the sender is in, by number. 0: there are none.
      let ranges: Int
      /// Hosts outside, and an endpoint that asks for itself, stand for themselves.
      let single: Int
    }
    var numbers: [Key: Int] = [:]
    var classes: [[Int]] = []
    var rangesOf: [[Int]: Int] = [:]
    // Copies of a sender would cost more than all else here.
    senders.all.withUnsafeBufferPointer { all in
      for index in all.indices {
        let isOwn = looks.contains { all[index].notAsked.contains($0.number) }
        var ranges = 0
        // A node may use several addresses, and nothing is known of a pod that its node's enforcer doesn't know.
        var isOdd = !all[index].isPod && (unusual.contains(all[index].node) || !sourceRanges.isEmpty)
        if case .address(let number) = all[index].sender {
          if !sourceRanges.isEmpty {
            let address = matrix.enforced.space.addresses[number]
            let own = sourceRanges.indices.filter { sourceRanges[$0].contains(address) }
            ranges = rangesOf[own, default: rangesOf.count + 1]
            rangesOf[own] = ranges
          }
          isOdd =
            matrix.unknown.contains(number)
            || bridgeHides && looks.contains { all[index].neighbours.contains($0.number) }
        }
        let node = all[index].node
        let key = Key(
          answers: classOf[index], rules: all[index].serviceRules, isPod: all[index].isPod,
          isAnnouncer: node >= 0 && node == announcer, ranges: ranges,
          single: isOwn || isOdd || node < 0 ? index : -1)
        if let number = numbers[key] {
          classes[number].append(index)
        } else {
          numbers[key] = classes.count
          classes.append([index])
        }
      }
    }
    return classes
  }
}

/// What the engines say about every sender and some endpoints: what does not tell two senders apart in it does not tell
/// their flows to the endpoint apart.
struct LookAnswers: Sendable {
  /// By endpoint, then sender.
  private let answers: [UInt16]
  private let places: [Int: Int]
  private let senderCount: Int

  /// `numbers`: those of the endpoints.
  init(
    about numbers: [Int], _ rows: [MatrixComparer.Row], _ senders: Senders, _ answers: MatrixComparer.Answers
  ) {
    let count = senders.all.count
    var found = [UInt16](repeating: 0, count: numbers.count * count)
    // The receiver may see a sender's node in place of the sender.
    let nodes = senders.nodeSenders.map { node in
      numbers.map { number in node.map { answers.arrivals(of: senders.all[$0].sender, at: number) } ?? 0 }
    }
    // One sender after the other: its row stays in the processor's cache.
    for (index, sender) in senders.all.enumerated() {
      let row = rows[index]
      let parts = [row.allowed, row.deviating, row.unexplained, row.missing, row.open]
      let departures = answers.departures(of: sender.sender, towards: numbers)
      // Where a destination leads on, the row says nothing about it.
      let source = if case .address(let own) = sender.sender { own } else { sender.lanSource }
      for (place, number) in numbers.enumerated() {
        var bits: UInt16 = 0
        for part in parts { bits = bits << 1 | (part.contains(number) ? 1 : 0) }
        bits = bits << 3 | departures[place]
        bits = bits << 3 | (sender.node < 0 ? 0 : nodes[sender.node][place])
        bits = bits << 1 | (sender.neighbours.contains(number) ? 1 : 0)
        found[place * count + index] = bits << 3 | answers.arrivals(from: source, at: number)
      }
    }
    self.answers = found
    places = Dictionary(numbers.enumerated().map { ($1, $0) }) { first, _ in first }
    senderCount = count
  }

  /// By sender.
  func about(_ number: Int) -> ArraySlice<UInt16>? {
    places[number].map { answers[$0 * senderCount..<($0 + 1) * senderCount] }
  }
}
