// Not covered: when a controller writes its slices. These tests only check what is in them.
import Manifests
import NetpolModel
import Testing

@Suite struct DerivedSliceTests {
  private func pod(
    _ name: String, ip: String, status: String = "phase: Running", metadata: String = "", spec: String = "",
    ports: String = "{name: http, containerPort: 8080}"
  ) -> String {
    """
    apiVersion: v1
    kind: Pod
    metadata: {name: \(name), labels: {app: web}\(metadata)}
    spec: {nodeName: n1, containers: [{name: c, ports: [\(ports)]}]\(spec)}
    status: {\(status), podIP: "\(ip)"}
    ---

    """
  }
  private func slices(_ service: String, _ pods: String...) throws -> [EndpointSlice] {
    try read(serviceText(service, metadata: "name: web") + pods.joined()).cluster.endpointSlices
  }
  /// `address ready serving`, grouped by slice.
  private func members(_ slices: [EndpointSlice]) -> [[String]] {
    slices.map { $0.members.map { "\($0.address) \($0.isReady) \($0.isServing)" } }
  }
  private let spec = "{selector: {app: web}, ports: [{port: 80, targetPort: http}]}"

  @Test("members are the selected pods, sorted by address, with node and pod")
  func members() throws {
    let slices = try slices(
      spec, pod("b", ip: "10.42.0.4"), pod("a", ip: "10.42.0.12"), podText("other", ip: "10.42.0.3"))
    #expect(
      slices == [
        EndpointSlice(
          id: NamespacedName("default", "web-ipv4-0"), service: "web", family: .v4,
          ports: [.init(transport: .tcp, port: 8080)],
          members: [
            .init(try address("10.42.0.4"), node: "n1", pod: PodID("default", "b")),
            .init(try address("10.42.0.12"), node: "n1", pod: PodID("default", "a")),
          ])
      ])
  }

  @Test(
    "a member is ready if its pod is, or if the Service publishes all addresses",
    arguments: [
      ("phase: Running", "", "true true", "true true"),
      ("phase: Running, conditions: [{type: Ready, status: \"True\"}]", "", "true true", "true true"),
      ("phase: Running, conditions: [{type: Ready, status: \"False\"}]", "", "false false", "true false"),
      ("phase: Running, conditions: [{type: Ready, status: Unknown}]", "", "false false", "true false"),
      ("phase: Pending", "", "false false", "true false"),
      ("phase: Running", ", deletionTimestamp: \"2024-05-01T10:00:00Z\"", "false true", "true true"),
      ("phase: Succeeded", "", nil, nil), ("phase: Failed", "", nil, nil),
    ] as [(String, String, String?, String?)])
  func readiness(status: String, metadata: String, usual: String?, published: String?) throws {
    let pod = pod("a", ip: "10.42.0.4", status: status, metadata: metadata)
    let all = spec.replacing("ports:", with: "publishNotReadyAddresses: true, ports:")
    #expect(members(try slices(spec, pod)) == (usual.map { [["10.42.0.4 \($0)"]] } ?? []))
    #expect(members(try slices(all, pod)) == (published.map { [["10.42.0.4 \($0)"]] } ?? []))
  }

  @Test("pods with different port numbers get separate slices, and pods without the port get none")
  func namedPorts() throws {
    let slices = try slices(
      "{selector: {app: web}, ports: [{name: w, port: 80, targetPort: http}, {name: m, port: 9, targetPort: metrics}]}",
      pod("a", ip: "10.42.0.2"), pod("b", ip: "10.42.0.3", ports: "{name: http, containerPort: 80}"),
      pod("c", ip: "10.42.0.4"), pod("d", ip: "10.42.0.5", ports: "{name: http, containerPort: 8080, protocol: UDP}"),
      pod("e", ip: "10.42.0.6", ports: "{name: http, containerPort: 8080}, {name: metrics, containerPort: 9100}"))
    let shown = slices.map { slice in
      "\(slice.id.name) \(slice.ports.map { "\($0.name ?? "-")=\($0.port)" }) \(slice.members.compactMap(\.pod?.name))"
    }
    #expect(
      shown == [
        "web-ipv4-0 [\"w=8080\"] [\"a\", \"c\"]", "web-ipv4-1 [\"w=80\"] [\"b\"]",
        "web-ipv4-2 [\"w=8080\", \"m=9100\"] [\"e\"]",
      ])
  }

  @Test("a named target port is looked up in containers first, then in sidecars")
  func sidecars() throws {
    func sidecar(_ port: String) -> String {
      ", initContainers: [{name: s, restartPolicy: Always, ports: [\(port)]}, {name: i, ports: [{name: http, containerPort: 1}]}]"
    }
    let alone = pod(
      "a", ip: "10.42.0.2", spec: sidecar("{name: http, containerPort: 9090}"), ports: "{containerPort: 8080}")
    let both = pod("a", ip: "10.42.0.2", spec: sidecar("{name: http, containerPort: 9090}"))
    #expect(try slices(spec, alone).flatMap(\.ports).map(\.port) == [9090])
    #expect(try slices(spec, both).flatMap(\.ports).map(\.port) == [8080])
  }

  @Test("a host-network pod's member has its node's address")
  func hostNetwork() throws {
    let node =
      "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\nstatus: {addresses: [{type: InternalIP, address: 10.0.0.4}]}\n---\n"
    let given = pod("a", ip: "10.9.9.9", spec: ", hostNetwork: true")
    let placed =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: b, labels: {app: web}}\nspec: {hostNetwork: true, nodeName: n1, containers: [{name: c}]}"
    let number = "{selector: {app: web}, ports: [{port: 80}]}"
    #expect(members(try slices(number, node, given)) == [["10.0.0.4 true true"]])
    #expect(members(try slices(number, node, placed)) == [["10.0.0.4 true true"]])
  }

  @Test(
    "a Service without selector, matching pods or target port has no slices",
    arguments: [
      "{ports: [{port: 80}]}", "{selector: {}, ports: [{port: 80}]}",
      "{type: ExternalName, externalName: a.b, selector: {app: web}, ports: [{port: 80}]}",
      "{selector: {app: none}, ports: [{port: 80}]}", "{selector: {app: web}, ports: [{port: 80, targetPort: nobody}]}",
    ])
  func none(spec: String) throws {
    #expect(try slices(spec, pod("a", ip: "10.42.0.2")).isEmpty)
  }

  @Test("the kubernetes Service has only the slices in the manifests")
  func kubernetes() throws {
    let service = serviceText(
      "{clusterIP: 10.43.0.1, ports: [{port: 443, targetPort: 6443}]}", metadata: "name: kubernetes")
    #expect(try read(service).cluster.endpointSlices.isEmpty)
    let slice =
      "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: kubernetes, labels: {kubernetes.io/service-name: kubernetes}}\naddressType: IPv4\nports: [{port: 6443}]\nendpoints: [{addresses: [172.30.0.11]}]"
    let cluster = try read(service + slice).cluster
    #expect(cluster.slices(of: NamespacedName("default", "kubernetes")).flatMap(\.members).count == 1)
  }

  @Test("a dual-stack Service has a slice per family, with the pods that have an address in it")
  func dualStack() throws {
    let pods = pod("a", ip: "10.42.0.2") + pod("b", ip: "fd00::2")
    let ranges = "apiVersion: netpol-lab/v1alpha1\nkind: Cluster\nserviceCIDRs: [10.43.0.0/16, \"fd43::/112\"]\n"
    let dual = "{ipFamilyPolicy: PreferDualStack, clusterIP: None, selector: {app: web}, ports: [{port: 80}]}"
    let slices = try slices(dual, pods, ranges)
    #expect(
      slices.map { "\($0.id.name) \($0.members.compactMap(\.pod?.name))" } == [
        "web-ipv4-0 [\"a\"]", "web-ipv6-0 [\"b\"]",
      ])
  }
}
