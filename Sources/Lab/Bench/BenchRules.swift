public import Lowering
internal import NetpolModel
internal import RuleIR

/// The rules that are loaded on the node.
public enum BenchRules: Sendable {
  case none
  /// One rule that accepts established connections: the least that a stateful firewall does.
  case conntrackOnly
  case style(EnforcementStyle)

  public var name: String {
    switch self {
    case .none: "no rules"
    case .conntrackOnly: "conntrack only"
    case .style(let style): style.name
    }
  }

  func ruleset(_ node: Node, in cluster: Cluster) -> Ruleset? {
    switch self {
    case .none: nil
    case .conntrackOnly:
      Ruleset(
        backend: .nftables,
        tables: cluster.families.map { family in
          Table(
            name: "conntrack-only", family: family,
            chains: [
              Chain(
                name: "forward", base: .init(.forward),
                rules: [Rule([.conntrack([.established, .related])], [.accept])])
            ])
        })
    case .style(let style): style.lower(NodeView(of: node, in: cluster)).ruleset
    }
  }
}

/// Indices of the addresses in the order in which rules match them as destinations, chain by chain. Addresses that no
/// rule matches come last, in their own order.
func dispatchOrder(of addresses: [IPAddress], in ruleset: Ruleset?) -> [Int] {
  var places = Dictionary(addresses.enumerated().map { ($1, $0) }) { first, _ in first }
  var order: [Int] = []
  let rules = ruleset?.tables.lazy.flatMap(\.chains).flatMap(\.rules)
  for rule in rules.map(Array.init) ?? [] {
    for case .address(.destination, let cidr, negated: false) in rule.matches where cidr.isHost {
      if let place = places.removeValue(forKey: cidr.network) { order.append(place) }
    }
  }
  return order + places.values.sorted()
}
