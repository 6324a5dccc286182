import Agent
import Kernel
import Lowering
import NetpolModel
import RuleIR
import TestSupport
import Testing

/// P policies, each with the two sets of its pods, and N local pods.
private func world(policies: Int, pods: Int) -> String {
  let pods = (0..<pods).map { index in
    podText("app/p\(index)", on: "node1", labels: "app: a")
  }
  let policies = (0..<policies).map { index in
    """
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {namespace: app, name: n\(index)}
    spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}]}
    ---

    """
  }
  return (pods + policies).joined()
}

/// Counts a sync's processes by program and command.
private func kinds(_ record: SyncRecord?) -> [String: Int] {
  Dictionary(
    (record?.processes ?? []).map { process in
      let arguments = process.arguments
      let options = ["-C", "-S", "-N", "-I", "-A", "-D", "-F", "-f", "list", "save", "restore", "create", "destroy"]
      let told = arguments.dropFirst().first { options.contains($0) && (arguments[0] != "nft" || $0 != "-C") }
      return (told.map { arguments[0] + " " + $0 } ?? arguments[0], 1)
    }, uniquingKeysWith: +)
}

@Suite("The agent's processes", .serialized, .needsNamespaces)
struct AgentProcessTests {
  struct Expected: CustomStringConvertible {
    let style: EnforcementStyle
    var dualStack = false
    var defaultDeny = false
    let first: [String: Int]
    let steady: [String: Int]
    var description: String {
      style.name + (dualStack ? ", dual stack" : "") + (defaultDeny ? ", default-deny" : "")
    }
  }

  /// From the source of `ensureTopLevelChains` … `cleanupStaleIPSets` in v2.6.3-k3s1 and v2.11.1, with one service
  /// range.
  ///
  /// -C: three jumps, the service range, one rule per node-port transport, DEFAULT's rule, COMMON's two rules and its
  /// ICMP types (3, IPv6: 6). -S: three chains and three built-in ones, once after each exemption, DEFAULT, COMMON and
  /// the list of all chains; in 2.11 twice for TAIL. The fork lists the built-in chains if its ACCEPT is missing.
  static let withIptables = [
    Expected(
      style: .kubeRouterK3s,
      first: [
        "iptables -C": 12, "iptables -S": 15, "iptables-save": 1, "ipset save": 2, "ipset restore": 1,
        "iptables-restore": 1,
      ],
      steady: [
        "iptables -C": 12, "iptables -S": 12, "iptables-save": 1, "ipset save": 2, "ipset restore": 1,
        "iptables-restore": 1,
      ]),
    Expected(
      style: .kubeRouterIptables,
      first: [
        "iptables -C": 13, "iptables -S": 15, "iptables-save": 1, "ipset save": 2, "ipset restore": 1,
        "iptables-restore": 1,
      ],
      steady: [
        "iptables -C": 13, "iptables -S": 15, "iptables-save": 1, "ipset save": 2, "ipset restore": 1,
        "iptables-restore": 1,
      ]),
    Expected(
      style: .kubeRouterIptables, defaultDeny: true,
      first: [
        "iptables -C": 13, "iptables -S": 15, "iptables-save": 1, "ipset save": 4, "ipset restore": 2,
        "iptables-restore": 1,
      ],
      steady: [
        "iptables -C": 13, "iptables -S": 15, "iptables-save": 1, "ipset save": 4, "ipset restore": 2,
        "iptables-restore": 1,
      ]),
    Expected(
      style: .kubeRouterK3s, dualStack: true,
      first: [
        "iptables -C": 12, "iptables -S": 15, "iptables-save": 1, "iptables-restore": 1, "ip6tables -C": 15,
        "ip6tables -S": 15, "ip6tables-save": 1, "ip6tables-restore": 1, "ipset save": 4, "ipset restore": 2,
      ],
      steady: [
        "iptables -C": 12, "iptables -S": 12, "iptables-save": 1, "iptables-restore": 1, "ip6tables -C": 15,
        "ip6tables -S": 12, "ip6tables-save": 1, "ip6tables-restore": 1, "ipset save": 4, "ipset restore": 2,
      ]),
  ]

