internal import NetpolModel
internal import RuleIR

/// Names of kube-proxy's chains in nftables mode (`servicePortChainNameBase` of its nftables proxier).
enum KubeProxyNftNames {
  static let table = "kube-proxy"

  // Sets and maps.
  static let clusterIPs = "cluster-ips"
  static let nodePortIPs = "nodeport-ips"
  static let serviceIPs = "service-ips"
  static let serviceNodePorts = "service-nodeports"
  static let noEndpointServices = "no-endpoint-services"
  static let noEndpointNodePorts = "no-endpoint-nodeports"
  static let firewallIPs = "firewall-ips"
  static let hairpinConnections = "hairpin-connections"

  // Chains that exist whatever the services.
  static let services = "services"
  static let serviceEndpointsCheck = "service-endpoints-check"
  static let nodePortEndpointsCheck = "nodeport-endpoints-check"
  static let rejection = "reject-chain"
  static let firewallCheck = "firewall-check"
  static let clusterIPsCheck = "cluster-ips-check"
  static let masquerading = "masquerading"
  static let markForMasquerade = "mark-for-masquerade"

  /// The chains of one port of one service. The raw value is the prefix of the name.
  enum Kind: String {
    /// Its endpoints by traffic policy Cluster.
    case cluster = "service-"
    /// Its endpoints by traffic policy Local.
    case local = "local-"
    /// For packets to an address or port that can be reached from outside.
    case external = "external-"
    /// For `loadBalancerSourceRanges`.
    case firewall = "firewall-"
  }

  /// `service` is `namespace/service/protocol/portname`. It ends in `/` if the port has no name.
  static func chain(_ kind: Kind, _ service: String) -> ChainName { kind.rawValue + base(service) }

  /// Colons can't be part of a name.
  static func endpointChain(_ service: String, _ address: IPAddress, _ port: UInt16) -> ChainName {
    "endpoint-" + endpointBase(service, address, port)
  }

  static func endpointBase(_ service: String, _ address: IPAddress, _ port: UInt16) -> String {
    base("\(service)__\("\(address)".replacing(":", with: "."))/\(port)")
  }

  /// A hash and the name, together at most 240 characters (`hashAndTruncate`).
  static func base(_ name: String) -> String {
    let base = "\(hashedName(name).prefix(8))-\(name)"
    return base.utf8.count <= 240 ? base : base.prefix(237) + "..."
  }
}

extension ServicePort {
  /// `namespace/service/protocol/portname`.
  var nftName: String { "\(service)/\(port.transport.keyword)/\(port.name ?? "")" }
  func nftChain(_ kind: KubeProxyNftNames.Kind) -> ChainName { KubeProxyNftNames.chain(kind, nftName) }
  func nftChain(of endpoint: Endpoint) -> ChainName {
    KubeProxyNftNames.endpointChain(nftName, endpoint.address, endpoint.port)
  }
  var nftInternalChain: ChainName { nftChain(isInternallyLocal ? .local : .cluster) }
  var nftExternalPolicyChain: ChainName { nftChain(isExternallyLocal ? .local : .cluster) }
  /// Source ranges are judged whether or not there are endpoints.
  var restrictsSources: Bool { !loadBalancerIPs.isEmpty && !sourceRanges.isEmpty }
}
