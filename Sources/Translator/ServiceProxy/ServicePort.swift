internal import NetpolModel
internal import RuleIR

/// One port of one service in one family, as kube-proxy serves it (`BaseServicePortInfo`).
struct ServicePort {
  let port: Service.Port
  /// `namespace/service:port`, without the colon where the port has no name.
  let name: String
  let clusterIP: IPAddress
  let externalIPs: [IPAddress]
  /// Without those that the load balancer translates itself.
  let loadBalancerIPs: [IPAddress]
  /// Of this family alone: ranges of the other one do not restrict it.
  let sourceRanges: [CIDR]
  let endpoints: Endpoints
  /// Whether anything but the cluster IP leads to it.
  let isExposed: Bool
  let isInternallyLocal: Bool
  let isExternallyLocal: Bool

  /// Nil for services that kube-proxy leaves alone: headless, ExternalName, of the other family.
  init?(_ port: Service.Port, of service: Service, _ family: IPFamily, _ view: ProxyView) {
    guard service.kind != .externalName, let clusterIP = service.clusterIPs.first(where: { $0.family == family }) else {
      return nil
    }
    self.port = port
    name = "\(service.id)" + (port.name.map { $0.isEmpty ? "" : ":\($0)" } ?? "")
    self.clusterIP = clusterIP
    externalIPs = service.externalIPs.filter { $0.family == family }
    loadBalancerIPs = service.loadBalancerIPs.filter { $0.address.family == family && !$0.isProxied }.map(\.address)
    sourceRanges = service.loadBalancerSourceRanges.filter { $0.family == family }
    isInternallyLocal = service.internalTrafficPolicy == .local
    // The policy counts only where the service's type lets outsiders in (`ExternalPolicyLocal`).
    isExternallyLocal =
      service.externalTrafficPolicy == .local && (service.kind != .clusterIP || !service.externalIPs.isEmpty)
    isExposed = port.nodePort != nil || !externalIPs.isEmpty || !loadBalancerIPs.isEmpty
    endpoints = Endpoints(
      all: Endpoint.all(of: port, service, family, view),
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

  /// What is sent to the port at that address.
  func matches(_ address: IPAddress) -> [Match] {
    [.address(.destination, CIDR(address)), .port(port.transport, PortRange(port.port))]
  }
}
