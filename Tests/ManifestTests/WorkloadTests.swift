// Not covered: the names of pods in a real cluster. The random suffixes of controllers are left out on purpose.
import Manifests
import NetpolModel
import Testing

@Suite struct WorkloadTests {
  private func workload(
    _ kind: String, _ spec: String = "", name: String = "web", pod: String = "containers: [{name: c}]"
  ) -> String {
    let version = ["ReplicationController": "v1", "Job": "batch/v1"][kind] ?? "apps/v1"
    let selector = version == "apps/v1" ? "selector: {matchLabels: {app: \(name)}}" : ""
    let pod = kind == "Job" ? "restartPolicy: Never, \(pod)" : pod
    return """
      apiVersion: \(version)
      kind: \(kind)
      metadata: {name: \(name), namespace: shop}
      spec:
        \(spec)
        \(selector)
        template: {metadata: {labels: {app: \(name)}}, spec: {\(pod)}}
      ---

      """
  }

  private func names(_ texts: String..., cap: Int = 2) throws -> [String] {
    let sources = texts.map { ManifestSource(name: "a.yaml", text: $0) }
    return try readManifests(sources, options: ReadOptions(maxReplicas: cap)).cluster.pods.map(\.id.name)
  }

  @Test(
    "a workload gets the pods that it asks for, up to the cap",
    arguments: [
      ("Deployment", "", ["web-0"]), ("Deployment", "replicas: 0", []),
      ("Deployment", "replicas: 2", ["web-0", "web-1"]),
      ("Deployment", "replicas: 50", ["web-0", "web-1"]), ("StatefulSet", "replicas: 3", ["web-0", "web-1"]),
      ("ReplicaSet", "replicas: 1", ["web-0"]), ("ReplicationController", "replicas: 2", ["web-0", "web-1"]),
      ("Job", "", ["web-0"]), ("Job", "parallelism: 9", ["web-0", "web-1"]),
      ("Job", "{parallelism: 9, completions: 1}", ["web-0"]),
      ("Job", "suspend: true", []), ("DaemonSet", "", ["web-node1"]),
    ])
  func replicas(kind: String, spec: String, names expected: [String]) throws {
    let fields =
      spec.hasPrefix("{") ? String(spec.dropFirst().dropLast()).split(separator: ", ").joined(separator: "\n  ") : spec
    #expect(try names(workload(kind, fields)) == expected)
  }

