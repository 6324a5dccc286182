// Not covered: whether the probes are answered.
import NetpolModel
import Path
import TestSupport
import Testing
import Verdicts

@Suite("Which flows are asked about") struct ProbePlanTests {
  static let world = """
    \(podText("default/web", on: "node1", labels: "app: web", ports: ["name: http, containerPort: 8080", "containerPort: 7000, protocol: UDP"]))
    \(podText("default/other", on: "node2"))
    apiVersion: v1
    kind: Service
    metadata: {name: web}
    spec: {selector: {app: web}, ports: [{port: 80, targetPort: 9999}]}
    ---
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: p}
    spec:
      podSelector: {}
      ingress:
      - ports: [{port: 443}, {protocol: UDP, port: 20000, endPort: 20010}, {protocol: SCTP, port: 9}, {protocol: UDP}]
    ---
    apiVersion: netpol-lab/v1alpha1
    kind: Cluster
    externalHosts:
    - {name: lan, addresses: [192.168.1.9], routesToPods: true}
    - {name: far, addresses: [203.0.113.9]}

    """

  private func plan(_ selection: ProbePlan.Selection = .init(), sctpObstacle: String? = nil) throws -> ProbePlan {
    let cluster = try readWorld(Self.world)
    return ProbePlan(cluster, Topology(cluster), only: selection, sctpObstacle: sctpObstacle)
  }

  private func ports(at name: String) throws -> Set<String> {
    let flows = try plan().flows.filter { $0.destination.description == name && $0.source == .node("node1") }
    return Set(flows.map(\.question.description))
  }

  @Test("the ports are all numbers and range ends of policies, the destination's own, and two that nothing names")
  func portsOfADestination() throws {
    let common: Set = ["TCP/443", "UDP/20000", "UDP/20010", "SCTP/9", "TCP/20011", "UDP/20011"]
    #expect(try ports(at: "default/other") == common)
    #expect(try ports(at: "default/web") == common.union(["TCP/8080", "UDP/7000", "TCP/9999"]))
    #expect(try ports(at: "external/lan") == common)
    #expect(try ports(at: "node/node2") == common.union(["TCP/30000"]), "a NodePort, to show D8")
  }

  @Test(
    "a node sends to itself only where a service or a pod is behind the port, and a host to ClusterIPs only by a route")
  func waysIn() throws {
    let text =
      twoNodesText(
        "externalHosts: [{name: lan, addresses: [192.168.1.9], routesToServices: node1}, {name: far, addresses: [192.168.1.8]}]"
      ) + podText("default/web", on: "node1", labels: "app: web", ports: ["containerPort: 80, hostPort: 8080"]) + """
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}
        ---

        """
    let cluster = try readWorld(text)
    let topology = Topology(cluster)
    let plan = ProbePlan(cluster, topology)
    let itself = plan.flows.filter { $0.source == $0.destination }.map { "\($0.source) \($0.question)" }
    #expect(Set(itself) == ["node/node1 TCP/8080", "node/node1 TCP/30080", "node/node2 TCP/30080"])
    let service = Endpoint.service(NamespacedName("default", "web"))
    let outsiders = plan.flows.filter { $0.destination == service }.map(\.source.description)
    #expect(outsiders.contains("external/lan") && !outsiders.contains("external/far"))
    #expect(plan.flows.allSatisfy { !$0.destinationAddress.isLoopback })
    var selection = ProbePlan.Selection(ports: [TransportPort(.tcp, 8080)])
    selection.destinations = [.address(.loopback(.v4))]
    let loopback = ProbePlan(cluster, topology, only: selection).flows
    #expect(loopback.map(\.source) == [.node("node1"), .node("node2")])
    #expect(loopback.allSatisfy { $0.sourceAddress.isLoopback && $0.destination == $0.source })
  }

  @Test("every endpoint is paired with every other, except two outside ones and where there is no route")
  func pairs() throws {
    let plan = try plan()
    let pairs = Set(plan.flows.map { "\($0.source)>\($0.destination)" })
    #expect(pairs.contains("default/web>default/other") && pairs.contains("default/other>external/far"))
    #expect(pairs.contains("external/lan>default/web") && pairs.contains("external/far>node/node1"))
    #expect(!pairs.contains("external/lan>external/far") && !pairs.contains("default/web>default/web"))
    #expect(!pairs.contains("external/far>default/web"))
    let why = Set(plan.unasked.map(\.why))
    #expect(why == ["far has no route to the pods (routesToPods)"])
  }

  @Test("SCTP is left to oracle and evaluator only if the machine can't probe it")
  func sctp() throws {
    let (can, cannot) = (try plan(), try plan(sctpObstacle: "no raw socket"))
    #expect(can.flows.contains { $0.transport == .sctp } && !cannot.flows.contains { $0.transport == .sctp })
    #expect(can.flows.count + can.unasked.count == cannot.flows.count + cannot.unasked.count)
    let why = Set(cannot.unasked.filter { $0.flow.transport == .sctp }.map(\.why))
    #expect(why == ["SCTP can't be probed here (no raw socket): oracle and evaluator only [NPL-602]"])
  }

  @Test("with boundaries: ports next to a range or number, and both sides of a block's ends behind a host")
  func boundaries() throws {
    let networks = """
      apiVersion: netpol-lab/v1alpha1
      kind: Cluster
      externalHosts:
      - {name: gw, addresses: [192.168.1.9], networks: [198.51.100.0/24], routesToPods: true}
      ---
      \(podText("default/web", on: "node1"))
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: p}
      spec:
        podSelector: {}
        ingress:
        - {from: [{ipBlock: {cidr: 198.51.100.128/25}}], ports: [{port: 443}, {port: 600, endPort: 610}]}

      """
    let cluster = try readWorld(networks)
    let plan = ProbePlan(cluster, Topology(cluster), breadth: .boundaries)
    let web = Endpoint.pod(PodID("default", "web"))
    let coming = plan.flows.filter { $0.destination == web && $0.source != .node("node1") }
    let edges = ["198.51.100.127", "198.51.100.128", "198.51.100.255"]
    #expect(Set(coming.map(\.sourceAddress.description)) == Set(edges + ["192.168.1.9"]))
    #expect(
      Set(coming.filter { $0.transport == .tcp }.map(\.port)).isSuperset(of: [442, 443, 444, 599, 600, 610, 611]))
    let going = plan.flows.filter { edges.contains($0.destinationAddress.description) }
    #expect(!going.isEmpty && going.allSatisfy { $0.source == web })
    #expect(Set(going.map(\.transport)) == Set(Transport.allCases))
  }

  @Test("--from, --to and --port restrict the plan")
  func selection() throws {
    let selection = ProbePlan.Selection(
      source: .pod(PodID("default", "web")), destination: .node("node2"), ports: [TransportPort(.udp, 1)])
    #expect(
      try plan(selection).flows.map { "\($0.source)>\($0.destination) \($0.question)" } == [
        "default/web>node/node2 UDP/1"
      ])
  }
}
