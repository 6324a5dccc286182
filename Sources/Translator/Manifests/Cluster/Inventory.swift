internal import NetpolModel

/// The decoded objects of the input by kind, not yet related to each other.
struct Inventory {
  private struct Key: Hashable {
    let kind: String
    let id: NamespacedName
  }

  let options: ReadOptions
  private(set) var objectCount = 0
  private(set) var namespaces: [String: Namespace] = [:]
  private(set) var nodes: [String: NodeManifest] = [:]
  private(set) var pods: [PodManifest] = []
  private(set) var services: [ServiceManifest] = []
  private(set) var serviceCIDRs: [ServiceCIDRManifest] = []
  private(set) var endpointSlices: [EndpointSliceManifest] = []
  private(set) var policies: [NetworkPolicy] = []
  private(set) var cluster: ClusterDocument?
  private(set) var expectations = ExpectationsReader()
  private var workloads: [Workload] = []
  private var places: [Key: SourceLocation] = [:]
  /// Workloads whose pods are in the input.
  private var ownersOfPods: Set<Key> = []
  /// The owner of each ReplicaSet and Job: a Deployment or CronJob.
  private var makers: [Key: Pod.Workload] = [:]
  /// Whether the current sources are files that a variant adds. `added` has the keys of their objects so far.
  private var isAdding = false
  private var added: Set<Key> = []
  private var decoder: PolicyDecoder
  private var features = UnmodelledFeatures()
  private var skipped = SkippedObjects()
  private var typeless = TypelessDocuments()

  init(_ options: ReadOptions) {
    self.options = options
    decoder = PolicyDecoder(options.validation)
  }

  /// Notes about single objects.
  var notes: [Note] {
    decoder.notes + skipped.warnings + features.notes + endpointSlices.flatMap(\.notes) + skipped.notes
      + typeless.notes
  }

  /// Workloads without pods in the input, sorted by namespace, name and kind.
  var workloadsWithoutPods: [Workload] {
    workloads.filter { !ownersOfPods.contains(Key(kind: $0.kind, id: $0.id)) }
      .sorted { ($0.id, $0.kind) < ($1.id, $1.kind) }
  }

  /// The pods of the input, each with the workload that it belongs to.
  var ownedPods: [PodManifest] {
    pods.map { manifest in
      var manifest = manifest
      manifest.pod.owner = manifest.controller.map { owner($0, of: manifest.pod) }
      return manifest
    }
  }

  /// Replaces a ReplicaSet by its Deployment and a Job by its CronJob if the input shows the link. The link is the
  /// object's owner, or the label that a Deployment puts on its pods.
  private func owner(_ controller: Pod.Workload, of pod: Pod) -> Pod.Workload {
    let key = Key(kind: controller.kind, id: NamespacedName(pod.id.namespace, controller.name))
    if let maker = makers[key] { return maker }
    guard controller.kind == "ReplicaSet", let hash = pod.labels["pod-template-hash"], !hash.isEmpty,
      controller.name.hasSuffix("-\(hash)"), controller.name.utf8.count > hash.utf8.count + 1
    else { return controller }
    return Pod.Workload(kind: "Deployment", name: String(controller.name.dropLast(hash.count + 1)))
  }

  /// From this call on, objects replace existing ones of the same kind and name.
  mutating func beginAdding() { isAdding = true }

  mutating func add(_ source: ManifestSource) throws(ManifestError) {
    var documents = try Documents(source)
    while let root = try documents.next() {
      let document = Field(root, path: "", subject: Subject(file: source.name))
      if source.fromDirectory, document.isTypeless {
        typeless.note(in: source.name)
        continue
      }
      for object in try ManifestObject(document).flattened() { try add(object) }
    }
  }

