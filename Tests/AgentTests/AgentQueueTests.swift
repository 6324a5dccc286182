import Glibc
import Kernel
import Lowering
import NetpolModel
import Network
import RuleIR
import Synchronization
import TestSupport
import Testing

@testable import Agent

private let world = """
  \(podText("app/web", on: "node1", labels: "app: web"))
  apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {namespace: app, name: web}
  spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}]}
  ---

  """

private func pod(_ name: String, _ address: String?) -> Pod {
  Pod(
    id: PodID("app", name), labels: ["app": "web"], node: "node1",
    podIPs: address.flatMap(IPAddress.init).map { [$0] } ?? [],
    hostIP: IPAddress("192.168.20.11"))
}

/// A gate at which an agent's observer can be held up.
private final class Gate: Sendable {
  private let isOpen = Mutex(true)
  private let isWaitedAt = Mutex(false)
  func close() { isOpen.withLock { $0 = false } }
  func open() { isOpen.withLock { $0 = true } }
  func pass() {
    while !isOpen.withLock({ $0 }) {
      isWaitedAt.withLock { $0 = true }
      usleep(1000)
    }
  }
  /// Waits until the observer has reached the closed gate, for up to 30 seconds.
  func waitForArrival() { for _ in 0..<30_000 where !isWaitedAt.withLock({ $0 }) { usleep(1000) } }
}

/// What an informer's handlers see.
private final class Cache {
  var view: NodeView
  init(_ view: NodeView) { self.view = view }
  func asks(_ event: InformerEvent) -> Bool { view.apply(event) }
}

@Suite("Events that request a sync from the agent")
struct AgentEventTests {
  @Test("a pod's events count if the pod is actionable or a field that policies use changes")
  func pods() throws {
    let cache = Cache(try agentView(world))
    var new = pod("new", nil)
    #expect(cache.asks(.podAdded(new)) == false, "it has no address")
    #expect(cache.view.pods.map(\.id.name) == ["new", "web"])
    new.ports = [ContainerPort(name: "http", number: 80)]
    #expect(cache.asks(.podUpdated(new)) == false, "a change of ports alone doesn't count")
    #expect(cache.view.pods.first?.ports.count == 1, "but it is stored")
    new.isReady = false
    #expect(cache.asks(.podUpdated(new)) == false)
    let changes: [(inout Pod) -> Void] = [
      { $0.podIP = IPAddress("10.42.0.77") }, { $0.podIPs = [IPAddress(v4: 0x0a2a_004d)] },
      { $0.labels["more"] = "" }, { $0.phase = .succeeded }, { $0.hostIP = IPAddress("192.168.20.12") },
    ]
    for change in changes {
      change(&new)
      #expect(cache.asks(.podUpdated(new)))
      #expect(cache.asks(.podUpdated(new)) == false, "an unchanged pod doesn't count")
    }
    #expect(cache.asks(.podDeleted(new.id)))
    #expect(cache.asks(.podDeleted(new.id)) == false, "the informer has no such pod")
    #expect(cache.view.pods.map(\.id.name) == ["web"])
    var host = pod("host", "192.168.20.11")
    host.hostNetwork = true
    #expect(cache.asks(.podAdded(host)) == false)
    var done = pod("done", "10.42.0.78")
    done.phase = .failed
    #expect(cache.asks(.podAdded(done)) == false)
  }

  @Test("a namespace's events count if its labels change, a policy's always")
  func others() throws {
    let cache = Cache(try agentView(world))
    let namespace = Namespace(name: "new", labels: ["a": "b"])
    #expect(cache.asks(.namespaceAdded(namespace)))
    #expect(cache.asks(.namespaceUpdated(namespace)) == false)
    #expect(cache.asks(.namespaceUpdated(Namespace(name: "new"))))
    #expect(cache.asks(.namespaceDeleted("new")))
    let policy = try #require(cache.view.policies.first)
    #expect(cache.asks(.policyUpdated(policy)))
    #expect(cache.asks(.policyDeleted(policy.id)))
    #expect(cache.view.policies.isEmpty)
    #expect(cache.asks(.policyAdded(policy)))
    #expect(cache.view.policies == [policy])
  }
}

@Suite("The agent's queue", .serialized, .needsNamespaces)
struct AgentQueueTests {
  @Test("all events during a sync are covered by one more sync, which has the first event's time")
  func coalesced() async throws {
    try await blocking {
      let gate = Gate()
      let sandbox = try AgentSandbox(try agentView(world), .kubeRouterK3s) { moment in
        if case .began(.saveRules, _, _) = moment { gate.pass() }
      }
      defer { sandbox.agent.close() }
      _ = sandbox.agent.takeSyncs()
      gate.close()
      sandbox.agent.notify(.podAdded(pod("a", "10.42.0.70")))
      gate.waitForArrival()
      #expect(throws: LabError.self) { try sandbox.agent.waitUntilIdle(timeout: .milliseconds(300)) }
      let before = MonotonicClock.now
      sandbox.agent.notify(.podAdded(pod("b0", "10.42.0.80")))
      let after = MonotonicClock.now
      for index in 1..<9 { sandbox.agent.notify(.podAdded(pod("b\(index)", "10.42.0.8\(index)"))) }
      gate.open()
      try sandbox.agent.waitUntilIdle(timeout: .seconds(60))
      let syncs = sandbox.agent.takeSyncs()
      #expect(syncs.map { $0.view?.pods.count } == [2, 11])
      #expect(syncs.count == 2 && (before...after).contains(syncs[1].requested))
      #expect(sandbox.agent.syncs.isEmpty)
    }
  }

