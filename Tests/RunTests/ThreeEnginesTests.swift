// What this does not show: other styles than k3s's, services, and what happens while rules change.
import Apply
import Enforcement
import EngineComparison
import Foundation
import Kernel
import Lowering
import Manifests
import NetpolModel
import Network
import Path
import Rendering
import Report
import RuleIR
import Run
import TestSupport
import Testing
import Verdicts

private func world(_ text: String) throws -> Cluster {
  try readManifests([ManifestSource(name: "world.yaml", text: text)]).cluster
}

private let base =
  webAndClient + secondWeb + """
    apiVersion: v1
    kind: Pod
    metadata: {namespace: other, name: client, labels: {app: client}}
    spec: {nodeName: node1, containers: [{name: c}]}
    ---
    apiVersion: v1
    kind: Pod
    metadata: {namespace: app, name: host, labels: {app: web}}
    spec: {nodeName: node2, hostNetwork: true, containers: [{name: c}]}
    ---

    """

private let policies = """
  apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {namespace: app, name: both}
  spec:
    podSelector: {matchLabels: {app: web}}
    policyTypes: [Ingress, Egress]
    ingress:
    - from: [{podSelector: {matchLabels: {app: client}}}]
      ports: [{port: http}, {protocol: UDP, port: 53, endPort: 60}, {protocol: SCTP, port: 3868}]
    - from: [{ipBlock: {cidr: 192.168.0.0/16, except: [192.168.1.0/24]}}]
    - from: [{podSelector: {matchLabels: {app: web}}}]
      ports: [{port: 443}]
  ---

  """

private let hosts = """
  apiVersion: netpol-lab/v1alpha1
  kind: Cluster
  externalHosts:
  - {name: lan, addresses: [192.168.1.9], routesToPods: true}
  - {name: other-lan, addresses: [192.168.2.9], routesToPods: true}
  - {name: far, addresses: [203.0.113.9]}

  """

@Suite("Three engines and real packets", .serialized, .needsNamespaces)
struct ThreeEnginesTests {
  private func run(
    _ text: String, _ selection: ProbePlan.Selection = .init(), style: EnforcementStyle = .kubeRouterK3s
  ) async throws -> RunReport {
    try await blocking {
      try ClusterRun(style: style, selection: selection).run(try world(text), version: "test")
    }
  }

  @Test(
    "agree on every pair, port and transport of a small world in every style, with D1 and D8 shown by the kernel",
    arguments: EnforcementStyle.all.map(\.name))
  func smallWorld(style: String) async throws {
    let style = try #require(EnforcementStyle.named(style))
    let report = try await run(base + policies + hosts, style: style)
    #expect(report.failures.isEmpty, "\(report.document.text())")
    let shown = Set(
      report.comparisons.flatMap { comparison -> [Deviation] in
        if case .deviation(let numbers) = comparison.finding, comparison.observed != nil { numbers } else { [] }
      })
    #expect(shown == style.traits.deviations.intersection([.bothTypePolicy, .ownNodePorts]))
    for transport in Transport.allCases {
      let of = report.comparisons.filter { $0.flow.transport == transport }
      #expect(of.contains { $0.observed == .allow } && of.contains { $0.observed == .deny }, "\(transport)")
    }
  }

  @Test("a refusal is told from silence: kube-router rejects, and the lab's nodes have no limit on ICMP errors")
  func rejects() async throws {
    let report = try await run(base + policies + hosts)
    for comparison in report.comparisons {
      if case .silent? = comparison.observation { Issue.record("silent: \(comparison.flow)") }
    }
  }

