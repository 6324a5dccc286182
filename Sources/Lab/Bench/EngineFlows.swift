internal import NetpolModel

/// Distinct flows between pods, for a bench of the engines. The same seed gives the same flows.
///
/// Policies admit few pairs of different namespaces and many of the same one. Therefore every second flow is within a
/// namespace, as long as there are such flows. In each of the two kinds, every pair comes once with one port before the
/// next port begins: first the ports that policies name, then all others from 1 on.
struct EngineFlows {
  enum Choice {
    /// This many flows, or all if there are fewer.
    case some(Int)
    /// Every ordered pair once, with the first port, source by source.
    case allPairs
  }

  let count: Int
  private let pods: Int
  private let namespaceOf: [Int]
  private let near: [(source: Int, destination: Int)]
  private let ports: Ports
  private let isOrdered: Bool
  private var made = 0
  private var nearOrder: PairOrder
  private var farOrder: PairOrder

  init(_ cluster: Cluster, namespaces: [String], choice: Choice, seed: UInt64) {
    pods = namespaces.count
    let members = Dictionary(grouping: namespaces.indices, by: { namespaces[$0] })
    let names = Dictionary(members.keys.sorted().enumerated().map { ($1, $0) }) { first, _ in first }
    namespaceOf = namespaces.map { names[$0] ?? 0 }
    ports = Ports(cluster)
    let all = namespaces.count * (namespaces.count - 1)
    switch choice {
    case .allPairs:
      isOrdered = true
      count = all
      near = []
    case .some(let wanted):
      isOrdered = false
      near = members.keys.sorted().flatMap { name in
        let pods = members[name] ?? []
        return pods.flatMap { source in pods.filter { $0 != source }.map { (source, $0) } }
      }
      count = min(wanted, all * Ports.count)
    }
    nearOrder = PairOrder(count: near.count, seed: seed)
    farOrder = PairOrder(count: all, seed: seed &+ 1)
  }

  /// Returns the next flows, at most `limit`. Returns none after the last flow.
  mutating func next(_ limit: Int) -> [NumberedFlow] {
    var flows: [NumberedFlow] = []
    flows.reserveCapacity(limit)
    while flows.count < limit, made < count {
      flows.append(
        isOrdered ? ordered(made) : (made % 2 == 0 ? nextNear() ?? nextFar() : nextFar() ?? nextNear()) ?? ordered(made)
      )
      made += 1
    }
    return flows
  }

  private func ordered(_ number: Int) -> NumberedFlow { flow(pair(number), 0) }

  private mutating func nextNear() -> NumberedFlow? {
    nearOrder.next(rounds: Ports.count).map { flow(near[$0.pair], $0.round) }
  }

  private mutating func nextFar() -> NumberedFlow? {
    while let (number, round) = farOrder.next(rounds: Ports.count) {
      let pair = pair(number)
      if namespaceOf[pair.source] != namespaceOf[pair.destination] { return flow(pair, round) }
    }
    return nil
  }

  private func pair(_ number: Int) -> (source: Int, destination: Int) {
    let source = number / (pods - 1)
    let other = number % (pods - 1)
    return (source, other < source ? other : other + 1)
  }

  private func flow(_ pair: (source: Int, destination: Int), _ round: Int) -> NumberedFlow {
    let port = ports[round]
    return NumberedFlow(from: pair.source, to: pair.destination, port.transport, port.port)
  }
}

/// All numbers below `count` in an order that depends on a seed, repeated in rounds.
private struct PairOrder {
  private let count: Int
  private let step: Int
  private var current: Int
  private var taken = 0
  private var round = 0

  init(count: Int, seed: UInt64) {
    self.count = count
    // A step that has no divisor in common with the count visits every number once.
    var step = max(1, Int(Double(count) * 0.618) + Int(seed % 1000))
    while count > 1, Self.commonDivisor(step, count) > 1 { step += 1 }
    self.step = step
    current = count == 0 ? 0 : Int(seed % UInt64(count))
  }

  mutating func next(rounds: Int) -> (pair: Int, round: Int)? {
    if taken == count {
      taken = 0
      round += 1
    }
    if count == 0 || round >= rounds { return nil }
    defer {
      taken += 1
      current = (current + step) % count
    }
    return (current, round)
  }

  private static func commonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : commonDivisor(b, a % b) }
}

/// All ports of all transports. Those that policies name come first.
private struct Ports {
  static let count = 3 * 65_535
  private let named: [TransportPort]
  private let others: [TransportPort]

  init(_ cluster: Cluster) {
    var named: Set<TransportPort> = []
    for port in cluster.policies.flatMap({ $0.ingress + $0.egress }).flatMap(\.ports.list) {
      if case .number(let first, _) = port.number, first > 0 { named.insert(TransportPort(port.transport, first)) }
    }
    self.named = named.sorted()
    others = (1...UInt16.max).flatMap { number in
      Transport.allCases.map { TransportPort($0, number) }.filter { !named.contains($0) }
    }
  }

  subscript(number: Int) -> TransportPort { number < named.count ? named[number] : others[number - named.count] }
}
