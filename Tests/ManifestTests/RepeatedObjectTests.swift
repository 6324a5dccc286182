// Not covered: a Job that is finished in one copy only. The two differ in their number of pods.
import Manifests
import NetpolModel
import Testing

@Suite("An object that is given more than once") struct RepeatedObjectTests {
  /// An object of each kind: its version and kind, two different specs, and what the API server adds.
  static let kinds = [
    ("v1", "Pod", "spec: {containers: [{name: c}]}", "spec: {hostNetwork: true, containers: [{name: c}]}"),
    ("v1", "Node", "spec: {podCIDR: 10.42.1.0/24}", "spec: {podCIDR: 10.42.2.0/24}"),
    ("v1", "Service", "spec: {ports: [{port: 80}]}", "spec: {ports: [{port: 81}]}"),
    (
      "networking.k8s.io/v1", "NetworkPolicy", "spec: {podSelector: {}, ingress: [{ports: [{port: 80}]}]}",
      "spec: {podSelector: {}}"
    ),
    (
      "apps/v1", "Deployment",
      "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c}]}}}",
      "spec: {replicas: 2, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c}]}}}"
    ),
    (
      "discovery.k8s.io/v1", "EndpointSlice", "addressType: IPv4\nendpoints: [{addresses: [10.42.0.9]}]",
      "addressType: IPv4\nendpoints: [{addresses: [10.42.0.8]}]"
    ),
  ]

  private func object(_ version: String, _ kind: String, _ rest: String, metadata: String = "") -> String {
    let labels = kind == "EndpointSlice" ? ", labels: {kubernetes.io/service-name: s}" : ""
    return "apiVersion: \(version)\nkind: \(kind)\nmetadata: {name: x\(labels)\(metadata)}\n\(rest)\n---\n"
  }

  private func warnings(_ reading: ManifestReading) -> [String] {
    reading.notes.filter { $0.severity == .warning }.map(\.text).filter { $0.hasPrefix("given more than once") }
  }

  @Test("equal objects are one, whatever the API server added", arguments: kinds)
  func equal(version: String, kind: String, spec: String, other: String) throws {
    let server =
      ", uid: u, resourceVersion: \"7\", generation: 3, creationTimestamp: \"2024-05-01T10:00:00Z\", managedFields: [{manager: kubectl}], annotations: {kubectl.kubernetes.io/last-applied-configuration: \"{}\"}"
    let once = try read(object(version, kind, spec)).cluster
    let twice = try read(object(version, kind, spec), object(version, kind, spec, metadata: server))
    #expect(warnings(twice).isEmpty)
    #expect(twice.cluster.pods.map(\.id) == once.pods.map(\.id))
    #expect(twice.cluster.policies.count == once.policies.count)
    #expect(twice.cluster.services.count == once.services.count)
    #expect(twice.cluster.endpointSlices == once.endpointSlices)
    #expect(twice.objectCount == 2)
  }

