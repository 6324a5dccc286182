internal import NetpolModel

/// Rules in a path's namespaces besides those that are measured, as text for `nft -f`.
extension PacketPath {
  /// A netdev chain that drops frames as soon as they have arrived (nft(8)).
  static let ingressDrop = """
    table netdev bench {
      chain arrived { type filter hook ingress device "eth0" priority 0; policy drop; }
    }

    """

  /// Drops first packets after all rules and before the connection is confirmed, which is the last step at this hook
  /// (NF_IP_PRI_CONNTRACK_CONFIRM, linux/netfilter_ipv4.h, and its IPv6 counterpart).
  ///
  /// A link that comes up reports the groups that it listens to (RFC 3810). No kernel parameter prevents that.
  static func nodeTable(_ families: [IPFamily], _ firstPackets: FirstPackets) -> String {
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
          \(firstPackets.match) counter drop
        }
      \(families.contains(.v6) ? reports : "")}

      """
  }
}
