internal import Algorithms
public import Evaluator
public import NetpolModel
internal import Path

/// What a style's rules do with every first packet of one family between pods, nodes and hosts outside.
///
/// Each node's rules run once, for all packets together (`ClassEvaluator`). A packet between two nodes passes if both
/// let it pass. docs/exactness.md has the argument.
public struct EnforcedMatrix: Sendable {
  public let space: PacketSpace
  private let topology: Topology
  /// In the topology's order. Empty with `PacketScope.all`: use `classes(ofNode:)`.
  private let nodes: [NodeClasses]
  private let evaluators: [Evaluator?]
  private let members: SetMembers
  private let scope: PacketScope
  /// By node, in the topology's order: the numbers of its pods and of its own addresses.
  public let pods, own: [Bits]
  /// By number: the index of the node that a pod is on or that has the address. -1: outside.
  private let placeOf: [Int]
  /// By node: which of its own addresses it uses towards each number. -1: none. Empty with `PacketScope.all`.
  private let sending: [[Int]]
  private let outside: Bits
  /// The hosts outside without a route to pods.
  private let unreachablePods: Set<Int>
  /// The pods that send on what they receive.
  private let forwarders: Bits

  /// The answers to one question, for all packets of one sender.
  public struct Row: Hashable, Sendable {
    /// Destinations that get its packets.
    public var allowed: Bits
    /// Destinations for which only the walk of a single packet shows what happens.
    public var open: Bits
  }

  /// `borders`: port ranges that must not be joined in one interval, besides those of the rules. `others`: destinations
  /// that no machine has, such as a service's address. `given`: the space of another matrix of the same places, if all
  /// borders of these rules are borders of it.
  public init(
    _ enforced: EnforcedCluster, _ family: IPFamily,
    dividedBy borders: some Sequence<(transport: Transport, range: PortRange)>, alsoTo others: [IPAddress] = [],
    _ scope: PacketScope = .first, in given: PacketSpace? = nil
  ) {
    let topology = enforced.topology
    self.topology = topology
    let ofFamily = { (addresses: [IPAddress]) in addresses.filter { $0.family == family } }
    let addresses = topology.addresses(family) + ofFamily(others)
    let isAll = if case .all = scope { true } else { false }
    let space =
      given
      ?? {
        let named = RuleBorders(enforced.evaluators.values, family)
        return PacketSpace(
          family, addresses: Array(addresses.uniqued()), dividedBy: named.ports + Array(borders),
          portless: isAll ? named.portless : nil)
      }()
    self.space = space
    let count = space.addresses.count
    var placeOf = [Int](repeating: -1, count: count)
    var pods: [Bits] = []
    var own: [Bits] = []
    for (index, node) in topology.nodes.enumerated() {
      let local = node.pods.flatMap { topology.pods[$0]?.addresses.compactMap { space.number(of: $0.address) } ?? [] }
      let mine = node.localAddresses.compactMap(space.number).filter { number in
        topology.owner(of: space.addresses[number]) == .node(node.name)
      }
      for number in local + mine { placeOf[number] = index }
      pods.append(Bits(local, count: count))
      own.append(Bits(mine, count: count))
    }
    self.placeOf = placeOf
    self.pods = pods
    self.own = own
    outside = Bits(placeOf.indices.filter { placeOf[$0] < 0 }, count: count)
    sending =
      isAll
      ? []
      : concurrentMap(topology.nodes.count) { index in
        let node = topology.nodes[index].name
        return space.addresses.map { topology.leavingAddress(of: node, towards: $0).flatMap(space.number) ?? -1 }
      }
    unreachablePods = Set(
      topology.externals.filter { !$0.routesToPods }.flatMap { ofFamily($0.addresses) }.compactMap(space.number))
    forwarders = Bits(topology.forwarderAddresses.compactMap(space.number), count: count)
    let members = SetMembers(enforced.evaluators.values, space)
    self.members = members
    self.scope = scope
    evaluators = topology.nodes.map { enforced.evaluators[$0.name] }
    let (ownNumbers, podNumbers) = (own, pods)
    if isAll {
      nodes = []
    } else {
      nodes = concurrentMap(topology.nodes.count) { index in
        guard let evaluator = enforced.evaluators[topology.nodes[index].name] else { return NodeClasses() }
        return NodeClasses(
          ClassEvaluator(evaluator, space, members), topology.nodes[index], own: ownNumbers[index],
          pods: podNumbers[index], in: topology)
      }
    }
  }

