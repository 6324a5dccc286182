internal import NetpolModel
internal import RuleIR

extension KubeProxy {
  /// Stops packets that were not translated and must not pass. kube-proxy prepends its jumps one after another, so they
  /// are in the reverse order of its list (`iptablesJumpChains`).
  func filterTable() -> Table {
    let firewall = jump(KubeProxyNames.proxyFirewall, "kubernetes load balancer firewall")
    let services = jump(KubeProxyNames.services, "kubernetes service portals")
    let external = jump(KubeProxyNames.externalServices, "kubernetes externally-visible service portals")
    let nodePorts = Rule([], [.jump(KubeProxyNames.nodePorts)], comment: "kubernetes health check service ports")
    let forward = Rule([], [.jump(KubeProxyNames.forward)], comment: Self.forwardComment)
    return Table(
      name: "filter", family: family,
      chains: [
        .builtIn("INPUT", .input, [firewall, nodePorts, external]),
        .builtIn("FORWARD", .forward, [firewall, forward, services, external]),
        .builtIn("OUTPUT", .output, [firewall, services]),
        Chain(name: KubeProxyNames.nodePorts, rules: ports.flatMap(healthChecks)),
        Chain(name: KubeProxyNames.services, rules: ports.flatMap(internalRefusals)),
        Chain(name: KubeProxyNames.externalServices, rules: ports.flatMap(externalRefusals)),
        Chain(name: KubeProxyNames.forward, rules: forwardRules()),
        Chain(name: KubeProxyNames.proxyFirewall, rules: ports.flatMap(firewallDrops)),
      ])
  }

  private static let forwardComment = "kubernetes forwarding rules"

  /// Only new connections are refused. A stale connection continues.
  private func jump(_ chain: ChainName, _ comment: String) -> Rule {
    Rule([.conntrack([.new])], [.jump(chain)], comment: comment)
  }

  /// Lets health checks in, whatever the node's endpoints.
  private func healthChecks(_ port: ServicePort) -> [Rule] {
    guard let number = port.healthCheckNodePort else { return [] }
    return [
      Rule([.port(.tcp, PortRange(number))], [.accept], comment: "\(port.name) health check node port")
    ]
  }

  private func refusal(_ port: ServicePort, _ matches: [Match]) -> Rule {
    port.endpoints.exist
      ? Rule(matches, [.drop], comment: "\(port.name) has no local endpoints")
      : Rule(matches, [.reject(.portUnreachable)], comment: "\(port.name) has no endpoints")
  }

  private func internalRefusals(_ port: ServicePort) -> [Rule] {
    port.hasInternalEndpoints ? [] : [refusal(port, port.matches(port.clusterIP))]
  }

  private func externalRefusals(_ port: ServicePort) -> [Rule] {
    if port.hasExternalEndpoints { return [] }
    let addresses = (port.externalIPs + port.loadBalancerIPs).map { refusal(port, port.matches($0)) }
    guard let number = port.port.nodePort else { return addresses }
    return addresses + [refusal(port, [.local(.destination), .port(port.port.transport, PortRange(number))])]
  }

  private func firewallDrops(_ port: ServicePort) -> [Rule] {
    guard port.usesFirewall else { return [] }
    let comment = "\(port.name) traffic not accepted by \(port.firewallChain)"
    return port.loadBalancerIPs.map { Rule(port.matches($0), [.drop], comment: comment) }
  }

  /// Lets service traffic through a FORWARD chain whose policy is DROP.
  private func forwardRules() -> [Rule] {
    [
      Rule([.conntrack([.invalid])], [.drop]),
      Rule([.mark(Self.masquerade)], [.accept], comment: Self.forwardComment),
      Rule([.conntrack([.related, .established])], [.accept], comment: "kubernetes forwarding conntrack rule"),
    ]
  }
}
