internal import NetpolModel

/// An object whose controller creates pods from a template.
struct Workload {
  enum Count: Hashable {
    case copies(Int)
    case onePerNode
  }

  /// The kind as users write it when they ask for the pods.
  let kind: String
  /// Empty for the API's own kinds.
  let group: String
  let id: NamespacedName
  let location: SourceLocation
  let owners: [Pod.Workload]
  let controller: Pod.Workload?
  private(set) var count: Count
  private(set) var labels: Labels
  private(set) var spec: PodSpec
  /// The number of the first pod: `spec.ordinals.start` of a StatefulSet.
  let firstOrdinal: Int
  /// Whether the object itself says how many pods it wants.
  let statesCount: Bool
  /// Whether a manifest of a VirtualMachine leaves its start to someone else. It counts as running then.
  let isHalted: Bool
  /// Whether a Job or a CronJob is suspended, so that it has no pods.
  let isSuspended: Bool
  /// The workload whose template this one takes.
  private(set) var reference: Pod.Workload?
  /// Whether the controller scales the referenced workload down to nothing.
  private(set) var scalesReferenceDown = false
  /// Whether the workload is in a file that a variant adds.
  var isAdded = false

  /// `source` is `nil` for the API's own kinds.
  init(_ object: ManifestObject, from source: PodSource? = nil, _ validation: Validation) throws(ManifestError) {
    kind = Self.kind(of: object)
    group = source == nil ? "" : object.group
    id = try object.id(validation)
    location = object.location
    owners = try object.owners()
    controller = try object.controller()
    var spec = try object.root["spec"]?.fields()
    if source == nil, kind == "CronJob" { spec = try spec?["jobTemplate"]?.fields()["spec"]?.fields() }
    let template = try spec?["template"]?.fields()
    labels = try template?["metadata"]?.fields()["labels"]?.labels(validation) ?? [:]
    if source == nil, validation == .apiServer {
      try object.checkSelector(spec, template: labels)
      try object.checkRestartPolicy(template)
    }
    statesCount = spec?["replicas"] != nil
    let ordinals = kind == "StatefulSet" && source == nil ? try spec?["ordinals"]?.fields() : nil
    firstOrdinal = try ordinals?["start"].map { (field) throws(ManifestError) in try Self.replicas(field) } ?? 0
    isSuspended = source == nil ? try object.root["spec"]?.fields()["suspend"]?.bool() ?? false : false
    isHalted =
      source == .machine
      && (spec?["running"]?.scalar == .bool(false) || spec?["runStrategy"]?.scalar == .string("Halted"))
    switch source {
    case nil, .template, .reference: self.spec = try PodSpec(template?["spec"], validation)
    case .machine: self.spec = try PodSpec(machine: try template?["spec"]?.fields(), validation)
    case .instance:
      self.spec = try PodSpec(machine: spec, validation)
      labels = try object.labels(validation)
    }
    count = isSuspended ? .copies(0) : try Self.count(kind, source, spec, object)
    if source == .reference, let fields = try spec?["workloadRef"]?.fields() {
      let name = try fields.required("name", "name the workload whose template it takes").string()
      reference = Pod.Workload(kind: try fields["kind"]?.string() ?? "Deployment", name: name)
      scalesReferenceDown = ["onsuccess", "progressively"].contains(try fields["scaleDown"]?.string())
    }
  }

  private static func count(_ kind: String, _ source: PodSource?, _ spec: Fields?, _ object: ManifestObject)
    throws(ManifestError) -> Count
  {
    switch (kind, source) {
    case ("DaemonSet", nil), ("DaemonSet", .template): return .onePerNode
    case ("Job", nil), ("CronJob", nil):
      let parallelism = try replicas(spec?["parallelism"])
      let completions = try spec?["completions"].map { (field) throws(ManifestError) in try replicas(field) }
      // A Job that has failed has no completionTime.
      let status = try object.root["status"]?.fields()
      let hasFailed = try status?.condition("Failed") ?? false
      let isComplete = try status?.condition("Complete") ?? false
      let isOver = hasFailed || isComplete || status?["completionTime"] != nil
      return .copies(isOver ? 0 : min(parallelism, completions ?? parallelism))
    case ("VirtualMachine", .machine):
      // A manifest may leave the start to someone else. The status of a machine in a cluster is a fact.
      let status = try object.root["status"]?.fields()["printableStatus"]?.string()
      return .copies(status == "Stopped" ? 0 : 1)
    case (_, .instance): return .copies(1)
    // Another project may mean something else by `replicas`.
    case (_, .template?) where spec?["replicas"]?.scalar == nil: return .copies(1)
    default: return .copies(try replicas(spec?["replicas"]))
    }
  }

  private static func replicas(_ field: Field?) throws(ManifestError) -> Int {
    guard let field else { return 1 }
    let count = try field.integer()
    guard count >= 0 else { throw field.error("\(count) is below 0", "give 0 or more") }
    return count
  }

  /// This workload with the template of the one that it refers to.
  func taking(templateOf other: Workload) -> Workload {
    var workload = self
    workload.labels = other.labels
    workload.spec = other.spec
    return workload
  }

  /// The pods, named `<workload>-<index>` from `firstOrdinal` on, or `<workload>-<node>` if there is one per node. Skips
  /// names in `taken` and adds the new ones to it.
  func pods(atMost cap: Int, nodes: [Node], taken: inout Set<PodID>) -> [PodManifest] {
    switch count {
    case .onePerNode:
      let names = nodes.map(\.name)
      let wanted = spec.nodeName ?? spec.hostname.flatMap { names.contains($0) ? $0 : nil }
      return (wanted.map { [$0] } ?? nodes.filter(spec.admits).map(\.name)).compactMap { node in
        let id = PodID(self.id.namespace, "\(self.id.name)-\(node)")
        return taken.insert(id).inserted ? pod(id, node: node, index: 0) : nil
      }
    case .copies(let copies):
      var pods: [PodManifest] = []
      var index = firstOrdinal
      while pods.count < min(copies, max(cap, 0)) {
        let id = PodID(self.id.namespace, "\(self.id.name)-\(index)")
        if taken.insert(id).inserted { pods.append(pod(id, node: spec.nodeName, index: index)) }
        index &+= 1
      }
      return pods
    }
  }

  private func pod(_ id: PodID, node: String?, index: Int) -> PodManifest {
    let labels = labels.merging(controllerLabels(of: id, index: index)) { _, added in added }
    var pod = Pod(
      id: id, labels: labels, node: node, hostNetwork: spec.hostNetwork, ports: spec.ports, location: location)
    pod.hostPorts = spec.hostPorts
    pod.mesh = spec.mesh
    pod.owner = Pod.Workload(kind: kind, name: self.id.name)
    var manifest = PodManifest(pod, hostname: spec.hostname)
    manifest.balancers = spec.balancers
    manifest.hasUnusableBalancer = spec.hasUnusableBalancer
    manifest.localDNS = spec.localDNS ?? []
    manifest.localDNSHasNoRules = spec.localDNSHasNoRules
    manifest.pod.isSpeaker = spec.isSpeaker
    manifest.isAdded = isAdded
    return manifest
  }
}