  /// What one node's rules do, worked out now: those of all nodes may not fit in memory.
  public func classes(ofNode index: Int) -> NodeClasses {
    guard let evaluator = evaluators[index] else { return NodeClasses() }
    return NodeClasses(
      ClassEvaluator(evaluator, space, members, joinsSets: true), topology.nodes[index], own: own[index],
      pods: pods[index],
      in: topology, scope)
  }

  /// A space for packets of two clusters with the same places: divided at the borders of the rules of both.
  public static func commonSpace(
    _ one: EnforcedCluster, _ other: EnforcedCluster, _ family: IPFamily,
    dividedBy borders: [(transport: Transport, range: PortRange)], alsoTo others: [IPAddress]
  ) -> PacketSpace {
    let named = RuleBorders(Array(one.evaluators.values) + Array(other.evaluators.values), family)
    return PacketSpace(
      family, addresses: Array((one.topology.addresses(family) + others).uniqued()), dividedBy: named.ports + borders,
      portless: named.portless)
  }

  /// The number of classes, of all nodes' rules, that hold some of these packets.
  public func classCount(from sources: Bits, to destinations: Bits, asking questions: Bits) -> Int {
    guard let from = Numbers(sources), let to = Numbers(destinations), let asked = Numbers(questions) else { return 0 }
    return nodes.reduce(0) { sum, node in
      sum
        + (node.departures + node.arrivals).count { one in
          !one.packets.sources.isDisjoint(with: from) && !one.packets.destinations.isDisjoint(with: to)
            && !one.packets.questions.isDisjoint(with: asked)
        }
    }
  }

  /// A sender: an address, or a node with whichever of its addresses it uses.
  public enum Sender: Hashable, Sendable {
    case address(Int)
    case node(Int)
  }

  /// `nil` if the endpoint has no address of the family.
  public func sender(_ endpoint: Endpoint) -> Sender? {
    if let host = topology.hostNode(of: endpoint) {
      return topology.nodes.firstIndex { $0.name == host.name }.map { .node($0) }
    }
    return topology.address(of: endpoint, space.family).flatMap(space.number).map { .address($0) }
  }

