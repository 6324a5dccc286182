internal import NetpolModel
internal import RuleIR

/// One port of one service in one family, as kube-proxy serves it (`BaseServicePortInfo`).
struct ServicePort {
  let port: Service.Port
  let service: NamespacedName
  /// `namespace/service:port`, without the colon if the port has no name.
  let name: String
  let clusterIP: IPAddress
  let externalIPs: [IPAddress]
  /// Without addresses that the load balancer translates itself.
  let loadBalancerIPs: [IPAddress]
  /// Ranges of this family only: ranges of the other family don't restrict it.
  let sourceRanges: [CIDR]
  let endpoints: Endpoints
  /// Whether it can be reached by something other than the cluster IP.
  let isExposed: Bool
  let isInternallyLocal: Bool
  let isExternallyLocal: Bool
  /// The lab's number of each endpoint, by `address:port`.
  let codePoints: [String: UInt8]
  /// Where kube-proxy answers a load balancer's health checks. Only for load balancers with policy Local
  /// (`NeedsHealthCheck` of pkg/api/v1/service).
  let healthCheckNodePort: UInt16?

  /// Returns `nil` for services that kube-proxy ignores: headless, ExternalName, or of the other family.
  init?(_ port: Service.Port, of service: Service, _ family: IPFamily, _ view: ProxyView) {
    guard service.kind != .externalName, let clusterIP = service.clusterIPs.first(where: { $0.family == family }) else {
      return nil
    }
    self.port = port
    self.service = service.id
    name = "\(service.id)" + (port.name.map { $0.isEmpty ? "" : ":\($0)" } ?? "")
    self.clusterIP = clusterIP
    externalIPs = service.externalIPs.filter { $0.family == family }
    loadBalancerIPs = service.loadBalancerIPs.filter { $0.address.family == family && !$0.isProxied }.map(\.address)
    sourceRanges = service.loadBalancerSourceRanges.filter { $0.family == family }
    isInternallyLocal = service.internalTrafficPolicy == .local
    // The policy only counts if the service's type lets outside traffic in (`ExternalPolicyLocal`).
    isExternallyLocal =
      service.externalTrafficPolicy == .local && (service.kind != .clusterIP || !service.externalIPs.isEmpty)
    isExposed = port.nodePort != nil || !externalIPs.isEmpty || !loadBalancerIPs.isEmpty
    let targets = view.endpointChoice == .byCodePoint ? view.slices(of: service).targets(of: port, family) : []
    codePoints = Dictionary(targets.compactMap { target in target.codePoint.map { (target.description, $0) } }) {
      first, _ in
      first
    }
    let needsHealthCheck = service.kind == .loadBalancer && service.externalTrafficPolicy == .local
    healthCheckNodePort = needsHealthCheck ? service.healthCheckNodePort : nil
    let all = Endpoint.all(of: port, service, family, view)
    endpoints = Endpoints(
      all: all, TopologyMode(among: all, view),
      usesCluster: !isInternallyLocal || isExposed, usesLocal: isInternallyLocal || (isExternallyLocal && isExposed))
  }

  var hasInternalEndpoints: Bool { endpoints.exist && !(isInternallyLocal && endpoints.local.isEmpty) }
  var hasExternalEndpoints: Bool { endpoints.exist && !(isExternallyLocal && endpoints.local.isEmpty) }
  var usesFirewall: Bool { endpoints.exist && !loadBalancerIPs.isEmpty && !sourceRanges.isEmpty }

  var clusterChain: ChainName { KubeProxyNames.chain(.cluster, name, port.transport) }
  var localChain: ChainName { KubeProxyNames.chain(.local, name, port.transport) }
  var externalChain: ChainName { KubeProxyNames.chain(.external, name, port.transport) }
  var firewallChain: ChainName { KubeProxyNames.chain(.firewall, name, port.transport) }
  var internalPolicyChain: ChainName { isInternallyLocal ? localChain : clusterChain }
  var externalPolicyChain: ChainName { isExternallyLocal ? localChain : clusterChain }
  func chain(of endpoint: Endpoint) -> ChainName {
    KubeProxyNames.endpointChain(name, port.transport, endpoint.description)
  }

  /// Matches packets to the port at that address.
  func matches(_ address: IPAddress) -> [Match] {
    [.address(.destination, CIDR(address)), .port(port.transport, PortRange(port.port))]
  }
}
