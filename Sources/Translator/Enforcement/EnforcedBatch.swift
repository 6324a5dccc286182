internal import Evaluator
public import NetpolModel
internal import Path

/// Verdicts of millions of flows between endpoints of one family that are known beforehand. It follows the same paths
/// and rules as `EnforcedCluster.verdict(of:)`, and calls that for flows that a batch can't judge.
public struct EnforcedBatch {
  public let endpoints: [Endpoint]
  private let family: IPFamily
  private let enforced: EnforcedCluster
  private let places: [Place]
  /// One for each node, in the topology's order. `nil` if there is nothing to judge there.
  private var evaluators: [BatchEvaluator?]
  /// By network and endpoint: whether the endpoint is in that network on its bridge. The networks are those of all
  /// pods.
  private let onLink: [[Bool]]
  /// By node and the destination's node: the number of the address that masqueraded packets leave with. -1 if not
  /// known.
  private let leaving: [[Int]]
  /// The maximum for the tables of all nodes together: half a gibibyte.
  private static let mostEntries = 1 << 28
  /// The number of flows that were walked one by one.
  public private(set) var walked = 0

  private struct Place {
    /// The address's number. -1 if flows of the endpoint are walked one by one.
    var address = -1
    /// -1 if it is outside the cluster.
    var node = -1
    /// The network in `onLink` that it is in. -1 if it shares no network with others.
    var link = -1
    /// For an endpoint outside the cluster: whether it can send to pods.
    var reachesPods = true
  }

  public init(_ enforced: EnforcedCluster, _ family: IPFamily, endpoints: [Endpoint]) {
    self.enforced = enforced
    self.family = family
    self.endpoints = endpoints
    let topology = enforced.topology
    let nodes = Dictionary(topology.nodes.enumerated().map { ($1.name, $0) }) { first, _ in first }
    let locals = Set(topology.nodes.flatMap(\.localAddresses))
    var addresses: [IPAddress] = []
    var numbers: [IPAddress: Int] = [:]
    var links: [Link: Int] = [:]
    var places: [Place] = []
    for endpoint in endpoints {
      var place = Place()
      if let address = topology.address(of: endpoint, family), topology.owner(of: address) == endpoint,
        !address.isMulticast, !address.isLoopback, !locals.contains(address)
      {
        let number = numbers[address] ?? addresses.count
        switch endpoint {
        case .pod(let id):
          guard let pod = topology.pods[id], let node = nodes[pod.node], !topology.forwarders.contains(id) else {
            break
          }
          place.address = number
          place.node = node
          if let block = pod.addresses.first(where: { $0.address == address })?.cidr, !block.isHost {
            let link = Link(node: node, block: block)
            place.link = links[link] ?? links.count
            links[link] = place.link
          }
        case .external(let name):
          place.address = number
          place.reachesPods = topology.externals.first { $0.name == name }?.routesToPods ?? false
        case .node, .service, .virtualAddress, .address: break
        }
        if place.address == addresses.count {
          numbers[address] = addresses.count
          addresses.append(address)
        }
      }
      places.append(place)
    }
    self.places = places
    // A node's masquerading gives a packet the address that the node uses towards the other node's pods.
    leaving = topology.nodes.map { node in
      topology.nodes.map { other in
        guard other.name != node.name, let pod = other.pods.first,
          let towards = topology.pods[pod]?.addresses.first(where: { $0.address.family == family })?.address,
          let address = topology.leavingAddress(of: node.name, towards: towards)
        else { return -1 }
        let number = numbers[address] ?? addresses.count
        if number == addresses.count {
          numbers[address] = number
          addresses.append(address)
        }
        return number
      }
    }
    var onLink = [[Bool]](repeating: [], count: links.count)
    for (link, number) in links {
      onLink[number] = places.map {
        $0.node == link.node && $0.address >= 0 && link.block.contains(addresses[$0.address])
      }
    }
    self.onLink = onLink
    evaluators = topology.nodes.map { node in
      enforced.evaluators[node.name].flatMap {
        BatchEvaluator($0, addresses: addresses, mostEntries: Self.mostEntries / topology.nodes.count)
      }
    }
  }

  private struct Link: Hashable {
    let node: Int
    let block: CIDR
  }

  /// Returns a verdict for each flow, by the numbers of `endpoints`. `nil` if no packet is sent that a rule could
  /// judge.
  public mutating func verdicts(of flows: [NumberedFlow]) -> [Verdict?] {
    var verdicts = [Verdict?](repeating: nil, count: flows.count)
    for index in flows.indices { verdicts[index] = verdict(of: flows[index]) }
    return verdicts
  }

  public mutating func verdict(of flow: NumberedFlow) -> Verdict? {
    let source = places[Int(flow.source)]
    let destination = places[Int(flow.destination)]
    guard source.address >= 0, destination.address >= 0, source.address != destination.address, source.reachesPods
    else { return walk(flow) }
    let isBridged =
      source.node >= 0 && source.node == destination.node && source.link >= 0
      && onLink[source.link][Int(flow.destination)]
    // The bridge switches the frame past all rules.
    if isBridged, !enforced.topology.bridgeNetfilter { return .allow }
    var sender = source.address
    if source.node >= 0 {
      switch passage(at: source.node, sender, destination, flow, isBridged) {
      case .stopped: return .deny
      case .translated: return walk(flow)
      case .passed: break
      case .masqueraded:
        // After the last hook the source only matters to the next node, if there is one.
        if destination.node < 0 || destination.node == source.node { return .allow }
        sender = leaving[source.node][destination.node]
        if sender < 0 { return walk(flow) }
      }
    }
    if destination.node < 0 || destination.node == source.node { return .allow }
    switch passage(at: destination.node, sender, destination, flow, false) {
    case .stopped: return .deny
    case .translated: return walk(flow)
    case .passed, .masqueraded: return .allow
    }
  }

  private mutating func passage(
    at node: Int, _ sender: Int, _ destination: Place, _ flow: NumberedFlow, _ isBridged: Bool
  ) -> BatchEvaluator.Passage {
    evaluators[node]?.passage(
      from: sender, to: destination.address, flow.transport, flow.port, isBridged: isBridged) ?? .passed
  }

  private mutating func walk(_ flow: NumberedFlow) -> Verdict? {
    walked += 1
    return self.flow(flow).flatMap(enforced.verdict)
  }

  /// Returns the flow with its endpoints and addresses, or `nil` if one has no address of the family or both are the
  /// same.
  public func flow(_ flow: NumberedFlow) -> Flow? {
    enforced.topology.flow(
      from: endpoints[Int(flow.source)], to: endpoints[Int(flow.destination)],
      TransportPort(flow.transport, flow.port), family)
  }
}
