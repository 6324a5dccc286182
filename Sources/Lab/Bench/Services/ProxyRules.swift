internal import NetpolModel
internal import RuleIR

/// What is loaded on a node whose packets to Services are measured.
enum ProxyRules: Hashable {
  case none
  /// Chains for translation with one rule, for an address that no packet has: each connection is tracked, and keeps its
  /// addresses. Without a rule that translates, the kernel would track none.
  case natOnly
  case kubeProxy(KubeProxyMode)

  static let modes: [KubeProxyMode] = [.iptables, .nftables(.latest)]

  var name: String {
    switch self {
    case .none: ServiceBenchReport.noRules
    case .natOnly: ServiceBenchReport.natOnly
    case .kubeProxy(let mode): mode.keyword
    }
  }

  var translates: Bool {
    if case .kubeProxy = self { true } else { false }
  }

  func ruleset(_ world: ServiceWorld) -> Ruleset? {
    switch self {
    case .none: nil
    case .natOnly:
      Ruleset(
        backend: .nftables,
        tables: [
          Table(
            name: "nat-only", family: .v4,
            chains: [
              Chain(
                name: "prerouting", base: .nat(.prerouting),
                rules: [
                  Rule(
                    [.address(.destination, CIDR(world.addresses.stranger)), .transport(.tcp)],
                    [.dnat(world.endpoint(0, of: 0), port: ServiceWorld.targetPort)])
                ]), Chain(name: "postrouting", base: .nat(.postrouting)),
            ])
        ])
    case .kubeProxy(let mode): ServiceWorld.ruleset(world.view(mode))
    }
  }
}
