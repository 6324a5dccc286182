internal import Enforcement
public import EngineComparison
internal import Evaluator
internal import Lowering
public import NetpolModel
internal import Oracle
internal import Path

/// All packets of one family: the rules of every node, the specification and the deviations, in one space.
///
/// A class, since every part of a proof holds it: copies of its many arrays would cost more than the proof.
final class FamilyProof: Sendable {
  let cluster: Cluster
  let comparer: Comparer
  let family: IPFamily
  let rules: EnforcedMatrix
  let specified: OracleMatrix
  let predicted: DeviationMatrix
  /// How many addresses each number stands for.
  let weights: AddressWeights
  let kinds: EndKinds
  let defaultDeny: DefaultDeny
  /// Loopback addresses, which are never on a wire, and groups.
  let unsent, groups: Bits
  /// By node: the addresses that only it uses. The kernel drops what arrives from elsewhere with such a source
  /// (`fib_validate_source`).
  let martians: [Bits]
  /// By question: how many ports, ICMP types or protocols it has.
  let portCounts: [Double]
  /// `nil`: all nodes.
  let onNodes: Set<String>?

  var traits: EnforcerTraits { comparer.enforced.style.traits }
  var space: PacketSpace { rules.space }
  var topology: Topology { comparer.enforced.topology }

  init(_ cluster: Cluster, _ comparer: Comparer, _ family: IPFamily, onNodes: Set<String>? = nil) {
    self.onNodes = onNodes
    self.cluster = cluster
    self.comparer = comparer
    self.family = family
    let topology = comparer.enforced.topology
    let networks = comparer.enforced.networks(family).union(cluster.networkBorders(family))
    let atoms = AddressAtoms(family, dividedBy: networks)
    rules = EnforcedMatrix(
      comparer.enforced, family, dividedBy: cluster.portBorders, alsoTo: atoms.parts.map(atoms.representative), .all)
    let space = rules.space
    weights = AddressWeights(atoms, space)
    specified = OracleMatrix(
      comparer.oracle, ends: space.addresses.map { Flow.End(topology.owner(of: $0) ?? .address($0), $0) })
    predicted = DeviationMatrix(comparer.reading, specified)
    kinds = EndKinds(specified.ends, comparer.reading, cluster, networks)
    defaultDeny = DefaultDeny(cluster, comparer.reading, topology, rules, specified.ends)
    let count = space.addresses.count
    unsent = Bits(space.addresses.indices.filter { space.addresses[$0].isLoopback }, count: count)
    groups = Bits(space.addresses.indices.filter { space.addresses[$0].isMulticast }, count: count)
    martians = topology.nodes.map { Bits($0.privateAddresses.compactMap(space.number), count: count) }
    portCounts = space.portCounts
  }

  static func index(_ classes: [PacketClass], _ space: PacketSpace) -> [[Int32]] {
    var index = [[Int32]](repeating: [], count: space.questionCount)
    for (number, one) in classes.enumerated() { one.packets.questionsNow.visit { index[$0].append(Int32(number)) } }
    return index
  }

  /// The questions with equal answers of the specification are neighbours.
  var questionGroups: [(question: Flow.Question, numbers: [Int])] {
    space.ports.representatives.indices.map { (.port(space.ports.representatives[$0]), [$0]) }
      + [(.echo, Array(space.echo..<space.questionCount))]
  }

  func end(_ number: Int) -> Flow.End { specified.ends[number] }

  /// Where a service leads from to a destination, to name it in an example.
  func asked(_ destination: Int, _ question: Int) -> ServiceFront? {
    space.payload(question).port.flatMap { cluster.front(leadingTo: space.addresses[destination], port: $0) }
  }

  func packet(
    _ node: Int, _ place: ProofPacket.Place, from source: Int, to destination: Int, _ question: Int,
    _ state: ConntrackState, asked: ServiceFront? = nil
  ) -> ProofPacket {
    ProofPacket(
      node: topology.nodes[node].name, place: place, source: end(source), destination: end(destination),
      payload: space.payload(question), state: state, asked: asked)
  }
}