  @Test("of different objects with one name the last counts, and a warning names both places", arguments: kinds)
  func different(version: String, kind: String, spec: String, other: String) throws {
    let reading = try read(object(version, kind, spec), object(version, kind, other))
    let name = kind == "Node" ? "x" : "default/x"
    #expect(
      warnings(reading) == [
        "given more than once with different contents, the last counts as with kubectl apply: \(kind) \(name) (a.yaml:1, b.yaml:1)"
      ])
    let alone = try read(object(version, kind, other)).cluster
    #expect(alone.unlocated == reading.cluster.unlocated)
  }

  @Test("equal policies may be written differently")
  func decoded() throws {
    let reading = try read(
      policyText("{podSelector: {}, policyTypes: [Ingress], ingress: [{ports: [{port: 80, protocol: TCP}]}]}"),
      policyText("\n  ingress:\n  - ports:\n    - port: 80\n  podSelector: {matchLabels: {}}"))
    #expect(warnings(reading).isEmpty && reading.cluster.policies.count == 1)
  }

  @Test("a manifest after the object of a cluster leaves its node and addresses")
  func status() throws {
    let manifest = object("v1", "Pod", "spec: {containers: [{name: c}]}")
    let stored = object(
      "v1", "Pod",
      "spec: {nodeName: n7, containers: [{name: c}]}\nstatus: {phase: Running, podIP: 10.42.7.7, hostIP: 10.0.0.7}")
    for texts in [(manifest, stored), (stored, manifest)] {
      let reading = try read(texts.0, texts.1)
      #expect(warnings(reading).isEmpty)
      let pod = try #require(reading.pod("default/x"))
      #expect(pod.node == "n7" && pod.podIPs.map(\.description) == ["10.42.7.7"])
    }
  }

  @Test("a must-gather tree, with each pod in a list and in a file of its own, is read")
  func mustGather() throws {
    let pod =
      "metadata: {name: web, namespace: shop, uid: u}, spec: {nodeName: n1, containers: [{name: c}]}, status: {podIP: 10.42.0.5, phase: PHASE}"
    let reading = try readManifests([
      ManifestSource(
        name: "core/pods.yaml",
        text: "apiVersion: v1\nkind: PodList\nitems: [{\(pod.replacing("PHASE", with: "Pending"))}]",
        fromDirectory: true),
      ManifestSource(
        name: "pods/web/web.yaml", text: "{apiVersion: v1, kind: Pod, \(pod.replacing("PHASE", with: "Running"))}",
        fromDirectory: true),
    ])
    #expect(warnings(reading).isEmpty)
    #expect(reading.cluster.pods.map(\.phase) == [.running])
  }

  @Test("the later state of a stored object counts, wherever it stands, and a warning names both places if they differ")
  func revisions() throws {
    func stored(_ version: Int, _ address: String, uid: String = "u") -> String {
      object(
        "v1", "Pod", "spec: {nodeName: n1, containers: [{name: c}]}\nstatus: {phase: Running, podIP: \(address)}",
        metadata: ", uid: \(uid), resourceVersion: \"\(version)\"")
    }
    let cases = [
      (stored(9, "10.42.0.9"), stored(10, "10.42.0.10"), "10.42.0.10", "the highest resourceVersion counts"),
      (stored(10, "10.42.0.10"), stored(9, "10.42.0.9"), "10.42.0.10", "the highest resourceVersion counts"),
      // Another pod with the same name.
      (
        stored(10, "10.42.0.10"), stored(9, "10.42.0.9", uid: "v"), "10.42.0.9", "the last counts as with kubectl apply"
      ),
    ]
    for (first, last, address, rule) in cases {
      let reading = try read(first, last)
      #expect(reading.pod("default/x")?.podIPs.map(\.description) == [address])
      #expect(
        warnings(reading) == [
          "given more than once with different contents, \(rule): Pod default/x (a.yaml:1, b.yaml:1)"
        ])
    }
    #expect(try warnings(read(stored(10, "10.42.0.9"), stored(9, "10.42.0.9"))).isEmpty)
  }

  @Test("one warning tells many")
  func many() throws {
    let specs = ["{podSelector: {}}", "{podSelector: {matchLabels: {a: b}}}"]
    let text = (0..<1000).map { number in
      policyText(specs[number % 2]).replacing("name: web", with: "name: p\(number / 4)") + "\n---\n"
    }.joined()
    let found = warnings(try read(text))
    #expect(found.count == 1)
    #expect(found.first?.hasSuffix("p2 (a.yaml:41, 2 more, a.yaml:56) and 247 more") == true, "\(found)")
  }

  @Test("only the last of several objects has its features named")
  func features() throws {
    let pod = "spec: {containers: [{name: c, image: kube-router}]}"
    let notes = { (texts: [String]) in
      try read(texts[0], texts[1]).texts.filter { $0.contains("IPVS") }
    }
    let plain = object("v1", "Pod", "spec: {containers: [{name: c}]}")
    #expect(
      try notes([object("v1", "Pod", pod), object("v1", "Pod", pod)]) == [
        "a service proxy with IPVS is not modelled, and no verdict covers it: Pod default/x"
      ])
    #expect(try notes([object("v1", "Pod", pod), plain]).isEmpty)
  }
}
