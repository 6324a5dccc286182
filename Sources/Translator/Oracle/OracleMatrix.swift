public import NetpolModel

/// The specification for all flows between some ends that policies alone decide: question by question, all peers of an
/// end at once.
///
/// Each entry of `from` and `to` is evaluated once for each end, each port once for each question. So every flow is
/// judged, and no sentence of the API is evaluated for more than one of those that it can't tell apart. A class, since all
/// answers share its many arrays.
public final class OracleMatrix: Sendable {
  public let ends: [Flow.End]
  let oracle: Oracle
  /// By direction and end: which list of isolating policies applies. -1: no policy isolates it.
  private let isolation: [Direction: [Int]]
  private let lists: [Direction: [[NetworkPolicy]]]
  /// By direction and list: the rules of its policies.
  private let rules: [Direction: [[PreparedRule]]]
  /// By end: equal for pods whose containers have the same ports. -1: no pod.
  private let portKinds: [Int]
  /// The ends of pods with equal labels in one namespace: no selector tells them apart.
  public let podsAlike: [Bits]
  /// By kind: its ends.
  private let endsOfKind: [Bits]
  /// By end, of a pod: the ends that speak for its node.
  private let speaking: [Bits?]
  private let everything: Bits
  /// Destinations for which more than policies decides, whatever is asked.
  private let neverPlain: Bits
  /// The ends with addresses at which services are offered.
  public let serviceAddresses: Bits
  /// By end: the node that has its address.
  private let owners: [String?]

  private struct PeerQuestion: Hashable {
    let peer: NetworkPolicy.Peer
    let namespace: String
  }

  /// What of a rule does not depend on the question.
  private struct PreparedRule: Sendable {
    let ports: NetworkPolicy.Ports
    let namesPorts: Bool
    /// The ends that its peers are.
    let peers: Bits
  }

  /// Each end with the machine that has its address.
  public init(_ oracle: Oracle, ends: [Flow.End]) {
    self.oracle = oracle
    self.ends = ends
    everything = Bits(allBelow: ends.count)
    var isolation: [Direction: [Int]] = [:]
    var lists: [Direction: [[NetworkPolicy]]] = [:]
    for direction in Direction.allCases {
      var numbers: [[PolicyID]: Int] = [:]
      isolation[direction] = ends.map { end in
        guard let pod = oracle.selectablePod(end.endpoint) else { return -1 }
        let policies = oracle.policies(isolating: pod, direction)
        if policies.isEmpty { return -1 }
        let number = numbers[policies.map(\.id), default: numbers.count]
        if number == numbers.count {
          numbers[policies.map(\.id)] = number
          lists[direction, default: []].append(policies)
        }
        return number
      }
    }
    self.isolation = isolation
    self.lists = lists
    let questions = Set(
      oracle.policies.values.joined().flatMap { policy in
        (policy.ingress + policy.egress).flatMap(\.peers.list).map {
          PeerQuestion(peer: $0, namespace: policy.id.namespace)
        }
      })
    let asked = Array(questions)
    let alike = Self.podsAlike(ends, oracle)
    podsAlike = alike
    let answers = concurrentMap(asked.count) { index in
      let admits = { (end: Int) in oracle.admits(asked[index].peer, ends[end], from: asked[index].namespace) }
      if case .block = asked[index].peer { return Bits(ends.indices.filter(admits), count: ends.count) }
      return alike.reduce(into: Bits(count: ends.count)) { bits, some in
        if let first = some.first, admits(first) { bits.formUnion(some) }
      }
    }
    let admitted = Dictionary(zip(asked, answers)) { first, _ in first }
    var prepared: [Direction: [PolicyID: [PreparedRule]]] = [:]
    for direction in Direction.allCases {
      for policy in oracle.policies.values.joined() {
        prepared[direction, default: [:]][policy.id] = policy.rules(direction).map { rule in
          var peers = Bits(allBelow: ends.count)
          if case .listed(let list) = rule.peers {
            peers = list.reduce(into: Bits(count: ends.count)) { bits, peer in
              if let some = admitted[PeerQuestion(peer: peer, namespace: policy.id.namespace)] { bits.formUnion(some) }
            }
          }
          return PreparedRule(ports: rule.ports, namesPorts: rule.namesPorts, peers: peers)
        }
      }
    }
    rules = lists.reduce(into: [:]) { all, one in
      all[one.key] = one.value.map { $0.flatMap { prepared[one.key]?[$0.id] ?? [] } }
    }
    var kinds: [[ContainerPort]: Int] = [:]
    portKinds = ends.map { end in
      guard let pod = oracle.selectablePod(end.endpoint) else { return -1 }
      let number = kinds[pod.ports, default: kinds.count]
      kinds[pod.ports] = number
      return number
    }
    var endsOfKind = [Bits](repeating: Bits(count: ends.count), count: kinds.count)
    for (end, kind) in portKinds.enumerated() where kind >= 0 { endsOfKind[kind].insert(end) }
    self.endsOfKind = endsOfKind
    var speakers: [String: Bits] = [:]
    for (number, end) in ends.enumerated() {
      guard let node = oracle.nodeSpeaking(end.endpoint) else { continue }
      speakers[node, default: Bits(count: ends.count)].insert(number)
    }
    speaking = ends.map { oracle.selectablePod($0.endpoint)?.node.flatMap { speakers[$0] } }
    serviceAddresses = Bits(
      ends.indices.filter { oracle.fronts.addresses.contains(ends[$0].address) }, count: ends.count)
    let owners = ends.map { oracle.nodeOwning($0.address) }
    self.owners = owners
    neverPlain = Bits(
      ends.indices.filter { Self.isNeverPlain(ends[$0], isNodes: owners[$0] != nil, oracle) }, count: ends.count)
  }