/// How many addresses the numbers of a space stand for.
struct AddressWeights: Sendable {
  private let single: Bits
  private let parts: [(number: Int, count: Double)]
  private let rangesOf: [Int: [ClosedRange<UInt128>]]

  /// The addresses that a number stands for.
  func ranges(_ number: Int, _ address: UInt128) -> [ClosedRange<UInt128>] { rangesOf[number] ?? [address...address] }

  init(_ atoms: AddressAtoms, _ space: PacketSpace) {
    var parts: [(number: Int, count: Double)] = []
    var ranges: [Int: [ClosedRange<UInt128>]] = [:]
    var single = Bits(allBelow: space.addresses.count)
    for part in atoms.parts where part.count > 1 {
      guard let number = space.number(of: atoms.representative(of: part)) else { continue }
      parts.append((number, part.count))
      ranges[number] = part.ranges
      single.remove(number)
    }
    self.single = single
    self.parts = parts
    rangesOf = ranges
  }

  func weigh(_ bits: Bits) -> Double {
    var sum = Double(bits.intersection(single).count)
    for (number, count) in parts where bits.contains(number) { sum += count }
    return sum
  }
}

/// Ends that neither policies nor deviations tell apart, as far as another end's flows with them go.
struct EndKinds: Sendable {
  private struct Kind: Hashable {
    let namespace: String?
    let labels: Labels?
    let ports: [ContainerPort]
    let node: String?
    let hasChain: Bool
    let network: CIDR?
    let isOutside: Bool
  }
  let numbers: [Int]

  init(_ ends: [Flow.End], _ model: DeviationModel, _ cluster: Cluster, _ networks: Set<CIDR>) {
    var known: [Kind: Int] = [:]
    let blocks = networks.filter { !$0.isHost }
    let lengths = Set(blocks.map(\.prefixLength)).sorted(by: >)
    let innermost = { (address: IPAddress) in
      lengths.lazy.map { CIDR(address, prefixLength: $0) }.first(where: blocks.contains)
    }
    let pods = Dictionary(cluster.pods.map { ($0.id, $0) }) { first, _ in first }
    numbers = ends.map { end in
      var pod: Pod?
      if case .pod(let id) = end.endpoint { pod = pods[id] }
      var isOutside = false
      if case .address = end.endpoint { isOutside = true }
      let kind = Kind(
        namespace: pod?.id.namespace, labels: pod?.labels, ports: pod?.ports ?? [],
        node: pod == nil ? model.nodeSpeaking(end.endpoint) : pod?.node, hasChain: pod.map(model.hasChain) ?? false,
        network: innermost(end.address), isOutside: isOutside)
      let next = known.count
      let number = known[kind, default: next]
      if number == next { known[kind] = next }
      return number
    }
  }
}

extension Cluster {
  /// A ClusterIP and port of a service that leads to an endpoint.
  func front(leadingTo target: IPAddress, port: UInt16?) -> ServiceFront? {
    for service in services {
      for slice in slices(of: service.id) where slice.members.contains(where: { $0.address == target }) {
        for own in slice.ports where port == nil || own.port == port {
          guard let address = service.clusterIPs.first(where: { $0.family == target.family }),
            let front = service.ports.first(where: { $0.name == own.name && $0.transport == own.transport })
          else { continue }
          return ServiceFront(address: address, port: front.port)
        }
      }
    }
    return nil
  }

