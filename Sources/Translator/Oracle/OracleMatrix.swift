public import NetpolModel

/// The specification for all flows between some ends that policies alone decide: question by question, all peers of an
/// end at once.
///
/// Each entry of `from` and `to` is evaluated once for each end, each port once for each question. So every flow is
/// judged, and no sentence of the API is evaluated for more than one of those that it can't tell apart.
public struct OracleMatrix: Sendable {
  public let ends: [Flow.End]
  let oracle: Oracle
  /// By direction and end: which list of isolating policies applies. -1: no policy isolates it.
  private let isolation: [Direction: [Int]]
  private let lists: [Direction: [[NetworkPolicy]]]
  private let admitted: [PeerQuestion: Bits]
  /// By node: the ends that speak for it.
  private let speakers: [String: Bits]
  private let everything: Bits

  private struct PeerQuestion: Hashable {
    let peer: NetworkPolicy.Peer
    let namespace: String
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
    var admitted: [PeerQuestion: Bits] = [:]
    for policy in oracle.policies.values.joined() {
      for peer in (policy.ingress + policy.egress).flatMap(\.peers.list) {
        let question = PeerQuestion(peer: peer, namespace: policy.id.namespace)
        if admitted[question] != nil { continue }
        admitted[question] = Bits(
          ends.indices.filter { oracle.admits(peer, ends[$0], from: policy.id.namespace) }, count: ends.count)
      }
    }
    self.admitted = admitted
    var speakers: [String: Bits] = [:]
    for (number, end) in ends.enumerated() {
      guard let node = oracle.nodeSpeaking(end.endpoint) else { continue }
      speakers[node, default: Bits(count: ends.count)].insert(number)
    }
    self.speakers = speakers
  }

  /// Whether policies alone decide about flows that ask a question at an end: no service, no host port and no pod that
  /// sends packets on has a part in it.
  public func isPlain(_ question: Flow.Question, at destination: Int) -> Bool {
    let end = ends[destination]
    if end.address.isMulticast || end.address.isLoopback || oracle.fronts.addresses.contains(end.address) {
      return false
    }
    if oracle.localDNS.values.contains(where: { $0.contains(end.address) }) { return false }
    if case .pod(let id) = end.endpoint, oracle.pods[id]?.forwards.isEmpty == false { return false }
    let node = oracle.nodeOwning(end.address)
    if node == nil, oracle.fronts.idleClusterIP(at: end.address) != nil { return false }
    guard case .port(let port) = question, let node else { return true }
    return oracle.fronts.front(end.address, isNodes: true, port.transport, port.port) == nil
      && oracle.hostPorts.holder(on: node, port) == nil
  }

  /// The number of different lists of policies that isolate an end, of both directions.
  public var isolationCount: Int { lists.values.reduce(0) { $0 + $1.count } }

  /// Which policies isolate an end: equal for equal lists. -1: none.
  public func isolation(of end: Int, _ direction: Direction) -> Int { isolation[direction]?[end] ?? -1 }

  /// `unreached`: ends whose own node doesn't count. Every flow from there to them is allowed, and left out here.
  public func answers(to question: Flow.Question, ignoringOwnNodesOf unreached: Bits? = nil) -> Answers {
    Answers(self, question, unreached)
  }

  /// All flows that ask one question.
  public struct Answers: Sendable {
    private let matrix: OracleMatrix
    private let question: Flow.Question
    private let unreached: Bits?
    private var known: [Key: Bits] = [:]
    /// By end: the peers with which the policies of each direction let it exchange packets.
    private var rows: [Direction: [Bits]] = [:]
    /// By source: where ingress policies let it in.
    private var letIn: [Bits] = []

    private struct Key: Hashable {
      let direction: Direction
      let list: Int
      /// -1 if the ends with this list are all alike.
      let subject: Int
    }

    fileprivate init(_ matrix: OracleMatrix, _ question: Flow.Question, _ unreached: Bits?) {
      self.matrix = matrix
      self.question = question
      self.unreached = unreached
      for direction in Direction.allCases { rows[direction] = matrix.ends.indices.map { row(of: $0, direction) } }
      letIn = Bits.transposed(rows[.ingress] ?? [])
    }

    /// The destinations to which the specification allows the flows of a source.
    public func destinations(of source: Int) -> Bits {
      var bits = peers(of: source, .egress)
      bits.formIntersection(letIn[source])
      // "A Pod cannot block access to itself."
      if matrix.oracle.nodeSpeaking(matrix.ends[source].endpoint) == nil { bits.insert(source) }
      return bits
    }

    /// The destinations whose own policies let a source in.
    public func destinations(admitting source: Int) -> Bits { letIn[source] }

    /// The peers with which the policies of one direction let an end exchange packets.
    public func peers(of subject: Int, _ direction: Direction) -> Bits {
      rows[direction]?[subject] ?? matrix.everything
    }

    private mutating func row(of subject: Int, _ direction: Direction) -> Bits {
      let list = matrix.isolation[direction]?[subject] ?? -1
      if list < 0 { return matrix.everything }
      let policies = matrix.lists[direction]?[list] ?? []
      let isByName = direction == .ingress && policies.contains { $0.ingress.contains(where: \.namesPorts) }
      let key = Key(direction: direction, list: list, subject: isByName ? subject : -1)
      var row: Bits
      if let found = known[key] {
        row = found
      } else {
        row = Bits(count: matrix.ends.count)
        for policy in policies {
          for rule in policy.rules(direction) { add(rule, of: policy, direction, subject, to: &row) }
        }
        known[key] = row
      }
      // "Traffic to and from the node where a Pod is running is always allowed."
      if direction == .ingress, unreached?.contains(subject) != true,
        let node = matrix.oracle.selectablePod(matrix.ends[subject].endpoint)?.node, let own = matrix.speakers[node]
      {
        row.formUnion(own)
      }
      return row
    }

    private func add(
      _ rule: NetworkPolicy.Rule, of policy: NetworkPolicy, _ direction: Direction, _ subject: Int, to row: inout Bits
    ) {
      var peers = matrix.everything
      if case .listed(let list) = rule.peers {
        peers = Bits(count: matrix.ends.count)
        for peer in list {
          if let some = matrix.admitted[PeerQuestion(peer: peer, namespace: policy.id.namespace)] {
            peers.formUnion(some)
          }
        }
      }
      let admits = { (destination: Int) -> Bool in
        let end = matrix.ends[destination]
        // Only the destination and the question count for ports.
        return matrix.oracle.admitsPort(
          rule.ports, Flow(from: end.endpoint, end.address, to: end.endpoint, end.address, question))
      }
      if direction == .egress, rule.namesPorts {
        peers.visit { if admits($0) { row.insert($0) } }
      } else if admits(subject) {
        row.formUnion(peers)
      }
    }
  }
}

extension NetworkPolicy.Rule {
  public var namesPorts: Bool { ports.list.contains { if case .name = $0.number { true } else { false } } }
}