  private static func podsAlike(_ ends: [Flow.End], _ oracle: Oracle) -> [Bits] {
    struct Kind: Hashable {
      let namespace: String
      let labels: Labels
    }
    var numbers: [Kind: Int] = [:]
    var kinds: [Bits] = []
    for (number, end) in ends.enumerated() {
      guard let pod = oracle.selectablePod(end.endpoint) else { continue }
      let kind = Kind(namespace: pod.id.namespace, labels: pod.labels)
      let index = numbers[kind, default: kinds.count]
      if index == kinds.count {
        numbers[kind] = index
        kinds.append(Bits(count: ends.count))
      }
      kinds[index].insert(number)
    }
    return kinds
  }

  private static func isNeverPlain(_ end: Flow.End, isNodes: Bool, _ oracle: Oracle) -> Bool {
    if end.address.isMulticast || end.address.isLoopback || oracle.fronts.addresses.contains(end.address) {
      return true
    }
    if oracle.localDNS.values.contains(where: { $0.contains(end.address) }) { return true }
    if case .pod(let id) = end.endpoint, oracle.pods[id]?.forwards.isEmpty == false { return true }
    return !isNodes && oracle.fronts.idleClusterIP(at: end.address) != nil
  }

  /// Whether policies alone decide about flows that ask a question at an end: no service, no host port and no pod that
  /// sends packets on has a part in it.
  public func isPlain(_ question: Flow.Question, at destination: Int) -> Bool {
    if neverPlain.contains(destination) { return false }
    guard case .port(let port) = question, let node = owners[destination] else { return true }
    return oracle.fronts.front(ends[destination].address, isNodes: true, port.transport, port.port) == nil
      && oracle.hostPorts.holder(on: node, port) == nil
  }

  /// The ends where more than policies decides about flows that ask a question.
  public func notPlain(_ question: Flow.Question) -> Bits {
    var bits = neverPlain
    for end in ends.indices where owners[end] != nil && !isPlain(question, at: end) { bits.insert(end) }
    return bits
  }

  /// The number of different lists of policies that isolate an end, of both directions.
  public var isolationCount: Int { lists.values.reduce(0) { $0 + $1.count } }

  /// Which policies isolate an end: equal for equal lists. -1: none.
  public func isolation(of end: Int, _ direction: Direction) -> Int { isolation[direction]?[end] ?? -1 }

  /// The number of different lists of policies that isolate an end in one direction.
  public func listCount(_ direction: Direction) -> Int { lists[direction]?.count ?? 0 }

  /// The policies of a list.
  public func policies(ofList number: Int, _ direction: Direction) -> [NetworkPolicy] {
    number < 0 ? [] : lists[direction]?[number] ?? []
  }

  /// `unreached`: ends whose own node doesn't count. Every flow from there to them is allowed, and left out here.
  /// `subjects`: the only ends between which flows are asked about. `nil`: all.
  public func answers(
    to question: Flow.Question, of subjects: [Int]? = nil, ignoringOwnNodesOf unreached: Bits? = nil
  ) -> Answers {
    Answers(self, question, subjects, unreached)
  }

