public import NetpolModel
public import RuleIR

/// kube-proxy's mode on the node that has these tables, with the release that writes such chains. `nil` if kube-proxy has
/// no rules there. A node that has changed its mode may still have the other rules; nftables counts then.
public func kubeProxyMode(of tables: [Table]) -> KubeProxyMode? {
  for table in tables where table.name == KubeProxyNftNames.table {
    let chains = Set(table.chains.map(\.name))
    guard chains.contains(KubeProxyNftNames.serviceEndpointsCheck) else { continue }
    if chains.contains("filter-output-post-dnat") {
      let drops = table.chain(KubeProxyNftNames.clusterIPsCheck)?.rules.contains { $0.statements == [.drop] }
      return .nftables(drops == true ? .v33 : .v32)
    }
    return .nftables(chains.contains(KubeProxyNftNames.markForMasquerade) ? .v34 : .v36)
  }
  return tables.contains { $0.chain(KubeProxyNames.services) != nil } ? .iptables : nil
}
