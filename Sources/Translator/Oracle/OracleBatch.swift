public import NetpolModel

/// Evaluates the specification for millions of flows between endpoints of one family that are known in advance.
///
/// Endpoints are grouped into classes: pods of one namespace with the same labels and named ports, whose addresses are
/// in the same ipBlocks. No sentence of the API distinguishes two members of a class. For each class and each interval
/// of ports, the batch stores the set of classes that the policies admit. A verdict then takes two lookups: egress of
/// the sender's class and ingress of the receiver's class. Selectors, blocks and ports are evaluated as in `judge`.
/// Flows with an address that may belong to a service, a node or a host-network pod are judged one by one.
public struct OracleBatch: Sendable {
  public let endpoints: [Endpoint]
  private let oracle: Oracle
  private let addresses: [IPAddress?]
  /// Equal for equal addresses.
  private let addressNumbers: [Int]
  private let classes: EndpointClasses
  private let ports: PortIntervals
  private let egress: AdmittedClasses
  private let ingress: AdmittedClasses

  /// `addresses` has the address that each endpoint sends from and receives at. Flows of an endpoint without one have
  /// no verdict.
  public init(_ oracle: Oracle, endpoints: [Endpoint], addresses: [IPAddress?]) {
    self.oracle = oracle
    self.endpoints = endpoints
    self.addresses = addresses
    var firstOf: [IPAddress?: Int] = [:]
    for (number, address) in addresses.enumerated() where firstOf[address] == nil { firstOf[address] = number }
    addressNumbers = addresses.map { firstOf[$0] ?? -1 }
    let policies = oracle.policies.values.joined()
    classes = EndpointClasses(oracle, endpoints, addresses, policies)
    let numbers = policies.flatMap { $0.ingress + $0.egress }.flatMap(\.ports.list).compactMap {
      rule -> (transport: Transport, range: PortRange)? in
      guard case .number(let first, let last) = rule.number else { return nil }
      return (rule.transport, PortRange(first, last ?? first))
    }
    let pods = classes.representatives.compactMap { oracle.selectablePod($0.endpoint) }
    let named = pods.flatMap(\.ports).filter { $0.name != nil }.map { ($0.transport, PortRange($0.number)) }
    ports = PortIntervals(dividedBy: numbers + named)
    egress = AdmittedClasses(oracle, .egress, classes.representatives, ports)
    ingress = AdmittedClasses(oracle, .ingress, classes.representatives, ports)
  }

  /// The number of endpoint classes.
  public var classCount: Int { classes.representatives.count }

  public func verdicts(of flows: [NumberedFlow]) -> [Verdict?] { flows.map(verdict) }

  public func verdict(of flow: NumberedFlow) -> Verdict? {
    let source = classes.numbers[Int(flow.source)]
    let destination = classes.numbers[Int(flow.destination)]
    guard source >= 0, destination >= 0 else { return judge(flow) }
    // "A Pod cannot block access to itself."
    if addressNumbers[Int(flow.source)] == addressNumbers[Int(flow.destination)] { return .allow }
    let port = ports.number(flow.transport, flow.port)
    return egress.admits(source, peer: destination, port) && ingress.admits(destination, peer: source, port)
      ? .allow : .deny
  }

  private func judge(_ flow: NumberedFlow) -> Verdict? { self.flow(flow).map { oracle.judge($0).verdict } }

  /// The flow with its endpoints and addresses. `nil` if an endpoint has no address.
  public func flow(_ flow: NumberedFlow) -> Flow? {
    guard let source = addresses[Int(flow.source)], let destination = addresses[Int(flow.destination)] else {
      return nil
    }
    return Flow(
      from: endpoints[Int(flow.source)], source, to: endpoints[Int(flow.destination)], destination, flow.transport,
      flow.port)
  }
}
