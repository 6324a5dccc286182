public import Enforcement
internal import Evaluator
public import NetpolModel
internal import Path

/// Two rule sets for the same nodes and pods, compared for every packet.
public struct RulesComparison: Sendable {
  /// Packets between two ends that one side lets pass and the other doesn't.
  public struct Difference: Hashable, Sendable {
    public let node: String
    public let place: ProofPacket.Place
    public let source, destination: Flow.End
    /// Where the packets were sent, if a service's rules have changed that.
    public let service: IPAddress?
    public let state: ConntrackState
    /// What the packets that differ ask for, in order.
    public internal(set) var asked: [Asked]
    /// What the first side does. The second does the opposite.
    public let first: Verdict

  }

  /// Ports, ICMP types or protocols that no rule tells apart.
  public struct Asked: Hashable, Sendable {
    /// The first of them.
    public let payload: Packet.Payload
    /// How many there are. Ports are in one range.
    public internal(set) var count: Int
  }

  public private(set) var packets = 0.0
  public private(set) var classes = 0
  public private(set) var differences: [Difference] = []
  public var isEqual: Bool { differences.isEmpty }

  /// Both must have the same topology. With `onNodes`, only these nodes' rules are compared.
  public init(
    _ cluster: Cluster, _ one: EnforcedCluster, _ other: EnforcedCluster, onNodes nodes: Set<String>? = nil,
    families: [IPFamily]? = nil
  ) {
    for family in families ?? cluster.families {
      let networks = one.networks(family).union(other.networks(family)).union(cluster.networkBorders(family))
      let atoms = AddressAtoms(family, dividedBy: networks)
      let others = atoms.parts.map(atoms.representative)
      let space = EnforcedMatrix.commonSpace(one, other, family, dividedBy: cluster.portBorders, alsoTo: others)
      let matrices = [one, other].map {
        EnforcedMatrix($0, family, dividedBy: [], alsoTo: others, .all, in: space)
      }
      let sides = FamilyComparison(
        cluster: cluster, first: matrices[0], second: matrices[1], topology: one.topology,
        weights: AddressWeights(atoms, space))
      for node in one.topology.nodes.indices where nodes?.contains(one.topology.nodes[node].name) ?? true {
        let classes = matrices.map { $0.classes(ofNode: node) }
        let found = concurrentMap(space.questionCount) { sides.compare(node, $0, classes[0], classes[1]) }
        var joined: [Difference: Int] = [:]
        for part in found {
          packets += part.packets
          for difference in part.differences {
            var key = difference
            key.asked = []
            if let known = joined[key] {
              differences[known].add(difference.asked)
            } else {
              joined[key] = differences.count
              differences.append(difference)
            }
          }
        }
        self.classes += classes[0].departures.count + classes[0].arrivals.count
      }
    }
    differences.sort { $0.rank.lexicographicallyPrecedes($1.rank) }
  }
}

extension RulesComparison.Difference {
  fileprivate mutating func add(_ more: [RulesComparison.Asked]) {
    for one in more {
      if case .transport(let transport, _, let port) = one.payload, let last = asked.last,
        case .transport(transport, _, let first) = last.payload, Int(first) + last.count == Int(port)
      {
        asked[asked.count - 1].count += one.count
      } else {
        asked.append(one)
      }
    }
  }

  fileprivate var rank: [Int] {
    let isPod = { (end: Flow.End) -> Int in if case .pod = end.endpoint { 0 } else { 1 } }
    return [state == .new ? 0 : 1, service == nil ? 0 : 1, isPod(source) + isPod(destination)]
  }
}

private struct FamilyComparison: Sendable {
  let cluster: Cluster
  let first, second: EnforcedMatrix
  let topology: Topology
  let weights: AddressWeights

  struct Part: Sendable {
    var packets = 0.0
    var differences: [RulesComparison.Difference] = []
  }

  /// What becomes of some packets: where they go, and whether they do.
  private struct Fate: Hashable {
    /// -1: they keep it.
    let newDestination, newQuestion: Int
    let end: PacketClass.End
    let codePoints: UInt64

    func isSameChoice(_ other: Fate) -> Bool {
      newDestination == other.newDestination && newQuestion == other.newQuestion && codePoints == other.codePoints
    }
    static func isBefore(_ a: Fate, _ b: Fate) -> Bool {
      (a.newDestination, a.newQuestion, a.codePoints) < (b.newDestination, b.newQuestion, b.codePoints)
    }
  }
  private struct Place: Hashable {
    let end: Int
    let state: ConntrackState
  }

