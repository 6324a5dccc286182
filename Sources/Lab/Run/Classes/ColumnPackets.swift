internal import Enforcement
internal import EngineComparison
internal import Evaluator
internal import NetpolModel
internal import Path
internal import Verdicts

/// Chooses flows to send to destinations that lead on: one for each verdict and list of policies that isolate an
/// endpoint, and one for each way in which the rules answer. Nodes with the same rules for services are one destination, but a packet to the sender's own node
/// and one to another differ. Senders in use come first, so that the lab stays small.
struct ColumnPackets {
  private struct Target: Hashable {
    /// `nil` for a node, and for what has a node's address.
    let destination: Endpoint?
    let address: IPAddress?
    let nodeRules: Int?
    let question: Flow.Question
    let verdict: Verdict?
  }
  private struct Arrival: Hashable {
    let target: Target
    /// Which policies isolate the endpoint.
    let isolation: Int
    let port: UInt16?
  }
  private struct Way: Hashable {
    let target: Target
    let isFromPod, isDeviation: Bool
    let stop: Journey.Stop?
    let hooks: [Hook]
    let marks: [UInt32]
    /// The ends whose policies refuse it, by the specification: a mistake at one hides behind the other's refusal.
    let refusing: Set<Direction>
    /// Where the endpoint is: on the sender's node, and on the node that is asked.
    let isNear, isAtAsked: Bool
    let isToOwnNode: Bool
  }

  private let senders: Senders
  private let topology: Topology
  private let serviceRules: [String: Int]
  private let pairs: PairFlows
  private var arrivals: Set<Arrival> = []
  private var ways: Set<Way> = []
  /// The senders that send already, and the addresses in use.
  private var used: Bits
  private var usedAddresses: Set<IPAddress>
  private let matrix: MatrixComparer
  private let cover: NodeCover
  /// The senders on the cover's nodes.
  private let covered: Bits

  init(
    _ matrix: MatrixComparer, _ senders: Senders, _ topology: Topology, serviceRules: [String: Int],
    _ pairs: PairFlows, _ cover: NodeCover, sending flows: [Flow]
  ) {
    self.cover = cover
    self.matrix = matrix
    self.senders = senders
    self.topology = topology
    self.serviceRules = serviceRules
    self.pairs = pairs
    let ends = Set(flows.lazy.flatMap { [$0.source, $0.destination] })
    used = Bits(
      senders.all.indices.filter { senders.all[$0].endpoints.first.map(ends.contains) ?? false },
      count: senders.all.count)
    let nodes = Set(topology.nodes.indices.filter { cover.names.contains(topology.nodes[$0].name) })
    covered = Bits(
      senders.all.indices.filter { nodes.contains(senders.all[$0].node) }, count: senders.all.count)
    usedAddresses = Set(flows.lazy.flatMap { [$0.sourceAddress, $0.destinationAddress] })
  }

  /// The flows to send for the answers of one destination's endpoints to one sender. `members`: the numbers of the
  /// senders for which the comparisons stand.
  mutating func flows(for comparisons: [Comparison], of members: [Int]) -> [Flow] {
    let rank = { [usedAddresses, matrix, cover] (one: Comparison) -> Int in
      guard let address = one.flow.chosen?.address, !usedAddresses.contains(address) else { return 0 }
      return matrix.enforced.space.number(of: address).map(cover.addresses.contains) == true ? 1 : 2
    }
    let answered = comparisons.filter(\.finding.isAnswered)
    return (0...2).flatMap { wanted in answered.filter { rank($0) == wanted } }.compactMap {
      flow(for: $0, of: members)
    }
  }

  /// The flow to send, or `nil` if another shows the same. `members`: the numbers of the senders for which the
  /// comparison stands.
  private mutating func flow(for comparison: Comparison, of members: [Int]) -> Flow? {
    let flow = comparison.flow
    let (source, asked) = (node(of: flow.source), topology.hostNode(of: flow.destination)?.name)
    let target = Target(
      destination: asked == nil ? flow.destination : nil, address: asked == nil ? flow.destinationAddress : nil,
      nodeRules: asked.flatMap { serviceRules[$0] }, question: flow.question, verdict: comparison.evaluated)
    let place = flow.chosen.flatMap { topology.owner(of: $0.address) }.flatMap(node)
    let way = Way(
      target: target, isFromPod: topology.hostNode(of: flow.source) == nil && source != nil,
      isDeviation: comparison.evaluated != comparison.specified?.verdict, stop: comparison.journey.stop,
      hooks: comparison.journey.hops.map(\.hook), marks: comparison.journey.marks,
      refusing: comparison.refusing,
      isNear: source != nil && source == place,
      isAtAsked: asked != nil && asked == place, isToOwnNode: asked != nil && asked == source)
    let number = flow.chosen.flatMap { matrix.enforced.space.number(of: $0.address) }
    let arrival = Arrival(
      target: target, isolation: number.map { matrix.isolation(of: $0, .ingress) } ?? -2, port: flow.chosen?.port)
    let isNewArrival = arrivals.insert(arrival).inserted
    let isNewWay = ways.insert(way).inserted
    if !isNewArrival, !isNewWay { return nil }
    if let address = flow.chosen?.address { usedAddresses.insert(address) }
    return from(members, flow)
  }

  /// The same flow, from one of the members that sends already if there is one, or else one on a node of the cover.
  private mutating func from(_ members: [Int], _ flow: Flow) -> Flow {
    let alike = Bits(members, count: senders.all.count)
    guard let number = alike.intersection(used).first ?? alike.intersection(covered).first ?? members.first else {
      return flow
    }
    used.insert(number)
    guard let sender = senders.all[number].endpoints.first, sender != flow.source else { return flow }
    let others = pairs.flows(from: sender, to: flow.destination, flow.question, flow.family).flows
    return others.first { $0.chosen == flow.chosen && $0.destinationAddress == flow.destinationAddress } ?? flow
  }

  private func node(of endpoint: Endpoint) -> String? {
    if let host = topology.hostNode(of: endpoint) { return host.name }
    if case .pod(let id) = endpoint { return topology.pods[id]?.node }
    return nil
  }
}

extension Comparison {
  fileprivate var refusing: Set<Direction> {
    if specified?.verdict != .deny { return [] }
    return Set(
      (specified?.because ?? []).compactMap { reason in
        if case .isolated(let direction, _) = reason { direction } else { nil }
      })
  }
}
