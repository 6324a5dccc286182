internal import NetpolModel
internal import RuleIR
internal import ServiceProxy

/// A cluster with many Services, as kube-proxy on one of its nodes sees it.
///
/// Each Service has a ClusterIP, a NodePort and the same number of ready endpoints, all of them pods of the node.
public struct ServiceWorld: Hashable, Sendable {
  public var services: Int
  /// Endpoints of each Service.
  public var endpoints: Int

  public init(services: Int, endpoints: Int = 1) {
    self.services = services
    self.endpoints = endpoints
  }

  public static let serviceRange = 1...30_000
  public static let endpointRange = 1...100
  /// Maximum number of endpoints of all Services: the node's pod CIDR has no more addresses.
  public static let mostEndpoints = 32_000

  static let port: UInt16 = 80
  /// The port of the endpoints. No ClusterIP and no NodePort has it.
  static let targetPort: UInt16 = 8080
  /// The first NodePort. More than 2,768 Services need a larger range than the API server's default.
  private static let firstNodePort: UInt16 = 30_000
  private static let namespace = "bench"
  private static let serviceCIDR = CIDR(IPAddress(v4: 0x0a60_0000), prefixLength: 12)
  /// The pod CIDRs of both nodes.
  private static let clusterCIDR = CIDR(IPAddress(v4: 0x0a2a_0000), prefixLength: 16)

  var addresses: BenchAddresses { BenchAddresses(.v4) }

  func clusterIP(_ service: Int) -> IPAddress { Self.serviceCIDR.network.advanced(by: UInt128(10 + service)) }
  func nodePort(_ service: Int) -> UInt16 { Self.firstNodePort + UInt16(service) }
  func endpoint(_ number: Int, of service: Int) -> IPAddress { addresses.pod(service * endpoints + number) }
  /// The Service that gets one more endpoint: one in the middle.
  var changed: Int { services / 2 }

  /// What kube-proxy knows. With `growth`, the Service `changed` has one more endpoint.
  func view(_ mode: KubeProxyMode, growth: Bool = false) -> ProxyView {
    var view = ProxyView(
      node: BenchWorld.node, nodeAddresses: [addresses.node], families: [.v4], clusterCIDRs: [Self.clusterCIDR],
      services: (0..<services).map(service), endpointSlices: (0..<services).map { slice($0, growth: growth) },
      serviceCIDRs: [Self.serviceCIDR])
    view.flags.mode = mode
    return view
  }

  private func service(_ number: Int) -> Service {
    Service(
      id: id(number), kind: .nodePort,
      ports: [
        Service.Port(
          port: Self.port, targetPort: .number(Self.targetPort), transport: .tcp, nodePort: nodePort(number))
      ], clusterIPs: [clusterIP(number)])
  }

  private func slice(_ number: Int, growth: Bool) -> EndpointSlice {
    let own = (0..<endpoints).map { endpoint($0, of: number) }
    let further = growth && number == changed ? [addresses.pod(services * endpoints)] : []
    return EndpointSlice(
      id: id(number), service: id(number).name, family: .v4, ports: [.init(transport: .tcp, port: Self.targetPort)],
      members: (own + further).map { .init($0, node: BenchWorld.node) })
  }

  /// Names sort as the numbers do, so that kube-proxy's chains have the Services in this order.
  private func id(_ number: Int) -> NamespacedName {
    NamespacedName(Self.namespace, "web-" + String(String(100_000 + number).dropFirst()))
  }

  /// kube-proxy's rules for the view. Endpoints are chosen at random, as kube-proxy does.
  static func ruleset(_ view: ProxyView) -> Ruleset {
    switch view.flags.mode {
    case .iptables: Ruleset(backend: .iptables, tables: serviceProxyTables(view))
    case .nftables(let release): kubeProxyNftables(view, release)
    }
  }

  /// The chains that kube-proxy has whatever the Services, and those of the Service `changed`, in iptables mode.
  var chainsOfChange: Set<ChainName> {
    var view = view(.iptables, growth: true)
    view.services = [service(changed)]
    view.endpointSlices = [slice(changed, growth: true)]
    return Set(serviceProxyTables(view).flatMap(\.chains).map(\.name))
  }
}