  @Test("IPv6 and IPv4 are enforced side by side")
  func dualStack() async throws {
    let families = """
      apiVersion: netpol-lab/v1alpha1
      kind: Cluster
      nodes:
      - {name: node1, addresses: [192.168.20.11, 'fd00:20::11'], podCIDRs: [10.42.0.0/24, 'fd00:42::/64']}
      - {name: node2, addresses: [192.168.20.12, 'fd00:20::12'], podCIDRs: [10.42.1.0/24, 'fd00:42:0:1::/64']}
      """
    let report = try await run(base + policies + families)
    #expect(report.failures.isEmpty, "\(report.document.text())")
    for family in IPFamily.allCases {
      for transport in Transport.allCases {
        let of = report.comparisons.filter { $0.flow.family == family && $0.flow.transport == transport }
        #expect(
          of.contains { $0.observed == .allow } && of.contains { $0.observed == .deny }, "\(family) \(transport)")
      }
    }
  }

  @Test("an address that is asked for is the one that is probed, behind an external host too")
  func addresses() async throws {
    let networks = """
      apiVersion: netpol-lab/v1alpha1
      kind: Cluster
      externalHosts:
      - {name: gw, addresses: [192.168.1.9, 192.168.1.10], networks: [198.51.100.0/24], routesToPods: true}

      """
    let deny = """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {namespace: app, name: p}
      spec:
        podSelector: {matchLabels: {app: web}}
        policyTypes: [Ingress, Egress]
        ingress: [{from: [{ipBlock: {cidr: 198.51.100.7/32}}]}]
        egress: [{to: [{ipBlock: {cidr: 192.168.1.10/32}}, {ipBlock: {cidr: 198.51.100.8/32}}]}]
      ---

      """
    let web = Endpoint.pod(PodID("app", "web"))
    let cases: [(from: String?, to: String?, expected: Verdict)] = [
      ("198.51.100.7", nil, .allow), ("198.51.100.9", nil, .deny), (nil, "192.168.1.10", .allow),
      (nil, "192.168.1.9", .deny), (nil, "198.51.100.8", .allow), (nil, "198.51.100.7", .deny),
    ]
    for (from, to, expected) in cases {
      let endpoint = { (text: String?) -> Endpoint in
        guard let address = text.flatMap(IPAddress.init) else { return web }
        return address.bits >> 8 == 0xc0a801 ? .external("gw") : .address(address)
      }
      let selection = ProbePlan.Selection(
        source: endpoint(from), destination: endpoint(to), sourceAddress: from.flatMap(IPAddress.init),
        destinationAddress: to.flatMap(IPAddress.init), ports: [TransportPort(.tcp, 80)])
      let report = try await run(base + deny + networks, selection)
      #expect(report.failures.isEmpty && report.comparisons.map(\.observed) == [expected], "\(from ?? "") \(to ?? "")")
      let asked = try #require(report.comparisons.first).flow
      #expect(from.map { asked.sourceAddress.description == $0 } ?? true)
      #expect(to.map { asked.destinationAddress.description == $0 } ?? true)
    }
  }

  @Test("an address of an IPv6 network behind a host sends and receives, over every transport")
  func networkOfIPv6() async throws {
    let networks = """
      apiVersion: netpol-lab/v1alpha1
      kind: Cluster
      nodes:
      - {name: node1, addresses: ['fd00:20::11'], podCIDRs: ['fd00:42::/64']}
      - {name: node2, addresses: ['fd00:20::12'], podCIDRs: ['fd00:42:0:1::/64']}
      externalHosts:
      - {name: gw, addresses: ['fd00:20::99'], networks: ['2001:db8:99::/48'], routesToPods: true}

      """
    let behind = try #require(IPAddress("2001:db8:99::7"))
    let web = Endpoint.pod(PodID("app", "web"))
    let ports = Transport.allCases.map { TransportPort($0, 80) }
    for selection in [
      ProbePlan.Selection(source: web, destination: .address(behind), destinationAddress: behind, ports: ports),
      ProbePlan.Selection(source: .address(behind), destination: web, sourceAddress: behind, ports: ports),
    ] {
      let report = try await run(base + networks, selection)
      #expect(report.failures.isEmpty && report.comparisons.map(\.observed) == [.allow, .allow, .allow])
    }
  }

  @Test("pods on the first and last addresses of a block, and in another node's block, are reached")
  func oddAddresses() async throws {
    let pod = { (name: String, node: String, ip: String) in
      """
      apiVersion: v1
      kind: Pod
      metadata: {namespace: odd, name: \(name)}
      spec: {nodeName: \(node), containers: [{name: c}]}
      status: {phase: Running, hostIP: 192.168.20.1\(node.suffix(1)), podIP: \(ip), podIPs: [{ip: \(ip)}]}
      ---

      """
    }
    let nodes = """
      apiVersion: netpol-lab/v1alpha1
      kind: Cluster
      nodes:
      - {name: node1, addresses: [192.168.20.11], podCIDRs: [10.50.0.0/24]}
      - {name: node2, addresses: [192.168.20.12], podCIDRs: [10.50.1.0/24]}

      """
    for (first, second) in [("10.50.0.1", "10.50.1.255"), ("10.50.0.0", "10.50.1.0"), ("10.50.1.9", "10.50.0.9")] {
      let text = pod("a", "node1", first) + pod("b", "node2", second) + pod("c", "node1", "10.50.0.77") + nodes
      let report = try await run(text, .init(ports: [TransportPort(.tcp, 80), TransportPort(.udp, 53)]))
      #expect(report.failures.isEmpty && report.comparisons.allSatisfy { $0.observed == .allow }, "\(first) \(second)")
    }
  }

  @Test("a kernel without the rules is noticed: every denied flow disagrees")
  func rulesMatter() async throws {
    let cluster = try world(base + policies)
    let worker = try NamespaceWorker()
    let topology = Topology(cluster)
    let fabric = try Fabric(topology, families: [.v4], bridgeNetfilter: true, worker: worker)
    let enforced = try EnforcedCluster(cluster, topology, .kubeRouterK3s, versionStamp: "1")
    let comparer = Comparer(cluster, enforced)
    let denied = ProbePlan(cluster, topology).flows.filter { enforced.walk($0).verdict == .deny }
    #expect(!denied.isEmpty)
    let seen = try await blocking { try KernelEngine(fabric).observe(denied) }
    for (flow, observation) in zip(denied, seen) {
      #expect(comparer.compare(flow, observation).finding == .kernelDisagrees)
    }
  }

  @Test("rules read back from the kernel are the ones that were loaded")
  func readBack() throws {
    let cluster = try world(base + policies)
    let worker = try NamespaceWorker()
    let topology = Topology(cluster)
    let fabric = try Fabric(topology, families: [.v4], bridgeNetfilter: true, worker: worker)
    let node = try #require(cluster.node("node1"))
    let namespace = try #require(fabric.namespace(ofNode: "node1"))
    let ruleset = EnforcementStyle.kubeRouterK3s.lower(NodeView(of: node, in: cluster)).ruleset
    try RuleLoader(worker: worker).load(ruleset, in: namespace)
    let lines = { (text: String) in
      Set(text.split(separator: "\n").filter { $0.hasPrefix("-A ") || $0.hasPrefix("add ") }.map(String.init))
    }
    let table = try #require(ruleset.table("filter", .v4))
    let saved = try Command(["iptables-save", "-t", "filter"]).run(in: namespace, on: worker).requireSuccess()
    #expect(lines(saved.text) == lines(try iptablesRestoreText(table)))
    let sets = try Command(["ipset", "save"]).run(in: namespace, on: worker).requireSuccess()
    #expect(lines(sets.text) == lines(try ipsetRestoreText(ruleset.sets)))
  }

  @Test("nft lists the ruleset that was loaded as the text says it")
  func nftReadBack() throws {
    let cluster = try world(base + policies)
    let worker = try NamespaceWorker()
    let namespace = try worker.makeNamespace()
    let node = try #require(cluster.node("node1"))
    let ruleset = EnforcementStyle.kubeRouterNftables.lower(NodeView(of: node, in: cluster)).ruleset
    try RuleLoader(worker: worker).load(ruleset, in: namespace)
    let listed = try Command(["nft", "--stateless", "list", "ruleset"]).run(in: namespace, on: worker).requireSuccess()
    let canonical = { (text: String) in
      // nft wraps the elements of a set, and lists counters as they were written.
      text.replacingOccurrences(of: ",\n", with: ", ").split(separator: "\n").map {
        $0.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
      }.filter { !$0.isEmpty }
    }
    #expect(canonical(listed.text) == canonical(try nftText(ruleset)))
  }

  @Test("a lab whose bridge hides packets from iptables fails its own check, and no verdict is given")
  func brokenLab() throws {
    let cluster = try world(base)
    let worker = try NamespaceWorker()
    let fabric = try Fabric(Topology(cluster), families: [.v4], bridgeNetfilter: false, worker: worker)
    #expect(throws: LabError.self) {
      try SelfCheck.run(fabric, families: [.v4], bridged: true, loader: try RuleLoader(worker: worker))
    }
  }

  @Test("a rule that iptables-restore refuses is named")
  func refusedRule() throws {
    let worker = try NamespaceWorker()
    let namespace = try worker.makeNamespace()
    let bad = Rule([.limit(RateLimit(1, per: .day, burst: 20_000))], [.accept])
    let table = Table(name: "filter", family: .v4, chains: [Chain(name: "INPUT", base: .init(.input), rules: [bad])])
    do {
      try RuleLoader(worker: worker).load(Ruleset(tables: [table]), in: namespace)
      Issue.record("it was loaded")
    } catch let refused as RefusedRule {
      #expect(refused.description.contains("20000"))
    }
  }

  @Test("50 pods on 3 nodes are built; the time is printed")
  func fiftyPods() async throws {
    let pods = (0..<50).map { index in
      """
      apiVersion: v1
      kind: Pod
      metadata: {namespace: ns\(index % 5), name: p\(index), labels: {number: '\(index)'}}
      spec: {nodeName: node\(index % 3), containers: [{name: c}]}
      ---

      """
    }.joined()
    let ports = [TransportPort(.tcp, 80), TransportPort(.udp, 53)]
    let policy =
      "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {namespace: ns0, name: deny}\nspec: {podSelector: {}}\n"
    let report = try await run(pods + policy, .init(ports: ports))
    #expect(report.failures.isEmpty)
    #expect(report.plan.flows.count > 50 * 49 * 2)
    print(
      "50 pods on 3 nodes: built in \(report.timings.build), rules in \(report.timings.load), "
        + "\(report.plan.flows.count) flows in \(report.timings.probe)")
  }

  @Test("a single flow is told with reasons and the deciding rule; JSON has its schema and every flow")
  func reports() async throws {
    let selection = ProbePlan.Selection(
      source: .pod(PodID("other", "client")), destination: .pod(PodID("app", "web")), ports: [TransportPort(.tcp, 8080)]
    )
    let report = try await run(base + policies, selection)
    let text = report.document.text()
    #expect(text.contains("DENIED"))
    #expect(text.contains("isolated for ingress by app/both"))
    #expect(text.contains("KUBE-POD-FW-") && text.contains("REJECT"))
    let object = try JSONSerialization.jsonObject(with: try report.document.json()) as? [String: Any]
    #expect(object?["schema"] as? String == "netpol-lab/run/v2")
    let flows = try #require(object?["flows"] as? [[String: Any]])
    #expect(
      flows.count == 1 && flows[0]["kernel"] as? String == "denied" && flows[0]["mechanism"] as? String == "rejected")
  }
}
