package import Kernel
package import NetpolModel

/// Kernel parameters of a node's namespace.
package enum NodeSysctls {
  /// Sets forwarding, br_netfilter as k3s does, and, if requested, no limit on ICMP errors.
  package static func set(families: [IPFamily], bridgeNetfilter: Bool, liftICMPLimits: Bool) throws(KernelError) {
    for setting in ofNode(families: families, bridgeNetfilter: bridgeNetfilter) {
      try Sysctl.write(setting.name, setting.value)
    }
    if liftICMPLimits { try limitICMPErrors(false, families: families) }
  }

  /// Kernel parameters of a pod that sends on what it receives: those of the svclb pods' `securityContext.sysctls`, and
  /// if requested no limit on ICMP errors.
  package static func setForwarding(families: [IPFamily], liftICMPLimits: Bool) throws(KernelError) {
    for setting in ofForwarder(families: families) { try Sysctl.write(setting.name, setting.value) }
    if liftICMPLimits { try limitICMPErrors(false, families: families) }
  }

  /// What a node has: forwarding, and br_netfilter as k3s does. By path under /proc/sys.
  package static func ofNode(families: [IPFamily], bridgeNetfilter: Bool) -> [(name: String, value: String)] {
    [
      ("net/ipv4/ip_forward", "1"), ("net/ipv4/conf/all/rp_filter", "0"), ("net/ipv4/conf/default/rp_filter", "0"),
      // Machines of the underlay share a network, like a LAN. Without this, a node would send redirects to shorter
      // routes.
      // kube-proxy and portmap set it, so that ports of a node answer on 127.0.0.1 too.
      ("net/ipv4/conf/all/route_localnet", "1"),
      ("net/ipv4/conf/all/send_redirects", "0"), ("net/ipv4/conf/default/send_redirects", "0"),
      ("net/bridge/bridge-nf-call-iptables", bridgeNetfilter ? "1" : "0"),
      ("net/bridge/bridge-nf-call-ip6tables", bridgeNetfilter ? "1" : "0"),
    ] + (families.contains(.v6) ? [("net/ipv6/conf/all/forwarding", "1")] : [])
  }

  /// What a pod has that sends on what it receives.
  package static func ofForwarder(families: [IPFamily]) -> [(name: String, value: String)] {
    // What leaves where it came from would cause redirects, which a pod doesn't follow here.
    [
      ("net/ipv4/ip_forward", "1"), ("net/ipv4/conf/all/rp_filter", "0"), ("net/ipv4/conf/default/rp_filter", "0"),
      ("net/ipv4/conf/all/send_redirects", "0"), ("net/ipv4/conf/default/send_redirects", "0"),
      ("net/ipv4/conf/eth0/send_redirects", "0"),
    ] + (families.contains(.v6) ? [("net/ipv6/conf/all/forwarding", "1")] : [])
  }

  /// Sets the kernel's own limits on ICMP errors, or none. With the limits, most REJECTs of parallel probes look like
  /// DROPs (icmp(7), `icmp_ratelimit`, `icmp_msgs_per_sec`).
  package static func limitICMPErrors(_ isLimited: Bool, families: [IPFamily]) throws(KernelError) {
    // 1,000 ms for one host, 1,000 per second for all, 50 at once.
    try Sysctl.write("net/ipv4/icmp_ratelimit", isLimited ? "1000" : "0")
    // Newer kernels (6.18) have them in each namespace. In older ones they belong to the host and are left alone.
    for (name, limit) in [("net/ipv4/icmp_msgs_per_sec", "1000"), ("net/ipv4/icmp_msgs_burst", "50")]
    where Sysctl.exists(name) {
      try Sysctl.write(name, isLimited ? limit : "1000000")
    }
    if families.contains(.v6) { try Sysctl.write("net/ipv6/icmp/ratelimit", isLimited ? "1000" : "0") }
  }
}