  @Test("an event that doesn't count is stored for the next sync but requests none")
  func silent() async throws {
    try await blocking {
      let sandbox = try AgentSandbox(try agentView(world), .kubeRouterK3s)
      defer { sandbox.agent.close() }
      try sandbox.sync(.podAdded(pod("new", nil)))
      #expect(sandbox.agent.syncs.count == 1)
      try sandbox.sync(.podUpdated(pod("new", "10.42.0.77")))
      #expect(sandbox.agent.syncs.count == 2)
      try sandbox.expectRendered("with an address")
    }
  }

  @Test("a closed agent ignores events, and its rules stay")
  func closed() async throws {
    try await blocking {
      let sandbox = try AgentSandbox(try agentView(world), .kubeRouterK3s)
      sandbox.agent.close()
      try sandbox.sync(.podAdded(pod("new", "10.42.0.77")))
      #expect(sandbox.agent.syncs.count == 1)
      try sandbox.expectRendered("closed")
      #expect(throws: LabError.self) { try sandbox.agent.start() }
    }
  }
}

@Suite("A sync that fails", .serialized, .needsNamespaces)
struct AgentFailureTests {
  private func policy(_ name: String, annotations: Labels = [:], _ peers: [NetworkPolicy.Peer]) -> NetworkPolicy {
    NetworkPolicy(
      id: PolicyID("app", name), isolates: [.ingress], ingress: [.init(peers: .listed(peers))],
      annotations: annotations)
  }

  private func chains(_ sandbox: AgentSandbox) throws -> [Substring] {
    try sandbox.output("iptables", "-S").split(separator: "\n").filter { $0.hasPrefix("-N") }
  }

  @Test("a refused set leaves the old chains in place until the next event, which recovers")
  func sets() async throws {
    try await blocking {
      let sandbox = try AgentSandbox(try agentView(world), .kubeRouterK3s)
      defer { sandbox.agent.close() }
      let old = try chains(sandbox)
      let added = policy("added", [.pods(in: .own, matching: .everything)])
      var view = try #require(sandbox.agent.syncs.last?.view)
      let before = Set(sandbox.style.lower(view).ruleset.sets.map(\.name))
      view.policies.append(added)
      let inTheWay = try #require(sandbox.style.lower(view).ruleset.sets.map(\.name).first { !before.contains($0) })
      _ = try sandbox.output("ipset", "create", inTheWay, "list:set")
      let aborted = try sandbox.sync(.policyAdded(added))
      #expect(aborted.failure is CommandFailure)
      #expect(aborted.processes.last?.arguments == ["ipset", "restore", "-exist"])
      #expect(aborted.step(.restoreRules) == nil)
      #expect(try chains(sandbox) == old)
      #expect(sandbox.agent.syncs.count == 2, "no retry")
      // The temporary set of the refused restore stays, as it would with kube-router.
      for set in try sandbox.output("ipset", "list", "-n").split(separator: "\n") where set.hasPrefix("TMP-") {
        _ = try sandbox.output("ipset", "destroy", String(set))
      }
      _ = try sandbox.output("ipset", "destroy", inTheWay)
      try sandbox.sync(.namespaceAdded(Namespace(name: "more")))
      try sandbox.expectRendered("recovered")
    }
  }

  @Test("refused rules leave the old chains in place with the new sets (D15)")
  func rules() async throws {
    try await blocking {
      let sandbox = try AgentSandbox(try agentView(world), .kubeRouterK3s)
      defer { sandbox.agent.close() }
      let old = try chains(sandbox)
      let endless = policy("endless", annotations: ["kube-router.io/netpol-nflog-limit": "0"], [])
      try sandbox.sync(.policyAdded(endless))
      let aborted = try sandbox.sync(.podAdded(pod("new", "10.42.0.77")))
      #expect(aborted.failure is CommandFailure)
      #expect(aborted.processes.last?.name == "iptables-restore")
      #expect(try chains(sandbox) == old)
      #expect(try sandbox.output("ipset", "save").contains(" 10.42.0.77 "))
      try sandbox.sync(.policyDeleted(endless.id))
      try sandbox.expectRendered("recovered")
    }
  }

  @Test("only the policy that nft refuses is left out (D12)")
  func overlap() async throws {
    try await blocking {
      let sandbox = try AgentSandbox(try agentView(world), .kubeRouterNftables)
      defer { sandbox.agent.close() }
      let blocks: [NetworkPolicy.Peer] = [
        .block(.init(CIDR(IPAddress(v4: 0x0a00_0000), prefixLength: 8))),
        .block(.init(CIDR(IPAddress(v4: 0x0a01_0000), prefixLength: 16))),
      ]
      let record = try sandbox.sync(.policyAdded(policy("overlapping", blocks)))
      #expect(record.processes.filter { $0.ending == .exited(1) }.count == 1)
      try sandbox.expectRendered("refused")
    }
  }
}
