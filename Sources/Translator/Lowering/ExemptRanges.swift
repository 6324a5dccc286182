public import NetpolModel
internal import RuleIR

/// The ranges that a node's rules exempt from policies in INPUT: those that the enforcer was started with.
public struct ExemptRanges: Hashable, Sendable {
  public var serviceCIDRs: [CIDR] = []
  public var nodePorts: PortRange?
  public var externalIPRanges: [CIDR] = []
  public var loadBalancerIPRanges: [CIDR] = []

  public init() {}
}

extension NodeView {
  /// Takes ranges that a dump shows. Service CIDRs and NodePorts always have a rule. So where the dump shows none of a
  /// family, the view's own ones stay, and the comparison finds the rule missing.
  public mutating func take(_ ranges: ExemptRanges) {
    let families = ranges.serviceCIDRs.map(\.family)
    serviceCIDRs = ranges.serviceCIDRs + serviceCIDRs.filter { !families.contains($0.family) }
    nodePorts = ranges.nodePorts ?? nodePorts
    externalIPRanges = ranges.externalIPRanges
    loadBalancerIPRanges = ranges.loadBalancerIPRanges
  }

  /// Says which ClusterIPs are outside the service CIDRs, abridged. kube-router then applies policies to packets to them
  /// that reach INPUT. `nil` if there are none.
  public func warning(aboutClusterIPsOf services: [Service]) -> String? {
    let outside = services.flatMap { service in
      service.clusterIPs.filter { address in
        families.contains(address.family) && !serviceCIDRs.contains { $0.contains(address) }
      }.map { "\(service.id) \($0)" }
    }
    if outside.isEmpty { return nil }
    let ranges = serviceCIDRs.map(\.description).abridged(to: 5)
    return "kube-router runs with --service-cluster-ip-range \(ranges), but these ClusterIPs are outside: "
      + outside.abridged(to: 5)
  }
}

extension KubeRouterVersion {
  /// Reads the ranges from the exemptions in KUBE-ROUTER-INPUT, which it recognises by their comments.
  func exemptRanges(_ tables: [Table]) -> ExemptRanges {
    var ranges = ExemptRanges()
    for rule in tables.flatMap({ $0.chain("KUBE-ROUTER-INPUT")?.rules ?? [] }) where rule.statements.last == .return {
      let comment = rule.comment ?? ""
      // With iptables, a tag follows the comment.
      let says = { (text: String) in comment == text || comment.hasPrefix("\(text) - ") }
      for match in rule.matches {
        switch match {
        case .address(.destination, let range, negated: false):
          if says(comments.chains.serviceRange) { ranges.serviceCIDRs.append(range) }
          if says(comments.chains.externalRange(range)) { ranges.externalIPRanges.append(range) }
          if says(comments.chains.loadBalancerRange(range)) { ranges.loadBalancerIPRanges.append(range) }
        case .multiport(let transport, let ports) where ports.count == 1 && says(comments.chains.nodePorts(transport)):
          ranges.nodePorts = ranges.nodePorts ?? ports[0]
        case .port(let transport, let range) where says(comments.chains.nodePorts(transport)):
          ranges.nodePorts = ranges.nodePorts ?? range
        default: break
        }
      }
    }
    return ranges
  }
}
