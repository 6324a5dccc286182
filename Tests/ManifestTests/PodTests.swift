// Not covered: whether a real scheduler or network plugin would choose the same. These tests check the documented
// choice.
import Manifests
import NetpolModel
import Testing

@Suite struct PodTests {
  private func pod(status: String, validation: Validation = .apiServer) throws -> Pod {
    let text =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {nodeName: n1, containers: [{name: c}]}\nstatus: \(status)"
    return try #require(try read(text, options: ReadOptions(validation: validation)).cluster.pods.first)
  }

  @Test(
    "a pod with a status is read as it is",
    arguments: [
      ("{phase: Pending}", PodPhase.pending, [String](), nil as String?),
      ("{podIP: 10.0.0.1}", .pending, ["10.0.0.1"], nil),
      (
        "{phase: Succeeded, podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}, {ip: \"fd00::1\"}]}", .succeeded,
        ["10.0.0.1", "fd00::1"], nil
      ),
      ("{phase: Running, podIP: \"\", hostIP: 192.168.0.1}", .running, [], "192.168.0.1"),
      ("{phase: Running, podIPs: [{ip: 10.0.0.1}]}", .running, ["10.0.0.1"], nil),
      ("{phase: Running, podIP: 10.0.0.2, podIPs: [{ip: 10.0.0.1}]}", .running, ["10.0.0.2"], nil),
      ("{phase: Unknown, conditions: []}", .unknown, [], nil),
    ])
  func status(status: String, phase: PodPhase, addresses: [String], host: String?) throws {
    let pod = try pod(status: status)
    #expect(pod.phase == phase)
    #expect(pod.podIPs.map(\.description) == addresses)
    #expect(pod.podIP == pod.podIPs.first)
    #expect(pod.hostIP?.description == host)
  }

  @Test("podIP fills podIPs and wins if the two differ, stored or not", arguments: Validation.allCases)
  func podIP(validation: Validation) throws {
    for given in ["", ", podIPs: [{ip: 10.0.0.1}]", ", podIPs: [{ip: 10.0.0.2}]"] {
      let pod = try pod(status: "{phase: Running, podIP: 10.0.0.1\(given)}", validation: validation)
      #expect(pod.podIP == (try address("10.0.0.1")))
      #expect(pod.podIPs == [try address("10.0.0.1")])
    }
    let pod = try pod(status: "{phase: Running, podIPs: [{ip: 10.0.0.1}]}", validation: validation)
    #expect(pod.podIP == (try address("10.0.0.1")))
  }

  @Test("a status without phase and addresses counts as no status", arguments: ["{}", "null", "{conditions: []}"])
  func noStatus(status: String) throws {
    let pod = try pod(status: status)
    #expect(pod.phase == .running)
    #expect(pod.podIPs == [try address("10.42.0.2")])
    #expect(pod.hostIP == (try address("172.30.0.11")))
  }

  @Test(
    "a pod is ready unless its condition says otherwise or it is pending",
    arguments: [
      ("{}", true), ("{phase: Running}", true), ("{phase: Pending}", false), ("{podIP: 10.0.0.1}", false),
      ("{phase: Running, conditions: [{type: Ready, status: \"False\"}]}", false),
      ("{phase: Running, conditions: [{type: Ready, status: \"True\"}]}", true),
      ("{phase: Running, conditions: [{type: ContainersReady, status: \"False\"}, {type: Ready}]}", true),
      ("{conditions: [{type: Ready, status: \"False\"}]}", false),
    ])
  func readiness(status: String, isReady: Bool) throws {
    #expect(try pod(status: status).isReady == isReady)
  }

