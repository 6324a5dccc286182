import NetpolModel
import Path
import TestSupport
import Testing
import Verdicts

@Suite("Why a selection matches no flow") struct NoFlowTests {
  private static let objects = """
    \(twoNodesText("externalHosts: [{name: lan, addresses: [192.168.1.9]}, {name: six, addresses: ['fd00:1::9']}, {name: far, addresses: [203.0.113.9]}]"))
    \(podText("app/web", on: "node1", labels: "app: web"))
    \(podText("app/agent", on: "node1", spec: "hostNetwork: true"))
    \(podText("app/other", on: "node1", spec: "hostNetwork: true"))
    \(podText("app/done", on: "node1", status: "phase: Failed, podIP: 10.42.0.9, podIPs: [{ip: 10.42.0.9}]"))
    \(podText("app/new", on: "node1", status: "phase: Pending"))
    \(podText("app/new2", on: "node1", status: "phase: Pending"))
    \(podText("app/twin", on: "node1", status: "phase: Running, podIP: 10.42.0.60, podIPs: [{ip: 10.42.0.60}]"))
    \(podText("app/twin2", on: "node1", status: "phase: Running, podIP: 10.42.0.60, podIPs: [{ip: 10.42.0.60}]"))
    apiVersion: v1
    kind: Pod
    metadata: {namespace: app, name: nowhere}
    spec: {containers: [{name: c}]}
    status: {phase: Pending}
    ---
    apiVersion: v1
    kind: Service
    metadata: {namespace: app, name: front}
    spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
    status: {loadBalancer: {ingress: [{ip: 192.168.20.200, ipMode: Proxy}]}}

    """

  private static func reason(_ text: String, from sources: [String]?, to destinations: [String]?) throws -> String {
    let cluster = try readWorld(text)
    let topology = Topology(cluster)
    var selection = ProbePlan.Selection()
    let names = ClusterNames(cluster)
    let ends = { (list: [String]?) in
      try list?.flatMap { text throws -> [Endpoint] in try names.endpoints(try EndpointReference(text)) }
    }
    selection.sources = try ends(sources)
    selection.destinations = try ends(destinations)
    #expect(ProbePlan(cluster, topology, only: selection).isEmpty)
    return try #require(NoFlow(selection, in: cluster, topology)).description
  }

  @Test(
    "the reason says what the ends are, and what to ask instead",
    arguments: [
      ("app/web", "app/web", "both ends are app/web; name two different ends [NPL-705]"),
      (
        "app/done", "app/web",
        "app/done sends and receives nothing: its phase is Failed; name a pod that still runs [NPL-702]"
      ),
      (
        "app/web", "10.42.0.9",
        "app/done sends and receives nothing: its phase is Failed; name a pod that still runs [NPL-702]"
      ),
      (
        "app/new", "app/web",
        "app/new sends and receives nothing: it has no address yet; ask when it has one, or name another pod [NPL-703]"
      ),
      (
        "app/web", "app/nowhere",
        "app/nowhere sends and receives nothing: it is on no node; give it a nodeName, or name another pod [NPL-701]"
      ),
      (
        "app/twin2", "app/web",
        "app/twin2 sends and receives nothing: its address 10.42.0.60 belongs to app/twin; "
          + "give it an address of its own, or name another pod [NPL-704]"
      ),
      (
        "app/agent", "app/other",
        "app/agent and app/other use the same network, and no packet between them leaves it; "
          + "name an end on another node [NPL-706]"
      ),
      (
        "external/lan", "external/far",
        "external/lan and external/far are both outside the cluster, where no policy applies; "
          + "name a pod, a node or a Service as one end [NPL-707]"
      ),
      (
        "app/web", "external/six",
        "app/web is asked about with IPv4 alone and external/six with IPv6 alone; "
          + "name two ends with an address family in common [NPL-708]"
      ),
      (
        "app/web", "vip/app/front/192.168.20.200",
        "vip/app/front/192.168.20.200: the load balancer itself translates this address (ipMode: Proxy), and no node "
          + "answers for it; ask for the node that it sends to, with the NodePort [NPL-711]"
      ),
    ])
  func pairs(from: String, to: String, reason: String) throws {
    #expect(try Self.reason(Self.objects, from: [from], to: [to]) == reason)
  }

  @Test("several pods that are missing give one line") func several() throws {
    let reason = try Self.reason(Self.objects, from: ["app/new", "app/new2", "app/done"], to: nil)
    #expect(
      reason == "app/new sends and receives nothing: it has no address yet, and 2 more pods can't be asked either; "
        + "ask when it has one, or name another pod [NPL-703]")
  }

  @Test("on one machine nobody is there to ask, and without an end nothing is asked") func oneMachine() throws {
    let agent = podText("app/agent", on: "node1", spec: "hostNetwork: true")
    #expect(
      try Self.reason(agent, from: ["app/agent"], to: nil)
        == "there is nobody else whom app/agent could reach or hear; add a pod, a node, or an external host [NPL-712]")
    let cluster = try readWorld(agent)
    #expect(NoFlow(ProbePlan.Selection(), in: cluster, Topology(cluster)) == nil)
  }

  @Test("one pod of several that is in the lab is enough") func someAreThere() throws {
    let cluster = try readWorld(Self.objects)
    var selection = ProbePlan.Selection()
    selection.sources = [.pod(PodID("app", "new")), .pod(PodID("app", "web"))]
    selection.destinations = [.node("node2")]
    selection.ports = [.question(.echo)]
    let plan = ProbePlan(cluster, Topology(cluster), only: selection)
    #expect(plan.flows.map { "\($0.source) \($0.question)" } == ["app/web ICMP"])
  }
}
