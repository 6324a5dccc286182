import Agent
import Kernel
import Lowering
import NetpolModel
import TestSupport
import Testing

private let world =
  webAndClient + """
    \(podText("app/far", on: "node2", labels: "app: client"))
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {namespace: app, name: web}
    spec:
      podSelector: {matchLabels: {app: web}}
      policyTypes: [Ingress]
      ingress:
      - from: [{podSelector: {matchLabels: {app: client}}}]
        ports: [{port: http}, {protocol: UDP, port: 53, endPort: 60}]
      - from: [{ipBlock: {cidr: 192.168.0.0/16, except: [192.168.1.0/24]}}]
    ---
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {namespace: app, name: client}
    spec:
      podSelector: {matchLabels: {app: client}}
      policyTypes: [Ingress, Egress]
      egress: [{to: [{podSelector: {}}]}]

    """

/// A pod of `app` on node1, as an informer reports it.
private func pod(_ name: String, _ app: String, _ addresses: String...) throws -> Pod {
  Pod(
    id: PodID("app", name), labels: ["app": app], node: "node1",
    podIPs: try addresses.map { try #require(IPAddress($0)) }, hostIP: IPAddress("192.168.20.11"))
}

private struct Setting: CustomStringConvertible {
  let style: EnforcementStyle
  var dualStack = false
  var defaultDeny = false
  var description: String {
    style.name + (dualStack ? ", dual stack" : "") + (defaultDeny ? ", default-deny" : "")
  }
  static let all =
    EnforcementStyle.kubeRouters.flatMap { [Setting(style: $0), Setting(style: $0, dualStack: true)] }
    + [EnforcementStyle.kubeRouterIptables, .kubeRouterNftables].flatMap {
      [Setting(style: $0, defaultDeny: true), Setting(style: $0, dualStack: true, defaultDeny: true)]
    }
}

@Suite("The agent and the node's rules", .serialized, .needsNamespaces)
struct AgentRuleTests {
  @Test("after every sync the node has the rules for what it knew", arguments: Setting.all)
  fileprivate func rendered(_ setting: Setting) async throws {
    try await blocking {
      let view = try agentView(world, defaultDeny: setting.defaultDeny, dualStack: setting.dualStack)
      let sandbox = try AgentSandbox(view, setting.style)
      defer { sandbox.agent.close() }
      try sandbox.expectRendered("first sync")
      let address = setting.dualStack ? ["10.42.0.77", "fd00:42::77"] : ["10.42.0.77"]
      var newcomer = Pod(
        id: PodID("app", "new"), labels: ["app": "client"], node: "node1",
        podIPs: try address.map { try #require(IPAddress($0)) }, hostIP: view.nodeAddresses.first)
      try sandbox.sync(.podAdded(newcomer))
      try sandbox.expectRendered("a pod added")
      newcomer.labels = ["app": "web"]
      try sandbox.sync(.podUpdated(newcomer))
      try sandbox.expectRendered("a pod relabelled")
      try sandbox.sync(.podDeleted(newcomer.id))
      try sandbox.expectRendered("a pod deleted")
      // The policy's sets of rules 0 and 1 are deleted, with nft its sub-chain too.
      var policy = try #require(view.policies.last)
      policy.ingress = []
      try sandbox.sync(.policyUpdated(policy))
      try sandbox.expectRendered("a policy emptied")
      try sandbox.sync(.policyDeleted(policy.id))
      try sandbox.expectRendered("a policy deleted")
      #expect(sandbox.agent.syncs.count == 6)
    }
  }

  @Test(
    "other programs' rules in the filter table survive, with their sets",
    arguments: [
      EnforcementStyle.kubeRouterK3s, .kubeRouterIptables,
    ])
  func foreign(_ style: EnforcementStyle) async throws {
    try await blocking {
      let rules = [
        #"-A INPUT -s 192.0.2.1/32 -m comment --comment "a host\'s \"own\" rule" -j DROP"#, "-A THEIRS -j RETURN",
        "-A FORWARD -i eth9 -j THEIRS",
      ]
      let sandbox = try AgentSandbox(
        try agentView(world), style,
        before: { worker, namespace in
          let text = "*filter\n:THEIRS - [0:0]\n" + rules.map { $0 + "\n" }.joined() + "COMMIT\n"
          for (arguments, input) in [(["iptables-restore"], text), (["ipset", "restore"], "create theirs hash:ip\n")] {
            try Command(arguments, input: Array(input.utf8)).run(in: namespace, on: worker).requireSuccess()
          }
        })
      defer { sandbox.agent.close() }
      for step in 0..<2 {
        try sandbox.sync(.podAdded(try pod("new\(step)", "web", "10.42.0.7\(step)")))
        let saved = try sandbox.output("iptables-save", "-t", "filter").split(separator: "\n").map(String.init)
        for rule in rules { #expect(saved.filter { $0.hasSuffix(rule.dropFirst(3)) }.count == 1, "\(saved)") }
        #expect(try sandbox.output("ipset", "save").contains("create theirs "))
        #expect(saved.first { $0.hasPrefix("-A INPUT") }?.contains("kube-router netpol") == true)
      }
    }
  }

  @Test(
    "a hook jump that was moved is put back into first place",
    arguments: [
      EnforcementStyle.kubeRouterK3s, .kubeRouterIptables,
    ])
  func moved(_ style: EnforcementStyle) async throws {
    try await blocking {
      let sandbox = try AgentSandbox(try agentView(world), style)
      defer { sandbox.agent.close() }
      _ = try sandbox.output("iptables", "-I", "FORWARD", "1", "-s", "192.0.2.9", "-j", "ACCEPT")
      try sandbox.sync(.podAdded(try pod("new", "web", "10.42.0.77")))
      let rules = try sandbox.output("iptables", "-S", "FORWARD").split(separator: "\n").filter { $0.hasPrefix("-A") }
      #expect(rules.map { $0.contains("kube-router netpol") }.prefix(2) == [true, false])
      #expect(rules.filter { $0.contains("kube-router netpol") }.count == 1)
    }
  }
}
