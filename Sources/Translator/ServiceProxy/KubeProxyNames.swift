internal import NetpolModel
internal import RuleIR

/// Names of kube-proxy's chains: a prefix and 80 bits of a SHA-256 in base32 (`portProtoHash` of its iptables proxier).
enum KubeProxyNames {
  static let services = "KUBE-SERVICES"
  static let externalServices = "KUBE-EXTERNAL-SERVICES"
  static let nodePorts = "KUBE-NODEPORTS"
  static let markMasquerade = "KUBE-MARK-MASQ"
  static let postrouting = "KUBE-POSTROUTING"
  static let forward = "KUBE-FORWARD"
  static let proxyFirewall = "KUBE-PROXY-FIREWALL"

  /// The chains of one port of one service; the raw value is the prefix.
  enum Kind: String {
    /// Its endpoints by traffic policy Cluster.
    case cluster = "KUBE-SVC-"
    /// Its endpoints by traffic policy Local.
    case local = "KUBE-SVL-"
    /// What arrives by an address or port that outsiders see.
    case external = "KUBE-EXT-"
    /// `loadBalancerSourceRanges`.
    case firewall = "KUBE-FW-"
  }

  /// `port` is `namespace/service:port`, without the colon where the port has no name.
  static func chain(_ kind: Kind, _ port: String, _ transport: Transport) -> ChainName {
    kind.rawValue + hashedName(port + transport.keyword)
  }

  /// `endpoint` is `address:port`, an IPv6 address in brackets.
  static func endpointChain(_ port: String, _ transport: Transport, _ endpoint: String) -> ChainName {
    "KUBE-SEP-" + hashedName(port + transport.keyword + endpoint)
  }
}
