public import NetpolModel

/// The specification for flows by the million, between endpoints of one family that are known beforehand.
///
/// Endpoints are put into classes: pods of one namespace with the same labels and named ports, whose addresses are in the
/// same ipBlocks. No sentence of the API tells two of a class apart. What the policies on a class admit is a set of
/// classes for each interval of ports, and a verdict is two lookups: egress of the sender's class, ingress of the
/// receiver's. Selectors, blocks and ports are asked as `judge` asks them. What may be a service's address, a node's or
/// a host-network pod's is judged one by one.
public struct OracleBatch: Sendable {
  public let endpoints: [Endpoint]
  private let oracle: Oracle
  private let addresses: [IPAddress?]
  /// Equal where addresses are.
  private let addressNumbers: [Int]
  private let classes: EndpointClasses
  private let ports: PortIntervals
  private let egress: AdmittedClasses
  private let ingress: AdmittedClasses

  /// `addresses` are those that the endpoints send from and receive at; flows of an endpoint without one have no verdict.
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

  /// How many kinds of endpoints there are.
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

  /// The flow with its ends and addresses; nil where one has no address.
  public func flow(_ flow: NumberedFlow) -> Flow? {
    guard let source = addresses[Int(flow.source)], let destination = addresses[Int(flow.destination)] else {
      return nil
    }
    return Flow(
      from: endpoints[Int(flow.source)], source, to: endpoints[Int(flow.destination)], destination, flow.transport,
      flow.port)
  }
}
