internal import NetpolModel

/// For one direction: the peer classes that each endpoint class may exchange packets with, for each port interval.
struct AdmittedClasses: Sendable {
  private let wordsPerRow: Int
  /// The index in `words` where the rows of a class begin, with one row per port interval. -1 if no policy isolates it.
  private var rows: [Int] = []
  private var words: [UInt64] = []

  init(_ oracle: Oracle, _ direction: Direction, _ classes: [Flow.End], _ ports: PortIntervals) {
    wordsPerRow = (classes.count + 63) / 64
    var peers = PeerAnswers(oracle, classes)
    // Classes isolated by the same policies share their rows, unless a rule uses a named port, which depends on the
    // pod.
    var known: [[PolicyID]: Int] = [:]
    for subject in classes {
      let policies = oracle.selectablePod(subject.endpoint).map { oracle.policies(isolating: $0, direction) } ?? []
      let ids = policies.map(\.id)
      if policies.isEmpty {
        rows.append(-1)
      } else if let row = known[ids] {
        rows.append(row)
      } else {
        rows.append(words.count)
        words.append(contentsOf: repeatElement(0, count: ports.count * wordsPerRow))
        for policy in policies {
          for rule in policy.rules(direction) {
            add(rule, of: policy, direction, subject, classes, ports, oracle, peers.admitted(by: rule, of: policy))
          }
        }
        if !policies.contains(where: { $0.rules(direction).contains(where: \.namesPorts) }) {
          known[ids] = rows.last
        }
      }
    }
  }

  func admits(_ subject: Int, peer: Int, _ port: Int) -> Bool {
    let row = rows[subject]
    return row < 0 || words[row + port * wordsPerRow + peer >> 6] >> UInt64(peer & 63) & 1 == 1
  }

  private mutating func add(
    _ rule: NetworkPolicy.Rule, of policy: NetworkPolicy, _ direction: Direction, _ subject: Flow.End,
    _ classes: [Flow.End], _ ports: PortIntervals, _ oracle: Oracle, _ peers: [Int]
  ) {
    // A named port is looked up on the destination, which is the peer in egress rules.
    let asksEachPeer = direction == .egress && rule.namesPorts
    let row = rows.last ?? 0
    for (interval, port) in ports.representatives.enumerated() {
      let admits = { (peer: Flow.End) in
        let (source, destination) = direction == .egress ? (subject, peer) : (peer, subject)
        return oracle.admitsPort(
          rule.ports,
          Flow(
            from: source.endpoint, source.address, to: destination.endpoint, destination.address, port.transport,
            port.port))
      }
      guard asksEachPeer || admits(subject) else { continue }
      for peer in peers where !asksEachPeer || admits(classes[peer]) {
        words[row + interval * wordsPerRow + peer >> 6] |= 1 << UInt64(peer & 63)
      }
    }
  }
}

/// The classes that an entry of `from` or `to` admits. Each entry is evaluated once for all policies of a namespace.
private struct PeerAnswers {
  private struct Question: Hashable {
    let peer: NetworkPolicy.Peer
    let namespace: String
  }
  private let oracle: Oracle
  private let classes: [Flow.End]
  private var answers: [Question: [Int]] = [:]

  init(_ oracle: Oracle, _ classes: [Flow.End]) {
    self.oracle = oracle
    self.classes = classes
  }

  mutating func admitted(by rule: NetworkPolicy.Rule, of policy: NetworkPolicy) -> [Int] {
    guard case .listed(let peers) = rule.peers else { return Array(classes.indices) }
    return Array(Set(peers.flatMap { answer($0, policy.id.namespace) }))
  }

  private mutating func answer(_ peer: NetworkPolicy.Peer, _ namespace: String) -> [Int] {
    let question = Question(peer: peer, namespace: namespace)
    if let known = answers[question] { return known }
    let answer = classes.indices.filter { oracle.admits(peer, classes[$0], from: namespace) }
    answers[question] = answer
    return answer
  }
}
