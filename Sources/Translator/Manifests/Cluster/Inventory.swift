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
  private var decoder: PolicyDecoder
  private var features = UnmodelledFeatures()
  private var balancers = BalancerEvidence()
  private(set) var skipped = SkippedObjects()
  private var typeless = TypelessDocuments()
  private var faults = SchemaFaults()

  init(_ options: ReadOptions) {
    self.options = options
    decoder = PolicyDecoder(options.validation)
  }

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
    decoder.notes + faults.warnings + different.notes + skipped.warnings + features.notes
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
    var documents = try Documents(source)
    // Without aliases, there are fewer values than bytes.
    var budget = source.text.utf8.count + 1_000_000
    while let root = try documents.next() {
      let document = Field(root, path: "", subject: Subject(file: source.name))
      if source.fromDirectory, document.isTypeless {
        typeless.note(in: source.name)
        continue
      }
      for object in try ManifestObject(document).flattened() {
        if object.isKustomization, !source.fromDirectory { throw object.kustomizationError }
        try addChecked(object, &budget)
      }
    }
  }

  /// Adds an object that is as the API's schema says.
  private mutating func addChecked(_ object: ManifestObject, _ budget: inout Int) throws(ManifestError) {
    let object = try object.served(options.validation, &faults)
    let check = try SchemaCheck(object, options.validation, budget: &budget)
    try check?.refuseUnknown()
    try add(object, &budget)
    try check?.refuseOthers()
    if let check { faults.add(check.warnings) }
  }

  private mutating func add(_ object: ManifestObject, _ budget: inout Int) throws(ManifestError) {
    objectCount += 1
    guard let kind = try ObjectKind(object) else { return try addStranger(object, &budget) }
    let validation = options.validation
    switch kind {
    case .namespace:
      let namespace = try Namespace(object, validation)
      if isAdding, namespaces[namespace.name] == namespace { return }
      try store(namespace, object, NamespacedName("", namespace.name), in: \.namespaceTable)
    case .node:
      let node = try NodeManifest(object, validation)
      try store(node, object, NamespacedName("", node.name), in: \.nodeTable)
    case .pod:
      let spec = try PodSpec(object.root["spec"], validation)
      var pod = try PodManifest(object, spec, validation)
      pod.isAdded = isAdding
      let id = pod.pod.id.namespacedName
      try store(pod, object, id, in: \.podTable)
      features.look(at: spec, of: "Pod", id)
      balancers.look(at: spec, of: id)
    case .service:
      let service = try ServiceManifest(object, validation)
      try store(service, object, service.service.id, in: \.serviceTable)
      try balancers.look(at: object)
    case .serviceCIDR:
      let networks = try ServiceCIDRManifest(object, validation)
      try store(networks, object, networks.id, in: \.serviceCIDRTable)
    case .endpointSlice:
      let slice = try EndpointSliceManifest(object, validation)
      try store(slice, object, slice.id, in: \.sliceTable)
    case .endpoints:
      let endpoints = try EndpointsManifest(object, validation)
      try store(endpoints, object, endpoints.id, in: \.endpointsTable)
    case .networkPolicy:
      let remarks = decoder.notes.count
      let policy = try decoder.policy(object)
      let arrival = try store(policy, object, policy.id.namespacedName, in: \.policyTable)
      if arrival == .equal { decoder.forgetNotes(after: remarks) }
    case .workload: try add(try Workload(object, validation), object)
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

  /// Adds an object of a kind that the reader doesn't use: a workload by its template, or one to skip.
  private mutating func addStranger(_ object: ManifestObject, _ budget: inout Int) throws(ManifestError) {
    if let source = PodSource(object) {
      try add(try Workload(object, from: source, options.validation), object)
      if source == .template, let template = try object.root["spec"]?.fields()["template"],
        let check = try SchemaCheck(template: template, of: object.kind, budget: &budget)
      {
        faults.add(check.warnings)
      }
      return
    }
    if !BalancerEvidence.uses(object), !UnmodelledFeatures.uses(object) { skipped.note(object) }
    try balancers.look(at: object)
    if object.kind == "ConfigMap" { try features.look(atConfigMap: object) }
    if object.kind == "FelixConfiguration" { features.look(atFelix: object) }
  }

  private mutating func add(_ workload: Workload, _ object: ManifestObject) throws(ManifestError) {
    var workload = workload
    workload.isAdded = isAdding
    try store(workload, object, workload.id, in: \.workloadTable)
    features.look(at: workload.spec, of: workload.kind, workload.id)
    balancers.look(at: workload.spec, of: workload.id)
  }

  /// Keeps the object. Of several with one kind and name the last counts, or the newest if an API server says which is
  /// newer. In added files a second one is an error.
  @discardableResult
  private mutating func store<Object>(
    _ decoded: Object, _ object: ManifestObject, _ id: NamespacedName,
    in table: WritableKeyPath<Inventory, ObjectTable<Object>>
  ) throws(ManifestError) -> ObjectTable<Object>.Arrival {
    let kind = object.isOfOtherProject ? "\(object.kind).\(object.group)" : object.kind
    let key = ObjectKey(kind, id)
    let earlier = places.updateValue(object.location, forKey: key)
    if isAdding {
      if let earlier, !added.insert(key).inserted {
        throw object.root.mapping.error(
          "a second \(object.kind) with this name", "keep one; the first is at \(earlier)")
      }
      added.insert(key)
      self[keyPath: table].replace(decoded, as: key)
      return .first
    }
    let (known, revision) = (revisions[key], Revision(object))
    let isOutdated = known.flatMap { known in revision.map(known.isNewer) } ?? false
    if !isOutdated { revisions[key] = revision }
    let arrival = self[keyPath: table].store(decoded, as: key, outdated: isOutdated)
    if arrival == .different, let earlier {
      let rule: DifferentObjects.Rule = known?.uid == revision?.uid && known != revision ? .newest : .last
      different.note(key, rule, first: earlier, then: object.location)
    }
    return arrival
  }
}