  func compare(_ node: Int, _ question: Int, _ one: NodeClasses, _ other: NodeClasses) -> Part {
    var part = Part()
    let redirected = { (node: NodeClasses) in
      node.redirected.reduce(into: [Place: [Fate: Bits]]()) { fates, group in
        add(group.classes, question, isDeparture: true, to: &fates) { group.destinations(of: $0, question) }
      }
    }
    compare(
      node, question, fates(one.departures, question, isDeparture: true),
      fates(other.departures, question, isDeparture: true), isDeparture: true, &part)
    compare(node, question, redirected(one), redirected(other), isDeparture: true, isRedirected: true, &part)
    compare(
      node, question, fates(one.arrivals, question, isDeparture: false),
      fates(other.arrivals, question, isDeparture: false), isDeparture: false, &part)
    return part
  }

  private var count: Int { first.space.addresses.count }

  /// By end and state: the peers of each fate.
  private func fates(_ classes: [PacketClass], _ question: Int, isDeparture: Bool) -> [Place: [Fate: Bits]] {
    var found: [Place: [Fate: Bits]] = [:]
    let everything = Bits(allBelow: count)
    add(classes, question, isDeparture: isDeparture, to: &found) { _ in everything }
    return found
  }

  /// `domain`: the peers of an end that count. `nil`: none.
  private func add(
    _ classes: [PacketClass], _ question: Int, isDeparture: Bool, to found: inout [Place: [Fate: Bits]],
    _ domain: (Int) -> Bits?
  ) {
    for one in classes where one.packets.questions.contains(question) {
      let fate = Fate(
        newDestination: one.packets.newDestination ?? -1, newQuestion: one.packets.newQuestion ?? -1, end: one.end,
        codePoints: one.packets.newDestination == nil ? 0 : one.packets.codePoints)
      let (ends, peers) =
        isDeparture
        ? (one.packets.sources, one.packets.destinations) : (one.packets.destinations, one.packets.sources)
      for state in one.packets.states.all {
        ends.visit { end in
          guard var own = domain(end) else { return }
          own.formIntersection(with: peers)
          if own.isEmpty { return }
          let place = Place(end: end, state: state == .untracked ? .new : state)
          var bits = found[place]?[fate] ?? Bits(count: count)
          bits.formUnion(own)
          found[place, default: [:]][fate] = bits
        }
      }
    }
  }

  private func compare(
    _ node: Int, _ question: Int, _ one: [Place: [Fate: Bits]], _ other: [Place: [Fate: Bits]], isDeparture: Bool,
    isRedirected: Bool = false, _ part: inout Part
  ) {
    let ports = first.space.portCounts[question]
    for place in Set(one.keys).union(other.keys).sorted(by: {
      ($0.end, $0.state.rawValue) < ($1.end, $1.state.rawValue)
    }) {
      let (mine, theirs) = (one[place] ?? [:], other[place] ?? [:])
      for peers in mine.values { part.packets += weights.weigh(peers) * ports }
      for (fate, peers) in mine {
        let left = peers.subtracting(theirs[fate] ?? Bits(count: count))
        if left.isEmpty { continue }
        // What does the other side do with them?
        left.visit { peer in
          let candidates = theirs.filter { $0.value.contains(peer) }.map(\.key)
          // The same choice of a service, if it makes the same.
          guard let theirFate = candidates.first(where: fate.isSameChoice) ?? candidates.min(by: Fate.isBefore) else {
            return
          }
          let (passes, theyPass) = (fate.end != .stopped, theirFate.end != .stopped)
          if passes == theyPass, fate.newDestination == theirFate.newDestination { return }
          add(place, peer, fate, node, question, isDeparture, isRedirected: isRedirected, &part)
        }
      }
    }
  }

  private func add(
    _ place: Place, _ peer: Int, _ fate: Fate, _ node: Int, _ question: Int, _ isDeparture: Bool, isRedirected: Bool,
    _ part: inout Part
  ) {
    let (source, sent) = isDeparture ? (place.end, peer) : (peer, place.end)
    // What a pod sends to itself leaves it only through a service.
    if source == sent && !isRedirected || first.space.addresses[sent].isLoopback
      || first.space.addresses[source].isLoopback
    {
      return
    }
    let destination = fate.newDestination < 0 ? sent : fate.newDestination
    let end = { (number: Int) in
      Flow.End(
        topology.owner(of: first.space.addresses[number]) ?? .address(first.space.addresses[number]),
        first.space.addresses[number])
    }
    part.differences.append(
      RulesComparison.Difference(
        node: topology.nodes[node].name, place: isDeparture ? .departure : .arrival, source: end(source),
        destination: end(destination), service: service(fate, sent, question, isRedirected: isRedirected),
        state: place.state,
        asked: [
          RulesComparison.Asked(payload: first.space.payload(question), count: Int(first.space.portCounts[question]))
        ],
        first: fate.end == .stopped ? .deny : .allow))
  }

  /// Where the packets were sent before.
  private func service(_ fate: Fate, _ sent: Int, _ question: Int, isRedirected: Bool) -> IPAddress? {
    if fate.newDestination >= 0 { return first.space.addresses[sent] }
    guard isRedirected else { return nil }
    return cluster.front(leadingTo: first.space.addresses[sent], port: first.space.payload(question).port)?.address
  }
}