  @Test("the caller can set the cap, and a note names workloads that have more")
  func cap() throws {
    #expect(try names(workload("Deployment", "replicas: 50"), cap: 5).count == 5)
    #expect(
      try read(workload("Deployment", "replicas: 50")).texts.contains(
        "1 workload expanded to 2 pods, at most 2 each; DaemonSets get one per node; --max-replicas gives more to Deployment shop/web 50"
      ))
  }

  @Test("the pods of a StatefulSet are numbered from its first ordinal on")
  func ordinals() throws {
    let reading = try read(workload("StatefulSet", "replicas: 2\n  ordinals: {start: 5}"))
    #expect(reading.cluster.pods.map(\.id.name) == ["web-5", "web-6"])
    #expect(reading.pod("shop/web-6")?.labels["apps.kubernetes.io/pod-index"] == "6")
  }

  @Test(
    "a Job that has ended has no pods",
    arguments: [
      ("{}", ["web-0"]), ("{completionTime: \"2024-05-01T10:00:00Z\"}", []),
      ("{conditions: [{type: Failed, status: \"True\"}]}", []),
      ("{conditions: [{type: Complete, status: \"True\"}]}", []),
      ("{conditions: [{type: Failed, status: \"False\"}, {type: Suspended, status: \"True\"}]}", ["web-0"]),
    ])
  func endedJob(status: String, names expected: [String]) throws {
    #expect(try names(workload("Job").replacing("---\n", with: "status: \(status)\n---\n")) == expected)
  }

  @Test("a DaemonSet has a pod on every node, or on one with a hostname selector")
  func daemonSet() throws {
    let nodes = podText("p", node: "n1", ip: "10.42.0.2") + podText("q", node: "n2", ip: "10.42.1.2")
    #expect(try names(nodes, workload("DaemonSet", name: "agent")) == ["p", "q", "agent-n1", "agent-n2"])
    let pinned = workload(
      "DaemonSet", name: "agent", pod: "nodeSelector: {kubernetes.io/hostname: n2}, containers: [{name: c}]")
    #expect(try names(nodes, pinned) == ["p", "q", "agent-n2"])
  }

  @Test("a DaemonSet's nodeSelector chooses among nodes whose labels are known")
  func nodeSelector() throws {
    let node = { (name: String, labels: String) in
      "apiVersion: v1\nkind: Node\nmetadata: {name: \(name), labels: {\(labels)}}\n---\n"
    }
    let agents = { (selector: String) in
      workload("DaemonSet", name: "agent", pod: "nodeSelector: {\(selector)}, containers: [{name: c}]")
    }
    let nodes = node("n1", "rack: a") + node("n2", "rack: b") + node("n3", "")
    #expect(try names(nodes, agents("rack: a")) == ["agent-n1", "agent-n3"])
    #expect(try names(nodes, agents("kubernetes.io/os: linux")) == ["agent-n1", "agent-n2", "agent-n3"])
  }

  @Test("a CronJob has the pods of its job template, unless it is suspended")
  func cronJob() throws {
    let text =
      "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: cron}\nspec: {schedule: \"0 3 * * *\", jobTemplate: {spec: {template: {metadata: {labels: {a: b}}, spec: {restartPolicy: Never, containers: [{name: c}]}}}}}"
    #expect(try names(text) == ["cron-0"])
    let suspended = try read(text.replacing("spec: {schedule", with: "spec: {suspend: true, schedule"))
    #expect(suspended.cluster.pods.isEmpty)
    #expect(suspended.texts.contains("suspended, so without pods: CronJob default/cron"))
  }

  @Test("a template's labels, ports, node and host network are applied to its pods")
  func template() throws {
    let reading = try read(
      workload(
        "StatefulSet", "replicas: 2",
        pod: "nodeName: n7, hostNetwork: true, containers: [{name: c, ports: [{containerPort: 80}]}]"))
    let pod = try #require(reading.pod("shop/web-1"))
    #expect(
      pod.labels
        == ["app": "web", "statefulset.kubernetes.io/pod-name": "web-1", "apps.kubernetes.io/pod-index": "1"])
    #expect(pod.node == "n7" && pod.hostNetwork && pod.phase == .running)
    #expect(pod.ports == [ContainerPort(number: 80)])
    #expect(pod.location == SourceLocation(file: "a.yaml", line: 1))
    #expect(reading.texts.contains("1 workload expanded to 2 pods, at most 2 each; DaemonSets get one per node"))
  }

  @Test(
    "a workload whose pods are in the input is not expanded again",
    arguments: [
      ("Deployment", "ReplicaSet", "web-5d4f8b7c9"), ("StatefulSet", "StatefulSet", "web"),
      ("DaemonSet", "DaemonSet", "web"),
      ("Job", "Job", "web"), ("ReplicaSet", "ReplicaSet", "web"),
    ])
  func owned(kind: String, owner: String, name: String) throws {
    let pod =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: real, namespace: shop, ownerReferences: [{apiVersion: apps/v1, kind: \(owner), name: \(name), uid: u}]}\nspec: {containers: [{name: c}]}\n"
    let count = ["DaemonSet": "", "Job": "parallelism: 2"][kind] ?? "replicas: 2"
    #expect(try names(workload(kind, count), pod) == ["real"])
    #expect(try names(workload(kind, name: "web-5d4f8b7c9-x"), pod).count == 2)
  }

  @Test("a Deployment's ReplicaSet is not expanded as well")
  func replicaSet() throws {
    let text =
      "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: web-1, namespace: shop, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, uid: u}]}\nspec: {replicas: 2, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c}]}}}"
    #expect(try names(workload("Deployment"), text) == ["web-0"])
  }

  @Test("a name that is already used is skipped")
  func takenNames() throws {
    #expect(
      try names(podText("web-0", namespace: "shop"), workload("Deployment", "replicas: 2")) == [
        "web-0", "web-1", "web-2",
      ])
  }

  @Test("rejects a replica count that is negative or not a number")
  func badCount() {
    #expect(
      refusal(workload("Deployment", "replicas: -1"))
        == "a.yaml:5: Deployment shop/web: spec.replicas: -1 is below 0; give 0 or more")
    #expect(
      refusal(workload("Deployment", "replicas: \"2\""))
        == "a.yaml:5: Deployment shop/web: spec.replicas: expected an integer, found the string \"2\"; write 2 without quotes"
    )
  }
}
