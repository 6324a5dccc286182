internal import Algorithms
internal import NetpolModel
internal import Path
internal import StandingLab
internal import Verdicts

/// One of the pairs of endpoints that an expected flow covers.
struct AskedPair: Hashable {
  enum Asking: Hashable {
    case flow(Flow)
    /// No packet can be made for this pair, so the expectation is missed.
    case impossible(String)
    /// The lab can't send such a packet, so the result is unknown.
    case notAsked(String)

    /// One for each endpoint that a service may choose, or for the given one. Not asked if something decides it that is
    /// not modelled.
    func chosen(_ backends: Backends, only endpoint: ExpectedFlow.End?) -> [Asking] {
      guard case .flow(let flow) = self else { return [self] }
      let flows = backends.choices(of: flow).filter { flow in
        endpoint.map { backends.leads(flow, to: $0) } ?? true
      }
      if let endpoint, flows.isEmpty { return [.impossible("\(flow.destination) has no endpoint \(endpoint)")] }
      return flows.map { flow in backends.whyNotAsked(flow).map { .notAsked("\($0) [\($0.code)]") } ?? .flow(flow) }
    }
  }
  let from: Endpoint
  let to: Endpoint
  let asking: Asking
}

extension LabPlan {
  /// All pairs that the flow's ends cover: each pod of a workload, each endpoint of a service.
  func pairs(_ expected: ExpectedFlow, _ backends: Backends, sctpObstacle: String?) -> [AskedPair] {
    let all = Array(product(places(expected.from), places(expected.to)))
    // Leaves out pairs of a pod with itself, which arise when both ends are the same workload.
    let kept = all.count > 1 ? all.filter { $0.endpoint != $1.endpoint || $0.address != $1.address } : all
    return kept.flatMap { source, target in
      asking(expected, source, target, sctpObstacle).chosen(backends, only: expected.endpoint).map {
        AskedPair(from: source.endpoint, to: target.endpoint, asking: $0)
      }
    }
  }

  private struct Place {
    let endpoint: Endpoint
    /// The address that the end fixes: one that the author wrote, or that of a service's endpoint. `nil` if it fixes
    /// none.
    var address: IPAddress?
  }

  private func places(_ end: ExpectedFlow.End) -> [Place] {
    switch end {
    case .pod(let id): [Place(endpoint: .pod(id))]
    case .workload(let namespace, let kind, let name):
      cluster.pods(ofWorkload: kind, name, in: namespace).map { Place(endpoint: .pod($0.id)) }
    case .service(let id):
      if cluster.service(id)?.clusterIPs.isEmpty == false {
        [Place(endpoint: .service(id))]
      } else {
        cluster.slices(of: id).flatMap(\.members).map { Place(endpoint: owner(of: $0.address), address: $0.address) }
      }
    case .virtualAddress(let id, let address): [Place(endpoint: .virtualAddress(id, address), address: address)]
    case .node(let name): [Place(endpoint: .node(name))]
    case .external(let name): [Place(endpoint: .external(name))]
    case .address(let address): [Place(endpoint: owner(of: address), address: address)]
    }
  }

  /// Returns the owner of an address: a host or a service. A stranger is its address.
  private func owner(of address: IPAddress) -> Endpoint {
    if cluster.strangers[address] != nil { return .address(address) }
    return topology.owner(of: address) ?? cluster.serviceEndpoint(at: address) ?? .address(address)
  }

  private func asking(_ expected: ExpectedFlow, _ from: Place, _ to: Place, _ sctpObstacle: String?)
    -> AskedPair.Asking
  {
    if let group = expected.group {
      guard group.family == .v4, case .port(let port) = expected.question, port.transport == .udp else {
        return .notAsked("the lab sends to multicast groups over IPv4 and UDP only [\(Code.groupKind)]")
      }
      guard let flow = topology.flow(from: from.endpoint, to: to.endpoint, port, .v4, destinationAddress: group) else {
        return .impossible("\(from.endpoint) has no address from which it can send to \(group)")
      }
      return .flow(flow)
    }
    if case .port(let port) = expected.question, port.transport == .sctp, let sctpObstacle {
      return .notAsked("SCTP can't be probed here (\(sctpObstacle)) [\(Code.noSCTP)]")
    }
    let stated = expected.family ?? to.address?.family ?? from.address?.family
    let families = stated.map { [$0] } ?? IPFamily.allCases.sorted()
    let ends = families.firstNonNil { addresses(from, to, $0) }
    guard let ends else {
      for end in [from.endpoint, to.endpoint] {
        if let why = topology.absence(of: end) { return .impossible("\(end) is not in the lab, since \(why)") }
      }
      let family = stated.map { " \($0.rawValue)" } ?? ""
      return .impossible("\(from.endpoint) and \(to.endpoint) have no pair of\(family) addresses in the lab")
    }
    let target = to.address?.isLoopback == true ? from.endpoint : to.endpoint
    return .flow(Flow(from: from.endpoint, ends.from, to: target, ends.to, expected.question))
  }

  private func addresses(_ from: Place, _ to: Place, _ family: IPFamily) -> (from: IPAddress, to: IPAddress)? {
    if let loopback = to.address, loopback.isLoopback {
      guard loopback.family == family, topology.address(of: from.endpoint, family) != nil else { return nil }
      return (topology.hostNode(of: from.endpoint) == nil ? loopback : .loopback(family), loopback)
    }
    // Any port will do: the addresses don't depend on it.
    let port = TransportPort(.tcp, 1)
    if let flow = topology.flow(
      from: from.endpoint, to: to.endpoint, port, family, sourceAddress: from.address, destinationAddress: to.address)
    {
      return (flow.sourceAddress, flow.destinationAddress)
    }
    // Both ends are one host: its kernel also uses the destination address as the source.
    guard let address = to.address ?? topology.address(of: to.endpoint, family), address.family == family,
      let source = from.address ?? topology.address(of: from.endpoint, family),
      topology.owner(of: source) != nil, topology.owner(of: source) == topology.owner(of: address)
    else { return nil }
    return (from.address ?? address, address)
  }
}