  private mutating func add(_ object: ManifestObject) throws(ManifestError) {
    objectCount += 1
    guard let kind = try ObjectKind(object) else {
      skipped.note(object)
      if object.kind == "ConfigMap" { features.look(atConfigMap: object) }
      return
    }
    let validation = options.validation
    switch kind {
    case .namespace:
      let namespace = try Namespace(object, validation)
      if let first = namespaces[namespace.name], first == namespace { return }
      try claim(object, NamespacedName("", namespace.name))
      namespaces[namespace.name] = namespace
    case .node:
      let node = try NodeManifest(object, validation)
      try claim(object, NamespacedName("", node.name))
      nodes[node.name] = node
    case .pod:
      let spec = try PodSpec(object.root["spec"], validation)
      var pod = try PodManifest(object, spec, validation)
      pod.isAdded = isAdding
      try claim(object, pod.pod.id.namespacedName)
      pods.append(pod)
      features.look(at: spec, of: "Pod", pod.pod.id.namespacedName)
      for owner in try object.owners() { own(owner.kind, pod.pod.id.namespace, owner.name) }
    case .service:
      let service = try ServiceManifest(object, validation)
      try claim(object, service.service.id)
      services.append(service)
    case .serviceCIDR:
      let networks = try ServiceCIDRManifest(object, validation)
      try claim(object, networks.id)
      serviceCIDRs.append(networks)
    case .endpointSlice:
      let slice = try EndpointSliceManifest(object, validation)
      try claim(object, slice.id)
      endpointSlices.append(slice)
    case .networkPolicy:
      let policy = try decoder.policy(object)
      try claim(object, policy.id.namespacedName)
      policies.append(policy)
    case .workload:
      let owners = try object.owners()
      if let maker = try object.controller(),
        [object.kind, maker.kind] == ["ReplicaSet", "Deployment"]
          || [object.kind, maker.kind] == ["Job", "CronJob"]
      {
        makers[Key(kind: object.kind, id: try object.id(validation))] = maker
      }
      if object.kind == "ReplicaSet", owners.contains(where: { $0.kind == "Deployment" }) { return }
      var workload = try Workload(object, validation)
      workload.isAdded = isAdding
      try claim(object, workload.id)
      workloads.append(workload)
      features.look(at: workload.spec, of: workload.kind, workload.id)
      for owner in owners { own(owner.kind, workload.id.namespace, owner.name) }
    case .cluster, .expectations:
      if isAdding {
        throw object.root.mapping.error(
          "an added file can't contain a document of kind \(object.kind)", "move it to one of the manifest files")
      }
      if kind == .expectations { return try expectations.read(object) }
      let document = try ClusterDocument(object)
      if let first = cluster {
        throw object.root.mapping.error("a second Cluster document", "keep one; the first is at \(first.location)")
      }
      cluster = document
    }
  }

  /// Records that the pods of a workload are in the input. The ReplicaSet `web-5d4f` also counts for the Deployment
  /// `web`, and the Job `backup-2891` for the CronJob `backup`.
  private mutating func own(_ kind: String, _ namespace: String, _ name: String) {
    ownersOfPods.insert(Key(kind: kind, id: NamespacedName(namespace, name)))
    guard let maker = ["ReplicaSet": "Deployment", "Job": "CronJob"][kind], let dash = name.lastIndex(of: "-") else {
      return
    }
    ownersOfPods.insert(Key(kind: maker, id: NamespacedName(namespace, String(name[..<dash]))))
  }

  private mutating func claim(_ object: ManifestObject, _ id: NamespacedName) throws(ManifestError) {
    let key = Key(kind: object.kind, id: id)
    if let first = places.updateValue(object.location, forKey: key) {
      guard isAdding, !added.contains(key) else {
        throw object.root.mapping.error("a second \(object.kind) with this name", "keep one; the first is at \(first)")
      }
      remove(key)
    }
    if isAdding { added.insert(key) }
  }

  private mutating func remove(_ key: Key) {
    switch key.kind {
    case "Namespace": namespaces[key.id.name] = nil
    case "Node": nodes[key.id.name] = nil
    case "Pod": pods.removeAll { $0.pod.id == PodID(key.id) }
    case "Service": services.removeAll { $0.service.id == key.id }
    case "ServiceCIDR": serviceCIDRs.removeAll { $0.id == key.id }
    case "EndpointSlice": endpointSlices.removeAll { $0.id == key.id }
    case "NetworkPolicy": policies.removeAll { $0.id == PolicyID(key.id) }
    default: workloads.removeAll { $0.kind == key.kind && $0.id == key.id }
    }
  }
}
