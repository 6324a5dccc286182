internal import NetpolModel

/// The decoded objects of the input by kind, not yet related to each other.
struct Inventory {
  let options: ReadOptions
  private(set) var objectCount = 0
  private var namespaceTable = ObjectTable<Namespace>()
  private var nodeTable = ObjectTable<NodeManifest>()
  private var podTable = ObjectTable<PodManifest>()
  private var serviceTable = ObjectTable<ServiceManifest>()
  private var sliceTable = ObjectTable<EndpointSliceManifest>()
  private var endpointsTable = ObjectTable<EndpointsManifest>()
  private var policyTable = ObjectTable<NetworkPolicy>()
  private var workloadTable = ObjectTable<Workload>()
  private var serviceCIDRTable = ObjectTable<ServiceCIDRManifest>()
  private(set) var cluster: ClusterDocument?
  private(set) var expectations = ExpectationsReader()
  private var places: [ObjectKey: SourceLocation] = [:]
  /// The newest revision of each object that an API server stored.
  private var revisions: [ObjectKey: Revision] = [:]
  private var different = DifferentObjects()
  /// Whether the current sources are files that a variant adds. `added` has the keys of their objects so far.
  private var isAdding = false
  private var added: Set<ObjectKey> = []
  private var policyNotes: [Note] = []
  private var features = UnmodelledFeatures()
  private var balancers = BalancerEvidence()
  private(set) var skipped = SkippedObjects()
  private var typeless = TypelessDocuments()
  private var faults = SchemaFaults()

  init(_ options: ReadOptions) { self.options = options }

  var serviceProxy: ServiceProxyKind { features.serviceProxy }
  var kubeProxyRelease: KubeProxyRelease? {
    features.kubeProxyRelease ?? nodeTable.objects.compactMap(\.release).min()
  }
  var kubeProxyMode: KubeProxyMode { features.kubeProxyMode }
  var kubeProxy: KubeProxyFlags? { features.kubeProxy }
  var loadBalancing: LoadBalancing? { balancers.program }
  var metalLB: MetalLB { balancers.metalLB }
  var kubeVIPUsesBGP: Bool { balancers.kubeVIPUsesBGP }
  var kubeVIPLeaders: [NamespacedName?: String] { balancers.kubeVIPLeaders }

