import Evaluator
import NetpolModel
import RuleIR
import ServiceProxy
import Testing

/// The setup of kube-proxy's own tests: this node is 192.168.0.2, pods are in 10.0.0.0/8.
enum Fixture {
  static let node = "test-hostname"
  static let nodeIPs = ["192.168.0.2", "fd00:c0::2"]
  static let clusterCIDRs = ["10.0.0.0/8", "fd00:10::/32"]

  static func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
  static func block(_ text: String) throws -> CIDR { try #require(CIDR(text)) }

  static func view(
    _ services: [Service], _ slices: [EndpointSlice], families: [IPFamily] = [.v4, .v6],
    clusterCIDRs: [String] = clusterCIDRs, choice: ProxyView.EndpointChoice = .byCodePoint
  ) throws -> ProxyView {
    ProxyView(
      node: node, nodeAddresses: try nodeIPs.map(address), families: families,
      clusterCIDRs: try clusterCIDRs.map(block), services: services, endpointSlices: slices, endpointChoice: choice)
  }

  /// A service in namespace ns1, by default with one port p80.
  static func service(
    _ name: String = "svc1", _ kind: Service.Kind = .clusterIP, clusterIPs: [String] = ["172.30.0.41"],
    nodePort: UInt16? = nil, ports: [Service.Port]? = nil
  ) throws -> Service {
    Service(
      id: NamespacedName("ns1", name), kind: kind,
      ports: ports
        ?? [Service.Port(name: "p80", port: 80, targetPort: .number(80), transport: .tcp, nodePort: nodePort)],
      clusterIPs: try clusterIPs.map(address))
  }

  static func member(_ text: String, local: Bool = false, ready: Bool = true, serving: Bool = true, ends: Bool = false)
    throws -> EndpointSlice.Member
  {
    EndpointSlice.Member(
      try address(text), isReady: ready, isServing: serving, isTerminating: ends, node: local ? node : "other")
  }

  static func slice(
    _ members: [EndpointSlice.Member], of service: String = "svc1", family: IPFamily = .v4,
    ports: [EndpointSlice.Port] = [p80], id: String = "a"
  ) -> EndpointSlice {
    EndpointSlice(
      id: NamespacedName("ns1", "\(service)-\(family.rawValue)-\(id)"), service: service, family: family, ports: ports,
      members: members)
  }

  static let p80 = EndpointSlice.Port(name: "p80", transport: .tcp, port: 80)
}

/// What happened to a connection's first packet.
enum Passage: Hashable {
  /// It left for this address and port, with its own source or with the node's.
  case to(String, masqueraded: Bool)
  case dropped
  case refused
}

/// The rules of a node. A packet passes them hook by hook.
struct Node {
  let evaluator: Evaluator
  let locals: Set<IPAddress>

  init(_ ruleset: Ruleset, localAddresses: [String] = Fixture.nodeIPs) throws {
    locals = Set(try localAddresses.map(Fixture.address))
    evaluator = try Evaluator(ruleset, localAddresses: locals)
  }

  init(_ tables: [Table], localAddresses: [String] = Fixture.nodeIPs) throws {
    try self.init(Ruleset(tables: tables), localAddresses: localAddresses)
  }

  init(_ view: ProxyView) throws { try self.init(serviceProxyTables(view)) }

  func connect(
    from source: String, to destination: String, _ port: UInt16, _ transport: Transport = .tcp,
    state: ConntrackState = .new
  ) throws -> Passage {
    let source = try Fixture.address(source)
    let isOwn = locals.contains(source) || source.description.hasPrefix("127.")
    let first = Packet(
      from: source, to: try Fixture.address(destination), .transport(transport, source: 40000, destination: port),
      state: state)
    let entry = evaluator.run(first, at: isOwn ? .output : .prerouting)
    if let end = Self.end(entry.verdict) { return end }
    var packet = entry.packet
    if !isOwn {
      let outcome = evaluator.run(packet, at: locals.contains(packet.destination) ? .input : .forward)
      if let end = Self.end(outcome.verdict) { return end }
      packet = outcome.packet
      if locals.contains(packet.destination) { return .to(Self.text(packet), masqueraded: false) }
    }
    // An address that no machine has.
    let leaving = IPAddress(family: packet.family, bits: packet.family == .v4 ? 1 : 2)
    let outcome = evaluator.run(packet, at: .postrouting, leavingFrom: leaving)
    if let end = Self.end(outcome.verdict) { return end }
    return .to(Self.text(outcome.packet), masqueraded: outcome.packet.source == leaving)
  }

  private static func end(_ verdict: Outcome.Verdict) -> Passage? {
    switch verdict {
    case .accept: nil
    case .drop: .dropped
    case .reject: .refused
    }
  }

  private static func text(_ packet: Packet) -> String {
    guard case .transport(_, _, let port) = packet.payload else { return "\(packet.destination)" }
    return packet.family == .v4 ? "\(packet.destination):\(port)" : "[\(packet.destination)]:\(port)"
  }
}
