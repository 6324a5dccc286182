internal import Crypto
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
    kind.rawValue + hash(port + transport.keyword)
  }

  /// `endpoint` is `address:port`, an IPv6 address in brackets.
  static func endpointChain(_ port: String, _ transport: Transport, _ endpoint: String) -> ChainName {
    "KUBE-SEP-" + hash(port + transport.keyword + endpoint)
  }

  /// First 16 characters of the base32 (RFC 4648) of the SHA-256 of `text`.
  private static func hash(_ text: String) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    var result = ""
    var bits: UInt32 = 0
    var count = 0
    for byte in SHA256.hash(data: Array(text.utf8)).prefix(10) {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 5 {
        count -= 5
        result.append(alphabet[Int(bits >> UInt32(count)) & 31])
      }
    }
    return result
  }
}