  var namespaces: [String: Namespace] {
    Dictionary(namespaceTable.objects.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }
  var nodes: [String: NodeManifest] {
    Dictionary(nodeTable.objects.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }
  var pods: [PodManifest] { podTable.objects }
  var services: [ServiceManifest] { serviceTable.objects }
  var serviceCIDRs: [ServiceCIDRManifest] { serviceCIDRTable.objects }
  var endpointSlices: [EndpointSliceManifest] { sliceTable.objects }
  var endpoints: [EndpointsManifest] { endpointsTable.objects }
  var policies: [NetworkPolicy] { policyTable.objects }
  var workloads: [Workload] { workloadTable.objects }

  var ownership: Ownership { Ownership(pods: pods, workloads: workloads, others: skipped) }

  /// Notes about single objects.
  var notes: [Note] {
    policyNotes + faults.warnings + different.notes + skipped.warnings + features.notes
      + endpointSlices.flatMap(\.notes) + workloads.notes + skipped.strangerWarnings(ownership) + skipped.notes
      + typeless.notes
  }

  /// The pods of the input, each with the workload that it belongs to.
  var ownedPods: [PodManifest] {
    let ownership = ownership
    return pods.map { manifest in
      var manifest = manifest
      manifest.pod.owner = manifest.controller.map { ownership.owner(of: manifest.pod, createdBy: $0) }
      return manifest
    }
  }

  /// From this call on, objects replace existing ones of the same kind and name.
  mutating func beginAdding() { isAdding = true }

  mutating func add(_ source: ManifestSource) throws(ManifestError) {
    for part in try source.decoded(options) {
      for _ in 0..<part.typelessCount { typeless.note(in: source.name) }
      for object in part.objects { try add(object) }
    }
  }

  private mutating func add(_ object: DecodedObject) throws(ManifestError) {
    objectCount += 1
    faults.add(object.faults)
    let origin = object.origin
    switch object.content {
    case .namespace(let namespace):
      if isAdding, namespaces[namespace.name] == namespace { return }
      try store(namespace, origin, NamespacedName("", namespace.name), in: \.namespaceTable)
    case .node(let node): try store(node, origin, NamespacedName("", node.name), in: \.nodeTable)
    case .pod(var pod, let spec):
      pod.isAdded = isAdding
      let id = pod.pod.id.namespacedName
      try store(pod, origin, id, in: \.podTable)
      features.look(at: spec, of: "Pod", id)
      balancers.look(at: spec, of: id)
    case .service(let service, let object):
      try store(service, origin, service.service.id, in: \.serviceTable)
      try balancers.look(at: object)
    case .serviceCIDR(let networks): try store(networks, origin, networks.id, in: \.serviceCIDRTable)
    case .endpointSlice(let slice): try store(slice, origin, slice.id, in: \.sliceTable)
    case .endpoints(let endpoints): try store(endpoints, origin, endpoints.id, in: \.endpointsTable)
    case .networkPolicy(let policy, let notes):
      let arrival = try store(policy, origin, policy.id.namespacedName, in: \.policyTable)
      if arrival != .equal { policyNotes += notes }
    case .workload(let workload): try add(workload, origin)
    case .stranger(_, let workload?): try add(workload, origin)
    case .stranger(let object, nil):
      if !BalancerEvidence.uses(object), !UnmodelledFeatures.uses(object) { skipped.note(object) }
      try balancers.look(at: object)
      if object.kind == "ConfigMap" { try features.look(atConfigMap: object) }
      if object.kind == "FelixConfiguration" { features.look(atFelix: object) }
    case .expectations(let object):
      try refuseIfAdding(origin)
      try expectations.read(object)
    case .cluster(let object):
      try refuseIfAdding(origin)
      let document = try ClusterDocument(object)
      if let first = cluster {
        throw origin.error("a second Cluster document", "keep one; the first is at \(first.location)")
      }
      cluster = document
    }
  }

  private func refuseIfAdding(_ origin: DecodedObject.Origin) throws(ManifestError) {
    if !isAdding { return }
    throw origin.error(
      "an added file can't contain a document of kind \(origin.kind)", "move it to one of the manifest files")
  }

  private mutating func add(_ workload: Workload, _ origin: DecodedObject.Origin) throws(ManifestError) {
    var workload = workload
    workload.isAdded = isAdding
    try store(workload, origin, workload.id, in: \.workloadTable)
    features.look(at: workload.spec, of: workload.kind, workload.id)
    balancers.look(at: workload.spec, of: workload.id)
  }

  /// Keeps the object. Of several with one kind and name the last counts, or the newest if an API server says which is
  /// newer. In added files a second one is an error.
  @discardableResult
  private mutating func store<Object>(
    _ decoded: Object, _ origin: DecodedObject.Origin, _ id: NamespacedName,
    in table: WritableKeyPath<Inventory, ObjectTable<Object>>
  ) throws(ManifestError) -> ObjectTable<Object>.Arrival {
    let key = ObjectKey(origin.fullKind, id)
    let earlier = places.updateValue(origin.location, forKey: key)
    if isAdding {
      if let earlier, !added.insert(key).inserted {
        throw origin.error("a second \(origin.kind) with this name", "keep one; the first is at \(earlier)")
      }
      added.insert(key)
      self[keyPath: table].replace(decoded, as: key)
      return .first
    }
    let (known, revision) = (revisions[key], origin.revision)
    let isOutdated = known.flatMap { known in revision.map(known.isNewer) } ?? false
    if !isOutdated { revisions[key] = revision }
    let arrival = self[keyPath: table].store(decoded, as: key, outdated: isOutdated)
    if arrival == .different, let earlier {
      let rule: DifferentObjects.Rule = known?.uid == revision?.uid && known != revision ? .newest : .last
      different.note(key, rule, first: earlier, then: origin.location)
    }
    return arrival
  }
}
