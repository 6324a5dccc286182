internal import Enforcement
internal import EngineComparison
internal import Evaluator
internal import NetpolModel
internal import Path

/// The senders of a survey. A node and its host-network pods are one: they use the same addresses.
struct Senders: Sendable {
  struct One {
    let sender: EnforcedMatrix.Sender
    let endpoints: [Endpoint]
    /// The index of the node that it is on. -1: outside.
    let node: Int
    /// Receivers that it is not asked about: itself, and from outside the cluster what is outside too.
    let notAsked: Bits
    /// Receivers that it has no route to.
    let unreachable: Bits
    /// The numbers of the pods and addresses of its node.
    let neighbours: Bits
    /// Equal for senders on nodes with the same rules for services.
    let serviceRules: Int
    /// Whether it is a pod with an address of its own.
    let isPod: Bool
    /// The number of the address that a node uses towards all other nodes. -1: there are several, or it is no node.
    let lanSource: Int
  }

  let all: [One]
  /// By node: the index of the sender that is the node.
  let nodeSenders: [Int?]

  init(_ endpoints: [Endpoint], _ matrix: EnforcedMatrix, _ topology: Topology, serviceRules: [String: Int]) {
    let count = matrix.space.addresses.count
    let index = Dictionary(topology.nodes.enumerated().map { ($1.name, $0) }) { first, _ in first }
    let numbers = { (addresses: [IPAddress]) in Bits(addresses.compactMap(matrix.space.number), count: count) }
    let podsOf = topology.nodes.map { node in
      numbers(node.pods.flatMap { topology.pods[$0]?.addresses.map(\.address) ?? [] })
    }
    let own = topology.nodes.map { numbers(Array($0.localAddresses)) }
    let outside = numbers(topology.externals.flatMap(\.addresses))
    let pods = podsOf.reduce(Bits(count: count)) { $0.union($1) }
    var order: [EnforcedMatrix.Sender] = []
    var members: [EnforcedMatrix.Sender: [Endpoint]] = [:]
    for endpoint in endpoints {
      guard let sender = matrix.sender(endpoint) else { continue }
      if members[sender] == nil { order.append(sender) }
      members[sender, default: []].append(endpoint)
    }
    all = order.map { sender in
      let endpoints = members[sender] ?? []
      var node = -1
      var notAsked = Bits(count: count)
      var unreachable = Bits(count: count)
      switch endpoints.first {
      case .pod(let id)?:
        node = (topology.pods[id]?.node ?? topology.hostNetworkPods[id]).flatMap { index[$0] } ?? -1
        if let place = topology.pods[id] { notAsked = numbers(place.addresses.map(\.address)) }
      case .node(let name)?: node = index[name] ?? -1
      case .external(let name)?:
        notAsked = outside
        if let host = topology.externals.first(where: { $0.name == name }), !host.routesToPods { unreachable = pods }
      case .service, .virtualAddress, .address, nil: break
      }
      if case .node = sender, node >= 0 { notAsked.formUnion(own[node]) }
      var isPod = false
      if case .address = sender, node >= 0 { isPod = true }
      let towardsNodes = Set(
        (isPod ? [] : topology.nodes.indices.filter { $0 != node }).compactMap {
          topology.nodes[$0].addresses.lazy.compactMap(matrix.space.number).first
        }.map { matrix.source(of: sender, towards: $0) })
      return One(
        sender: sender, endpoints: endpoints, node: node, notAsked: notAsked, unreachable: unreachable,
        neighbours: node < 0 ? Bits(count: count) : podsOf[node].union(own[node]),
        serviceRules: node < 0 ? -1 : serviceRules[topology.nodes[node].name] ?? -1, isPod: isPod,
        lanSource: !isPod && node >= 0 && towardsNodes.count == 1 ? towardsNodes.first ?? -1 : -1)
    }
    let senders = all
    nodeSenders = topology.nodes.indices.map { node in senders.firstIndex { $0.node == node && !$0.isPod } }
  }
}