  /// All flows that ask one question.
  public struct Answers: Sendable {
    private let matrix: OracleMatrix
    private let question: Flow.Question
    private let unreached: Bits?
    private var known: [Key: Bits] = [:]
    /// By subject: its place. `nil`: every end is one.
    private let places: [Int: Int]?
    /// By place: the peers with which the policies of each direction let the subject exchange packets.
    private var letOut: [Bits] = []
    private var admitted: [Bits] = []
    /// By place: where ingress policies let the subject in.
    private var letIn: [Bits] = []

    private struct Key: Hashable {
      let direction: Direction
      let list: Int
      /// -1 if the ends with this list are all alike.
      let portKind: Int
    }

    fileprivate init(
      _ matrix: OracleMatrix, _ question: Flow.Question, _ subjects: [Int]?, _ unreached: Bits?
    ) {
      self.matrix = matrix
      self.question = question
      self.unreached = unreached
      places = subjects.map { subjects in Dictionary(zip(subjects, subjects.indices)) { first, _ in first } }
      let asked = subjects ?? Array(matrix.ends.indices)
      letOut = asked.map { row(of: $0, .egress) }
      admitted = asked.map { row(of: $0, .ingress) }
      letIn = subjects.map { Bits.transposed(admitted, of: $0) } ?? Bits.transposed(admitted)
    }

    /// The destinations to which the specification allows the flows of a source.
    public func destinations(of source: Int) -> Bits {
      var bits = peers(of: source, .egress)
      bits.formIntersection(destinations(admitting: source))
      // "A Pod cannot block access to itself."
      if matrix.oracle.nodeSpeaking(matrix.ends[source].endpoint) == nil { bits.insert(source) }
      return bits
    }

    /// The destinations whose own policies let a source in.
    public func destinations(admitting source: Int) -> Bits {
      place(source).map { letIn[$0] } ?? Bits(count: matrix.ends.count)
    }

    /// The peers with which the policies of one direction let an end exchange packets.
    public func peers(of subject: Int, _ direction: Direction) -> Bits {
      if let place = place(subject) { return direction == .egress ? letOut[place] : admitted[place] }
      var other = self
      return other.row(of: subject, direction)
    }

    /// `nil` if it is no subject.
    private func place(_ end: Int) -> Int? { places.map { $0[end] } ?? end }

    private mutating func row(of subject: Int, _ direction: Direction) -> Bits {
      let list = matrix.isolation[direction]?[subject] ?? -1
      if list < 0 { return matrix.everything }
      let rules = matrix.rules[direction]?[list] ?? []
      let isByName = direction == .ingress && rules.contains(where: \.namesPorts)
      let key = Key(direction: direction, list: list, portKind: isByName ? matrix.portKinds[subject] : -1)
      var row: Bits
      if let found = known[key] {
        row = found
      } else {
        row = Bits(count: matrix.ends.count)
        for rule in rules { add(rule, direction, subject, to: &row) }
        known[key] = row
      }
      // "Traffic to and from the node where a Pod is running is always allowed."
      if direction == .ingress, unreached?.contains(subject) != true, let own = matrix.speaking[subject] {
        row.formUnion(own)
      }
      return row
    }

    private func add(_ rule: PreparedRule, _ direction: Direction, _ subject: Int, to row: inout Bits) {
      let admits = { (destination: Int) -> Bool in
        let end = matrix.ends[destination]
        // Only the ports of the destination's containers and the question count for ports.
        return matrix.oracle.admitsPort(
          rule.ports, Flow(from: end.endpoint, end.address, to: end.endpoint, end.address, question))
      }
      if direction == .ingress || !rule.namesPorts {
        if admits(subject) { row.formUnion(rule.peers) }
        return
      }
      var others = rule.peers
      for ends in matrix.endsOfKind {
        if let first = ends.first, admits(first) { row.formUnion(ends.intersection(rule.peers)) }
        others.subtract(ends)
      }
      // No container's ports belong to what is no pod.
      if let first = others.first, admits(first) { row.formUnion(others) }
    }
  }
}

extension NetworkPolicy.Rule {
  public var namesPorts: Bool { ports.list.contains { if case .name = $0.number { true } else { false } } }
}
