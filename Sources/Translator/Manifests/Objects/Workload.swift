internal import NetpolModel

/// An object whose controller creates pods from a template.
struct Workload {
  enum Count: Hashable {
    case copies(Int)
    case onePerNode
  }

  let kind: String
  let id: NamespacedName
  let location: SourceLocation
  let count: Count
  let labels: Labels
  let spec: PodSpec
  /// Whether the workload is in a file that a variant adds.
  var isAdded = false

  init(_ object: ManifestObject, _ validation: Validation) throws(ManifestError) {
    kind = object.kind
    id = try object.id(validation)
    location = object.location
    var spec = try object.root["spec"]?.fields()
    if kind == "CronJob" { spec = try spec?["jobTemplate"]?.fields()["spec"]?.fields() }
    let template = try spec?["template"]?.fields()
    labels = try template?["metadata"]?.fields()["labels"]?.labels(validation) ?? [:]
    self.spec = try PodSpec(template?["spec"], validation)
    if validation == .apiServer { try object.checkSelector(spec, template: labels) }
    switch kind {
    case "DaemonSet": count = .onePerNode
    case "Job", "CronJob":
      let parallelism = try Self.replicas(spec?["parallelism"])
      let completions = try spec?["completions"].map { (field) throws(ManifestError) in try Self.replicas(field) }
      let isSuspended = try spec?["suspend"]?.bool() ?? false
      // A Job that has failed has no completionTime.
      let status = try object.root["status"]?.fields()
      let hasFailed = try status?.condition("Failed") ?? false
      let isOver = hasFailed || status?["completionTime"] != nil
      count = .copies(isSuspended || isOver ? 0 : min(parallelism, completions ?? parallelism))
    default: count = .copies(try Self.replicas(spec?["replicas"]))
    }
  }

  private static func replicas(_ field: Field?) throws(ManifestError) -> Int {
    guard let field else { return 1 }
    let count = try field.integer()
    guard count >= 0 else { throw field.error("\(count) is below 0", "give 0 or more") }
    return count
  }

  /// The pods, named `<workload>-<index>`, or `<workload>-<node>` if there is one per node. Skips names in `taken` and
  /// adds the new ones to it.
  func pods(atMost cap: Int, nodes: [String], taken: inout Set<PodID>) -> [PodManifest] {
    switch count {
    case .onePerNode:
      let wanted = spec.nodeName ?? spec.hostname.flatMap { nodes.contains($0) ? $0 : nil }
      return (wanted.map { [$0] } ?? nodes).compactMap { node in
        let id = PodID(self.id.namespace, "\(self.id.name)-\(node)")
        return taken.insert(id).inserted ? pod(id, node: node, index: 0) : nil
      }
    case .copies(let copies):
      var pods: [PodManifest] = []
      var index = 0
      while pods.count < min(copies, max(cap, 0)) {
        let id = PodID(self.id.namespace, "\(self.id.name)-\(index)")
        if taken.insert(id).inserted { pods.append(pod(id, node: spec.nodeName, index: index)) }
        index += 1
      }
      return pods
    }
  }

  private func pod(_ id: PodID, node: String?, index: Int) -> PodManifest {
    var labels = labels
    // Labels that the controllers add and that a policy author can predict. Hashes that other controllers add are
    // unpredictable.
    switch kind {
    case "StatefulSet":
      labels["statefulset.kubernetes.io/pod-name"] = id.name
      labels["apps.kubernetes.io/pod-index"] = "\(index)"
    case "Job":
      labels["job-name"] = self.id.name
      labels["batch.kubernetes.io/job-name"] = self.id.name
    default: break
    }
    var pod = Pod(
      id: id, labels: labels, node: node, hostNetwork: spec.hostNetwork, ports: spec.ports, location: location)
    pod.owner = Pod.Workload(kind: kind, name: self.id.name)
    var manifest = PodManifest(pod, hostname: spec.hostname)
    manifest.isAdded = isAdded
    return manifest
  }
}
