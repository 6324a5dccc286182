internal import NetpolModel
internal import RuleIR

/// Names of kube-proxy's chains: a prefix and 80 bits of a SHA-256 hash in base32 (`portProtoHash` of its iptables
/// proxier).
enum KubeProxyNames {
  static let services = "KUBE-SERVICES"
  static let externalServices = "KUBE-EXTERNAL-SERVICES"
  static let nodePorts = "KUBE-NODEPORTS"
  static let markMasquerade = "KUBE-MARK-MASQ"
  static let postrouting = "KUBE-POSTROUTING"
  static let forward = "KUBE-FORWARD"
  static let proxyFirewall = "KUBE-PROXY-FIREWALL"

  /// The chains of one port of one service. The raw value is the prefix of the name.
  enum Kind: String {
    /// Its endpoints by traffic policy Cluster.
    case cluster = "KUBE-SVC-"
    /// Its endpoints by traffic policy Local.
    case local = "KUBE-SVL-"
    /// For packets to an address or port that can be reached from outside.
    case external = "KUBE-EXT-"
    /// For `loadBalancerSourceRanges`.
    case firewall = "KUBE-FW-"
  }

  /// `port` is `namespace/service:port`, without the colon if the port has no name.
  static func chain(_ kind: Kind, _ port: String, _ transport: Transport) -> ChainName {
    kind.rawValue + hashedName(port + transport.keyword)
  }

  /// `endpoint` is `address:port`, with brackets around an IPv6 address.
  static func endpointChain(_ port: String, _ transport: Transport, _ endpoint: String) -> ChainName {
    "KUBE-SEP-" + hashedName(port + transport.keyword + endpoint)
  }
}
