internal import Enforcement
internal import EngineComparison
internal import NetpolModel
internal import Path
internal import Verdicts

/// Chooses flows to send to destinations that lead on: one for each endpoint and verdict, and one for each way in which
/// the rules answer. Nodes with the same rules for services are one destination, but a packet to the sender's own node
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
    let chosen: ServiceTarget?
  }
  private struct Way: Hashable {
    let target: Target
    let isFromPod, isDeviation: Bool
    let stop: Journey.Stop?
    let hooks: [Hook]
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
  /// The senders that send already.
  private var used: Bits

  init(
    _ senders: Senders, _ topology: Topology, serviceRules: [String: Int], _ pairs: PairFlows, sending flows: [Flow]
  ) {
    self.senders = senders
    self.topology = topology
    self.serviceRules = serviceRules
    self.pairs = pairs
    let ends = Set(flows.lazy.flatMap { [$0.source, $0.destination] })
    used = Bits(
      senders.all.indices.filter { senders.all[$0].endpoints.first.map(ends.contains) ?? false },
      count: senders.all.count)
  }

  /// The flow to send, or `nil` if another shows the same. `members`: the numbers of the senders for which the
  /// comparison stands.
  mutating func flow(for comparison: Comparison, of members: [Int]) -> Flow? {
    let flow = comparison.flow
    let (source, asked) = (node(of: flow.source), topology.hostNode(of: flow.destination)?.name)
    let target = Target(
      destination: asked == nil ? flow.destination : nil, address: asked == nil ? flow.destinationAddress : nil,
      nodeRules: asked.flatMap { serviceRules[$0] }, question: flow.question, verdict: comparison.evaluated)
    let place = flow.chosen.flatMap { topology.owner(of: $0.address) }.flatMap(node)
    let way = Way(
      target: target, isFromPod: topology.hostNode(of: flow.source) == nil && source != nil,
      isDeviation: comparison.evaluated != comparison.specified?.verdict, stop: comparison.journey.stop,
      hooks: comparison.journey.hops.map(\.hook), isNear: source != nil && source == place,
      isAtAsked: asked != nil && asked == place, isToOwnNode: asked != nil && asked == source)
    let isNewArrival = arrivals.insert(Arrival(target: target, chosen: flow.chosen)).inserted
    let isNewWay = ways.insert(way).inserted
    return isNewArrival || isNewWay ? from(members, flow) : nil
  }

  /// The same flow, from one of the members that sends already if there is one.
  private mutating func from(_ members: [Int], _ flow: Flow) -> Flow {
    let alike = Bits(members, count: senders.all.count)
    let number = alike.intersection(used).first
    if let number, let sender = senders.all[number].endpoints.first, sender != flow.source {
      let others = pairs.flows(from: sender, to: flow.destination, flow.question, flow.family).flows
      if let same = others.first(where: { $0.chosen == flow.chosen && $0.destinationAddress == flow.destinationAddress }
      ) {
        return same
      }
    }
    if number == nil, let first = members.first { used.insert(first) }
    return flow
  }

  private func node(of endpoint: Endpoint) -> String? {
    if let host = topology.hostNode(of: endpoint) { return host.name }
    if case .pod(let id) = endpoint { return topology.pods[id]?.node }
    return nil
  }
}