  @Test(
    "rejects a status that no API server would store",
    arguments: [
      (
        "{phase: Started}",
        "status.phase: unknown phase \"Started\"; write Pending, Running, Succeeded, Failed, Unknown"
      ),
      ("{podIP: 10.0.0}", "status.podIP: \"10.0.0\" is not an IP address; write one such as 10.42.0.5 or fd00::5"),
      (
        "{podIPs: [{ip: x}]}", "status.podIPs[0].ip: \"x\" is not an IP address; write one such as 10.42.0.5 or fd00::5"
      ),
      ("{hostIP: 1}", "status.hostIP: expected a string, found the number 1; write \"1\" with the quotes"),
    ])
  func badStatus(status: String, line: String) {
    let text =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {nodeName: n1, containers: [{name: c}]}\nstatus: \(status)"
    #expect(refusal(text) == "a.yaml:5: Pod default/a: \(line)")
  }

  @Test("reads the containers' ports, which are TCP by default")
  func ports() throws {
    let reading = try read(
      """
      apiVersion: v1
      kind: Pod
      metadata: {name: a}
      spec:
        initContainers: [{name: i, ports: [{containerPort: 1}]}]
        containers:
        - {name: c, ports: [{containerPort: 80, name: http}, {containerPort: 53, protocol: UDP}]}
        - {name: d}
      """)
    #expect(
      reading.pod("default/a")?.ports
        == [ContainerPort(name: "http", number: 80), ContainerPort(number: 53, transport: .udp)])
  }

  @Test("reads the ports of sidecars after those of containers, but not of init containers that end")
  func sidecarPorts() throws {
    let spec = """
      {initContainers: [
        {name: proxy, restartPolicy: Always, ports: [{containerPort: 9090, name: metrics}]},
        {name: once, restartPolicy: OnFailure, ports: [{containerPort: 2}]},
        {name: i, ports: [{containerPort: 1}]}],
        containers: [{name: c, ports: [{containerPort: 80, name: http}]}]}
      """
    let template = "{metadata: {labels: {a: b}}, spec: \(spec)}"
    let reading = try read(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: \(spec)",
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n"
        + "spec: {selector: {matchLabels: {a: b}}, template: \(template)}")
    for pod in ["default/a", "default/d-0"] {
      #expect(
        reading.pod(pod)?.ports == [
          ContainerPort(name: "http", number: 80), ContainerPort(name: "metrics", number: 9090, isOfSidecar: true),
        ])
    }
    #expect(reading.pod("default/a")?.numbers(named: "metrics", .tcp) == [9090])
  }

  @Test("rejects an invalid port of a sidecar, and names it")
  func badSidecarPort() {
    let sidecar = "{name: s, restartPolicy: Always, ports: [{containerPort: 0}]}"
    let text =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c}], initContainers: [\(sidecar)]}"
    #expect(
      refusal(text)
        == "a.yaml:4: Pod default/a: spec.initContainers[0].ports[0].containerPort: 0 is not a port; give a number from 1 to 65535"
    )
  }

  @Test("a pod that has ended has no address that another machine could not have")
  func endedAddress() throws {
    let ended = podText("old", node: "n1", ip: "192.168.0.7").replacing("Running", with: "Succeeded")
    let node =
      "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\nstatus: {addresses: [{type: InternalIP, address: 192.168.0.7}]}"
    #expect(refusal(ended, node) == "accepted")
    #expect(refusal(ended.replacing("Succeeded", with: "Running"), node) != "accepted")
  }

  @Test(
    "rejects invalid container ports",
    arguments: [
      (
        "{containerPort: 70000}",
        "spec.containers[0].ports[0].containerPort: 70000 is not a port; give a number from 1 to 65535"
      ),
      ("{name: http}", "spec.containers[0].ports[0].containerPort: is missing; give a number from 1 to 65535"),
      (
        "{containerPort: 80, protocol: http}",
        "spec.containers[0].ports[0].protocol: unknown protocol \"http\"; write TCP, UDP or SCTP"
      ),
      (
        "{containerPort: 80, name: HTTP}",
        "spec.containers[0].ports[0].name: \"HTTP\" is not a valid port name; use at most 15 of a-z, 0-9 and single inner '-', with at least one letter"
      ),
    ])
  func badPort(port: String, line: String) {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, ports: [\(port)]}]}"
    #expect(refusal(text) == "a.yaml:4: Pod default/a: \(line)")
  }

  @Test("addresses are assigned by namespace and name, and never one that a status has")
  func addresses() throws {
    let reading = try read(
      podText("b", node: "n1") + podText("a", node: "n1") + podText("z", namespace: "alpha", node: "n1")
        + podText("s", node: "n1", ip: "10.42.7.3"))
    #expect(reading.cluster.nodes.map(\.podCIDRs) == [[try cidr("10.42.7.0/24")]])
    #expect(
      reading.cluster.pods.map { "\($0.id) \($0.podIPs.map(\.description))" } == [
        "alpha/z [\"10.42.7.2\"]", "default/a [\"10.42.7.4\"]", "default/b [\"10.42.7.5\"]",
        "default/s [\"10.42.7.3\"]",
      ])
  }

  @Test("unscheduled pods are distributed round-robin, and a hostname selector picks its node")
  func roundRobin() throws {
    let reading = try read(
      ["a", "b", "c", "d"].map { podText($0) }.joined() + podText("fixed", node: "n2") + podText("other", node: "n1")
        + "apiVersion: v1\nkind: Pod\nmetadata: {name: aa}\nspec: {nodeSelector: {kubernetes.io/hostname: n2}, containers: [{name: c}]}"
    )
    let nodes = reading.cluster.pods.map { "\($0.id.name) \($0.node ?? "-")" }
    #expect(nodes == ["a n1", "aa n2", "b n2", "c n1", "d n2", "fixed n2", "other n1"])
  }

  @Test("a pod whose status has an address but no node is placed where the address belongs")
  func homeless() throws {
    let reading = try read(
      podText("a", ip: "10.42.1.9") + podText("b", ip: "10.1.1.1", more: ", hostIP: 192.168.0.2")
        + "apiVersion: v1\nkind: Pod\nmetadata: {name: c}\nspec: {containers: [{name: c}]}\nstatus: {phase: Pending}",
      """
      apiVersion: netpol-lab/v1alpha1
      kind: Cluster
      nodes:
      - {name: n0, podCIDRs: [10.42.0.0/24]}
      - {name: n1, podCIDRs: [10.42.1.0/24]}
      - {name: n2, addresses: [192.168.0.2]}
      """)
    #expect(reading.cluster.pods.map(\.node) == ["n1", "n2", nil])
  }

  @Test("a host-network pod has its node's addresses")
  func hostNetwork() throws {
    let reading = try read(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {hostNetwork: true, containers: [{name: c}]}",
      "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\nstatus: {addresses: [{type: Hostname, address: n1}, {type: ExternalIP, address: 1.2.3.4}, {type: InternalIP, address: 10.0.0.4}, {type: InternalIP, address: \"fd00::4\"}]}"
    )
    #expect(reading.cluster.nodes.first?.addresses.map(\.description) == ["10.0.0.4", "fd00::4", "1.2.3.4"])
    #expect(reading.pod("default/a")?.podIPs.map(\.description) == ["10.0.0.4", "fd00::4"])
    #expect(reading.pod("default/a")?.hostIP == (try address("10.0.0.4")))
  }

  @Test("a /24 has addresses for 253 pods, and the 254th pod is an error")
  func exhaustion() throws {
    func pods(_ count: Int) -> String { (1...count).map { podText("p\($0)", node: "n1") }.joined() }
    let last = try read(pods(253)).cluster.pods.map(\.podIPs)
    #expect(Set(last).count == 253)
    #expect(
      refusal(pods(254)).hasSuffix(
        "Pod default/p99: no address is left in 10.42.0.0/24 of node n1; give the node wider podCIDRs in a Cluster document"
      ))
  }
}