  @Test("the number of iptables processes matches kube-router's source, in any cluster", arguments: withIptables)
  func iptables(_ expected: Expected) async throws {
    try await blocking {
      for (policies, pods) in [(0, 0), (3, 5)] {
        let view = try agentView(
          world(policies: policies, pods: pods), defaultDeny: expected.defaultDeny, dualStack: expected.dualStack)
        let sandbox = try AgentSandbox(view, expected.style)
        defer { sandbox.agent.close() }
        #expect(kinds(sandbox.agent.syncs.last) == expected.first)
        let steady = try sandbox.sync(.namespaceAdded(Namespace(name: "more")))
        #expect(kinds(steady) == expected.steady)
        #expect(steady.processes.allSatisfy { $0.ending == .exited(0) })
      }
    }
  }

  @Test(
    "nft runs once per transaction, and three times to list",
    arguments: [(0, 2, false), (3, 5, false), (3, 5, true)])
  func nft(_ policies: Int, _ pods: Int, _ defaultDeny: Bool) async throws {
    try await blocking {
      let view = try agentView(world(policies: policies, pods: pods), defaultDeny: defaultDeny)
      let sandbox = try AgentSandbox(view, .kubeRouterNftables)
      defer { sandbox.agent.close() }
      let further = defaultDeny ? 1 : 0
      #expect(kinds(sandbox.agent.syncs.last) == ["nft -f": policies + pods + 4 + further, "nft list": 3])
      // Without stale policies there is nothing to flush.
      let flushes = policies == 0 ? 1 : 2
      let steady = try sandbox.sync(.namespaceAdded(Namespace(name: "more")))
      #expect(kinds(steady) == ["nft -f": 2 * (policies + pods) + 4 + flushes + further, "nft list": 3])
      // The policy's two sets and its chain are stale.
      guard let policy = view.policies.first else { return }
      let after = try sandbox.sync(.policyDeleted(policy.id))
      #expect(kinds(after) == ["nft -f": 2 * (policies + pods) + 4 + flushes + further - 1 + 2, "nft list": 3])
    }
  }

  @Test("each stale ipset costs one more process")
  func destroyed() async throws {
    try await blocking {
      let view = try agentView(world(policies: 2, pods: 1))
      let sandbox = try AgentSandbox(view, .kubeRouterK3s)
      defer { sandbox.agent.close() }
      #expect(kinds(try sandbox.sync(.policyDeleted(view.policies[0].id)))["ipset destroy"] == 2)
    }
  }

  @Test("the steps run one after the other, and each process runs within one", arguments: EnforcementStyle.kubeRouters)
  func steps(_ style: EnforcementStyle) async throws {
    try await blocking {
      let sandbox = try AgentSandbox(try agentView(world(policies: 2, pods: 2)), style)
      defer { sandbox.agent.close() }
      let record = try sandbox.sync(.namespaceAdded(Namespace(name: "more")))
      #expect(record.requested <= record.started)
      let times = [record.started] + record.steps.flatMap { [$0.began, $0.returned] } + [record.ended]
      #expect(times == times.sorted())
      for process in record.processes {
        #expect(record.steps.contains { $0.began <= process.started && process.started <= $0.returned })
      }
      let expected: [SyncStep] =
        style.backend == .iptables
        ? [
          .ensure, .lower, .saveRules, .saveSets, .composeSets, .restoreSets, .composeRules, .composeRules,
          .restoreRules, .cleanUp,
        ]
        : [.ensure, .lower, .policyChains, .podChains, .baseChains, .cleanUp]
      #expect(record.steps.map(\.kind) == expected)
    }
  }
}