  /// The numbers of a sender's addresses, each with the destinations towards which the sender uses it.
  public func sources(of sender: Sender) -> [(source: Int, destinations: Bits)] {
    let count = space.addresses.count
    switch sender {
    case .address(let number): return [(number, Bits(allBelow: count))]
    case .node(let index):
      var masks: [Int: Bits] = [:]
      for (destination, source) in (sending.isEmpty ? [] : sending[index]).enumerated() where source >= 0 {
        masks[source, default: Bits(count: count)].insert(destination)
      }
      return masks.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
  }

  /// The number of the address that a sender uses towards a destination. -1: it has none.
  public func source(of sender: Sender, towards destination: Int) -> Int {
    switch sender {
    case .address(let number): number
    case .node(let index): sending.isEmpty ? -1 : sending[index][destination]
    }
  }

  /// Whether a sender uses an address towards a destination.
  public func uses(_ source: Int, _ sender: Sender, towards destination: Int) -> Bool {
    switch sender {
    case .address(let number): number == source
    case .node: self.source(of: sender, towards: destination) == source
    }
  }

  /// Calls `body` with each class of packets that has the question: of those that leave a node, or arrive at one.
  /// `order`: numbers of the nodes.
  public func forEachClass(
    at question: Int, onNodes order: [Int], _ body: (_ isDeparture: Bool, PacketClass) -> Void
  ) {
    for node in order.map({ nodes[$0] }) {
      for one in node.departures where one.packets.questions.contains(question) { body(true, one) }
      for one in node.arrivals where one.packets.questions.contains(question) { body(false, one) }
    }
  }

  /// What becomes of the packets that ask one question.
  public func answers(to question: Int) -> Answers { Answers(self, question) }

  /// All packets that ask one question.
  public struct Answers: Sendable {
    private let matrix: EnforcedMatrix
    /// By number of the source: what leaves the sender's node, or gets to a pod of it.
    private var passed, masqueraded, open: [Bits]
    /// By number of the source: what arrives at other nodes' pods and at other nodes.
    private var arrived, openThere: [Bits]
    /// By node: what of it arrives if the node masquerades it.
    private var masqueradedArrivals: [Bits] = []
    private var masqueradedOpen: [Bits] = []

    fileprivate init(_ matrix: EnforcedMatrix, _ question: Int) {
      self.matrix = matrix
      let count = matrix.space.addresses.count
      let empty = [Bits](repeating: Bits(count: count), count: count)
      var (passed, masqueraded, open) = (empty, empty, empty)
      var (arrivedAt, openAt) = (empty, empty)
      for node in matrix.nodes {
        for one in node.departures where one.packets.questions.contains(question) {
          one.packets.sources.visit { source in
            switch one.end {
            case .passed: passed[source].formUnion(one.packets.destinations)
            case .masqueraded: masqueraded[source].formUnion(one.packets.destinations)
            case .open: open[source].formUnion(one.packets.destinations)
            case .stopped: break
            }
          }
        }
        for one in node.arrivals where one.packets.questions.contains(question) {
          one.packets.destinations.visit { destination in
            switch one.end {
            case .passed, .masqueraded: arrivedAt[destination].formUnion(one.packets.sources)
            case .open: openAt[destination].formUnion(one.packets.sources)
            case .stopped: break
            }
          }
        }
      }
      (self.passed, self.masqueraded, self.open) = (passed, masqueraded, open)
      let (arrived, openThere) = (Bits.transposed(arrivedAt), Bits.transposed(openAt))
      (self.arrived, self.openThere) = (arrived, openThere)
      for index in matrix.nodes.indices {
        var (all, unclear) = (Bits(count: count), Bits(count: count))
        for destination in 0..<count where matrix.placeOf[destination] >= 0 && matrix.placeOf[destination] != index {
          let source = matrix.sending[index][destination]
          if source < 0 || openThere[source].contains(destination) {
            unclear.insert(destination)
          } else if arrived[source].contains(destination) {
            all.insert(destination)
          }
        }
        masqueradedArrivals.append(all)
        masqueradedOpen.append(unclear)
      }
    }

    public func row(of sender: Sender) -> Row {
      var row = rowToFirstReceiver(sender)
      row.open.formUnion(row.allowed.intersection(matrix.forwarders))
      row.allowed.subtract(row.open)
      return row
    }

    /// A pod that sends on what it receives has rules of its own.
    private func rowToFirstReceiver(_ sender: Sender) -> Row {
      let count = matrix.space.addresses.count
      var row = Row(allowed: Bits(count: count), open: Bits(count: count))
      for (source, destinations) in matrix.sources(of: sender) {
        let part = self.row(source)
        row.allowed.formUnion(part.allowed.intersection(destinations))
        row.open.formUnion(part.open.intersection(destinations))
      }
      return row
    }

    /// Whether a sender's packets leave its node, or get to a pod of the node.
    public func leaves(_ sender: Sender, towards destination: Int) -> Bool {
      let source = matrix.source(of: sender, towards: destination)
      guard source >= 0 else { return false }
      return matrix.placeOf[source] < 0 || passed[source].contains(destination)
        || masqueraded[source].contains(destination)
    }

    /// Whether the destination's node lets a packet of another machine in.
    public func arrives(from source: Int, at destination: Int) -> Bool { arrived[source].contains(destination) }

    private func row(_ source: Int) -> Row {
      let place = matrix.placeOf[source]
      guard place >= 0 else {
        // No node sees what hosts outside send to each other.
        var row = Row(allowed: arrived[source].union(matrix.outside), open: openThere[source])
        if matrix.unreachablePods.contains(source) {
          for pods in matrix.pods {
            row.allowed.subtract(pods)
            row.open.subtract(pods)
          }
        }
        return row
      }
      // What stays on the node or leaves the cluster is decided there.
      let final = matrix.pods[place].union(matrix.own[place]).union(matrix.outside)
      var allowed = passed[source].union(masqueraded[source])
      var unclear = open[source]
      let onward = passed[source].subtracting(final)
      let hidden = masqueraded[source].subtracting(final)
      unclear.formUnion(onward.intersection(openThere[source]))
      unclear.formUnion(hidden.intersection(masqueradedOpen[place]))
      allowed.formIntersection(final)
      allowed.formUnion(onward.intersection(arrived[source]))
      allowed.formUnion(hidden.intersection(masqueradedArrivals[place]))
      return Row(allowed: allowed, open: unclear)
    }
  }
}

extension Topology {
  /// The addresses of all machines, those of one node together.
  fileprivate func addresses(_ family: IPFamily) -> [IPAddress] {
    let ofFamily = { (addresses: [IPAddress]) in addresses.filter { $0.family == family } }
    return nodes.flatMap { node in
      node.pods.flatMap { pods[$0].map { ofFamily($0.addresses.map(\.address)) } ?? [] }
        + ofFamily(node.localAddresses.sorted())
    } + externals.flatMap { ofFamily($0.addresses) }
  }
}
