// Not covered: strangers in IPv6, and through Services that choose among endpoints.
import EngineComparison
import Lowering
import NetpolModel
import Path
import StandingLab
import TestSupport
import Testing
import Verdicts

@Suite("Pods that no node knows yet, with real packets", .serialized, .needsNamespaces) struct StrangerPacketTests {
  private static let (fresh, reused, other) = ("10.42.0.99", "10.42.0.6", "10.42.1.99")

  /// Two nodes with pods, a finished pod, a host outside, and three strangers: one of them has the finished pod's
  /// address.
  private static func cluster(_ settings: String, _ policies: String) throws -> Cluster {
    let pod = { (name: String, node: Int, address: String, phase: String) in
      podText(
        "app/\(name)", on: "node\(node)", labels: "app: \(name)",
        status: "podIP: \(address), hostIP: 192.168.20.1\(node), phase: \(phase)")
    }
    let cluster = try readWorld(
      twoNodesText(
        "externalHosts: [{name: lan, addresses: [192.168.20.50], routesToPods: true}]\n\(settings)")
        + pod("web", 1, "10.42.0.5", "Running") + pod("job", 1, reused, "Succeeded")
        + pod("far", 2, "10.42.1.5", "Running")
        + policies)
    let asked = try [fresh, reused, other].map { try #require(IPAddress($0)) }
    let (larger, hosts) = cluster.addingHosts(sending: asked, receiving: asked)
    #expect(hosts.isEmpty && larger.strangers.count == 3)
    return larger
  }

  private struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    var settings = ""
    var policies = ""
    /// What becomes of app/web -> stranger, and stranger -> app/web, on the same node.
    let passes: (Bool, Bool)
    var testDescription: String { name }
  }

  /// `web` through a NodePort on node1.
  private static let service = """
    apiVersion: v1
    kind: Service
    metadata: {namespace: app, name: web}
    spec: {type: NodePort, clusterIP: 10.43.0.80, selector: {app: web}, ports: [{port: 80, nodePort: 30100}]}
    ---

    """

  @Test("a stranger's packets to a Service take the way of any pod's", arguments: EnforcementStyle.all)
  func services(style: EnforcementStyle) async throws {
    let policies = [
      ("", true, true), (Self.both("{ipBlock: {cidr: 10.42.0.0/16, except: [10.42.0.0/31]}}"), true, false),
    ]
    for (policy, reachesClusterIP, reachesNodePort) in policies {
      let cluster = try Self.cluster("", policy + Self.service)
      let comparisons = try await blocking {
        let lab = try LoadedFabric(cluster, style)
        let flows = try [Self.fresh, Self.other].flatMap { text in
          let stranger = Endpoint.address(try #require(IPAddress(text)))
          let ports = [TransportPort(.tcp, 80), TransportPort(.tcp, 30100)]
          let service = Endpoint.service(NamespacedName("app", "web"))
          return [
            lab.plan.topology.flow(from: stranger, to: service, .port(ports[0]), .v4),
            lab.plan.topology.flow(from: stranger, to: .node("node1"), .port(ports[1]), .v4),
          ].compactMap(\.self)
        }
        let observations = try KernelEngine(lab.fabric).observe(flows, backends: lab.backends.endpoints)
        return zip(flows, observations).map { lab.plan.comparer.compare($0, $1) }
      }
      #expect(comparisons.count == 4)
      for comparison in comparisons {
        #expect(comparison.finding == .agreement, "\(style.name) \(comparison.flow): \(comparison.finding)")
        // From node2, flannel masquerades what goes to node1's address.
        let isFar = "\(comparison.flow.source)" == Self.other
        let passes = comparison.flow.port == 80 ? reachesClusterIP : !isFar || reachesNodePort
        #expect(comparison.observed == (passes ? .allow : .deny), "\(style.name) \(comparison.flow)")
      }
    }
  }

  private static let deny = policyText("app/deny", "podSelector: {}\npolicyTypes: [Ingress, Egress]")
  private static func both(_ peer: String) -> String {
    policyText(
      "app/both",
      "podSelector: {}\npolicyTypes: [Ingress, Egress]\ningress: [{from: [\(peer)]}]\negress: [{to: [\(peer)]}]")
  }

  private static let rows = [
    Row(name: "no policy", passes: (true, true)),
    Row(name: "a deny-all policy", policies: deny, passes: (false, false)),
    Row(
      name: "selectors select no stranger", policies: both("{namespaceSelector: {}, podSelector: {}}"),
      passes: (false, false)),
    Row(name: "an ipBlock admits it", policies: both("{ipBlock: {cidr: 10.42.0.0/16}}"), passes: (true, true)),
    Row(
      name: "without bridge netfilter", settings: "bridgeNetfilter: false", policies: deny, passes: (true, true)),
    Row(name: "default-deny", settings: "defaultDeny: true", passes: (false, false)),
    Row(
      name: "default-deny and an ipBlock", settings: "defaultDeny: true",
      policies: both("{ipBlock: {cidr: 10.42.0.0/16}}"), passes: (false, false)),
    Row(
      name: "default-deny without bridge netfilter", settings: "defaultDeny: true\nbridgeNetfilter: false",
      passes: (true, true)),
  ]

  @Test(
    "oracle, evaluator and packets agree about every flow from and to a stranger, but for known deviations",
    arguments: rows, EnforcementStyle.all)
  private func agreement(_ row: Row, _ style: EnforcementStyle) async throws {
    let isClosed = row.settings.contains("defaultDeny")
    if isClosed, !style.knowsDefaultDeny { return }
    let cluster = try Self.cluster(row.settings, row.policies)
    try await blocking {
      let lab = try LoadedFabric(cluster, style)
      let strangers = try [Self.fresh, Self.reused, Self.other].map { Endpoint.address(try #require(IPAddress($0))) }
      let known: [Endpoint] = [
        .pod(PodID("app", "web")), .pod(PodID("app", "far")), .node("node1"), .node("node2"), .external("lan"),
      ]
      let pairs = strangers.flatMap { one in
        (known + strangers).filter { $0 != one }.map { (one, $0) } + known.map { ($0, one) }
      }
      let flows = pairs.flatMap { source, destination in
        [TransportPort(.tcp, 8080), TransportPort(.udp, 30001)].compactMap {
          lab.plan.topology.flow(from: source, to: destination, .port($0), .v4)
        }
      }
      #expect(flows.count == pairs.count * 2)
      let observations = try KernelEngine(lab.fabric).observe(flows, backends: lab.backends.endpoints)
      for (flow, observation) in zip(flows, observations) {
        let comparison = lab.plan.comparer.compare(flow, observation)
        switch comparison.finding {
        case .agreement: break
        case .deviation(let numbers):
          let allowed: Set<Deviation> = [.bridgeHidesPackets, .refusesStrangers, .ownNodePorts, .refusesUnprogrammed]
          #expect(allowed.isSuperset(of: numbers), "\(row) \(flow): \(numbers)")
        default: Issue.record("\(style.name) \(row) \(flow): \(comparison.finding) \(String(describing: observation))")
        }
        let web = Endpoint.pod(PodID("app", "web"))
        for stranger in strangers.prefix(2) where flow.transport == .tcp {
          if flow.source == web, flow.destination == stranger {
            #expect(comparison.observed == (row.passes.0 ? .allow : .deny), "\(style.name) \(row) \(flow)")
          }
          if flow.destination == web, flow.source == stranger {
            #expect(comparison.observed == (row.passes.1 ? .allow : .deny), "\(style.name) \(row) \(flow)")
          }
        }
      }
    }
  }
}
