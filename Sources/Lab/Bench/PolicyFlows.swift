internal import Lowering
internal import NetpolModel
internal import Oracle
internal import Path
internal import StandingLab
internal import Verdicts

/// The flows of a user's cluster that a bench sends: those that go to pods of one node.
struct PolicyFlows: Sendable {
  /// Flows of one family with one verdict.
  struct Group: Sendable {
    let family: IPFamily
    /// By the specification.
    let isAllowed: Bool
    /// Number of flows in the cluster.
    let found: Int
    /// An even selection of them.
    var flows: [BenchFlow]
  }

  /// The node that most flows go to.
  let node: Node
  let families: [IPFamily]
  private(set) var groups: [Group]
  private let names: [BenchFlow: String]

  /// Maximum number of flows of a group that are sent.
  private static let most = 64

  /// Takes TCP and UDP flows, of those families that have any. Throws `NothingToAsk` if there are none.
  init(_ cluster: Cluster, families: [IPFamily] = IPFamily.allCases) throws {
    let topology = Topology(cluster)
    let pods = Dictionary(cluster.pods.filter(\.isActionable).map { ($0.id, $0) }) { first, _ in first }
    func home(_ endpoint: Endpoint) -> String? {
      if case .pod(let id) = endpoint { pods[id]?.node } else { nil }
    }
    let flows = ProbePlan(cluster, topology).flows.filter { flow in
      guard families.contains(flow.family), let transport = flow.transport, transport != .sctp,
        let home = home(flow.destination)
      else {
        return false
      }
      // A node's packets to its own pods don't pass the forward hook.
      if case .node(let name) = flow.source { return name != home }
      return flow.sourceAddress != flow.destinationAddress
    }
    let counts = Dictionary(grouping: flows) { home($0.destination) ?? "" }.mapValues(\.count)
    guard let busiest = counts.max(by: { ($0.value, $1.key) < ($1.value, $0.key) })?.key,
      let node = cluster.node(busiest)
    else { throw NothingToAsk(description: "there is nothing to measure: \(Self.why(topology, families))") }
    self.node = node
    let oracle = Oracle(cluster)
    var names: [BenchFlow: String] = [:]
    var found: [IPFamily: [Bool: [BenchFlow]]] = [:]
    for flow in flows where home(flow.destination) == node.name {
      guard let port = flow.transportPort else { continue }
      let isLocal = home(flow.source) == node.name
      let judged = isLocal ? oracle.judge(flow) : oracle.judge(flow, .ingress)
      let own = BenchFlow(
        source: flow.sourceAddress, destination: flow.destinationAddress, transport: port.transport, port: port.port,
        way: isLocal ? .bridged : .routed)
      if names.updateValue(flow.description, forKey: own) == nil {
        found[flow.family, default: [:]][judged.verdict == .allow, default: []].append(own)
      }
    }
    self.names = names
    self.families = found.keys.sorted()
    groups = found.keys.sorted().flatMap { family in
      [true, false].compactMap { isAllowed in
        found[family]?[isAllowed].map {
          Group(family: family, isAllowed: isAllowed, found: $0.count, flows: $0.evenly(Self.most))
        }
      }
    }
  }

  func name(_ flow: BenchFlow) -> String { names[flow] ?? "" }
  var count: Int { groups.map(\.flows.count).reduce(0, +) }

  /// Keeps only those flows of each group that `choose` returns.
  func filtered(_ choose: (Group) throws -> [BenchFlow]) rethrows -> PolicyFlows {
    var chosen = self
    for index in groups.indices { chosen.groups[index].flows = try choose(groups[index]) }
    return chosen
  }

  /// The addresses of the node's pods.
  var blocks: [CIDR] {
    let own = node.podCIDRs.filter { families.contains($0.family) }
    let outside = Set(groups.flatMap(\.flows).map(\.destination)).filter { address in
      !own.contains { $0.contains(address) }
    }
    return own + outside.sorted().map { CIDR($0) }
  }

  private static func why(_ topology: Topology, _ families: [IPFamily]) -> String {
    if topology.pods.isEmpty {
      let reason = topology.unplaced.first.map { "\($0.pod): \($0.why)" }
      return "no pod has a node and an address (\(reason ?? "there is none, or all use the host network"))"
    }
    let names = families.map(\.rawValue).joined(separator: " or ")
    return "no TCP or UDP flow over \(names) goes to a pod from another pod, from another node or from outside"
  }
}

extension Array {
  /// Returns `wanted` elements, spread evenly over all, or all elements if there are fewer.
  func evenly(_ wanted: Int) -> [Element] {
    count <= wanted ? self : (0..<wanted).map { self[$0 * count / wanted] }
  }
}