  /// The networks and single addresses that its objects name, and those that are special for everybody.
  func networkBorders(_ family: IPFamily) -> Set<CIDR> {
    var found: Set<CIDR> = []
    for peer in policies.flatMap({ $0.ingress + $0.egress }).flatMap(\.peers.list) {
      guard case .block(let block) = peer else { continue }
      found.insert(block.cidr)
      found.formUnion(block.except)
    }
    found.formUnion(nodes.flatMap(\.podCIDRs))
    found.formUnion(settings.serviceCIDRs)
    for service in services {
      found.formUnion(
        (service.clusterIPs + service.externalIPs + service.loadBalancerIPs.map(\.address)).map { CIDR($0) })
      found.formUnion(service.loadBalancerSourceRanges)
    }
    found.formUnion(
      (pods.flatMap(\.podIPs) + nodes.flatMap(\.addresses) + externalHosts.flatMap(\.addresses)).map { CIDR($0) })
    let special = family == .v4 ? ["127.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32"] : ["::1/128", "ff00::/8"]
    return found.union(special.compactMap { CIDR($0) }).filter { $0.family == family }
  }
}

extension FamilyProof {
  /// Nodes between two reports of progress. Only those at work have their classes in memory.
  private static let atOnce = 25

  func prove(
    entries: ((NodeProof.Entry) -> Void)? = nil, _ progress: (_ done: Int, _ of: Int) -> Void
  ) -> Proof {
    var proof = Proof()
    let keeps = entries != nil
    proof.families = [family]
    let wanted = topology.nodes.indices.filter { onNodes?.contains(topology.nodes[$0].name) ?? true }
    progress(0, wanted.count)
    for start in stride(from: 0, to: wanted.count, by: Self.atOnce) {
      progress(start, wanted.count)
      let some = wanted[start..<min(start + Self.atOnce, wanted.count)]
      for result in concurrentMap(some.count, { result(ofNode: some[some.startIndex + $0], keepsEntries: keeps) }) {
        proof.add(result)
        if let entries { for entry in result.entries { entries(entry) } }
      }
    }
    return proof
  }

  func result(ofNode number: Int, keepsEntries: Bool = false) -> NodeResult {
    var one = NodeProof(self, number)
    one.keepsEntries = keepsEntries
    for group in questionGroups { one.prove(group.question, group.numbers) }
    return NodeResult(part: one.part, rows: one.rows, entries: one.entries)
  }
}

/// What one node adds to a proof.
struct NodeResult: Sendable {
  let part: ProofPart
  let rows: Set<NodeProof.RowKey>
  let entries: [NodeProof.Entry]
}

extension Proof {
  /// Compares a style's rules on every node of a cluster with the specification, for every packet.
  /// With `onNodes`, only these nodes' rules are looked at; with `families`, only packets of these.
  public init(
    _ cluster: Cluster, _ comparer: Comparer, onNodes nodes: Set<String>? = nil, families: [IPFamily]? = nil,
    progress: (_ family: IPFamily, _ done: Int, _ of: Int) -> Void = { _, _, _ in }
  ) {
    self.init()
    for family in families ?? cluster.families {
      let whole = FamilyProof(cluster, comparer, family, onNodes: nodes)
      merge(whole.prove { progress(family, $0, $1) })
    }
    counterexamples.sort(by: Counterexample.isSimpler)
  }

  mutating func merge(_ other: Proof) {
    families += other.families
    classes += other.classes
    packets += other.packets
    for (reasons, one) in other.differing { differing.add(one, for: reasons) }
    counterexamples += other.counterexamples
    gaps.merge(other.gaps) { $0 + $1 }
  }
}

extension Counterexample {
  /// First packets between pods come first: they are the easiest to understand and to send.
  static func isSimpler(_ a: Counterexample, _ b: Counterexample) -> Bool { a.rank.lexicographicallyPrecedes(b.rank) }

  private var rank: [Int] {
    let isPod = { (end: Flow.End) -> Int in if case .pod = end.endpoint { 0 } else { 1 } }
    let isSide = if case .side = packet.place { 1 } else { 0 }
    let protocolRank =
      switch packet.payload {
      case .transport(let transport, _, _): Int(transport.number)
      case .icmp: 300
      case .other: 301
      }
    return [
      packet.state == .new ? 0 : 1, isSide, packet.asked == nil ? 0 : 1,
      isPod(packet.source) + isPod(packet.destination),
      protocolRank,
    ]
  }
}
