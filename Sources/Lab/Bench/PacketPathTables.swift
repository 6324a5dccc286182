internal import NetpolModel

/// What stands in a path's namespaces besides the rules that are measured, for `nft -f`.
extension PacketPath {
  /// A chain of the netdev family drops frames as soon as they have arrived (nft(8)).
  static let ingressDrop = """
    table netdev bench {
      chain arrived { type filter hook ingress device "eth0" priority 0; policy drop; }
    }

    """

  /// What drops first packets is behind all rules and before the connection is confirmed, which is the last thing at this
  /// hook (NF_IP_PRI_CONNTRACK_CONFIRM, linux/netfilter_ipv4.h, and its like of IPv6).
  ///
  /// A link that comes up reports the groups that it listens to (RFC 3810), which no kernel parameter forbids.
  static func nodeTable(_ families: [IPFamily]) -> String {
    let reports = """
        chain saying {
          type filter hook output priority -300; policy accept;
          icmpv6 type { mld-listener-report, mld2-listener-report } drop
        }

      """
    return """
      table inet bench {
        chain leaving {
          type filter hook postrouting priority 300; policy accept;
          th sport \(firstPort) counter drop
        }
      \(families.contains(.v6) ? reports : "")}

      """
  }
}
