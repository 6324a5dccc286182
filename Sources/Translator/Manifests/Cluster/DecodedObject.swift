internal import NetpolModel

/// An object of the input, checked and decoded by itself. What other objects say has no part in it.
struct DecodedObject {
  enum Content {
    case namespace(Namespace)
    case node(NodeManifest)
    case pod(PodManifest, PodSpec)
    case service(ServiceManifest, ManifestObject)
    case serviceCIDR(ServiceCIDRManifest)
    case endpointSlice(EndpointSliceManifest)
    case endpoints(EndpointsManifest)
    case networkPolicy(NetworkPolicy, notes: [Note])
    case workload(Workload)
    /// Of a kind that the reader doesn't use. The pods of some are described by a template.
    case stranger(ManifestObject, pods: Workload?)
    case cluster(ManifestObject)
    case expectations(ManifestObject)
  }

  let content: Content
  let origin: Origin
  /// The faults that are only told.
  private(set) var faults = SchemaFaults()

  /// Where an object comes from, and how it is told apart from others of its kind and name.
  struct Origin {
    let kind: String
    /// With the group if another project defines it.
    let fullKind: String
    let location: SourceLocation
    let revision: Revision?
    private let subject: Subject

    fileprivate init(_ object: ManifestObject) {
      kind = object.kind
      fullKind = object.isOfOtherProject ? "\(object.kind).\(object.group)" : object.kind
      location = object.location
      revision = Revision(object)
      subject = object.root.mapping.subject
    }

    func error(_ problem: String, _ remedy: String) -> ManifestError {
      ManifestError(location: location, object: subject.object, problem: problem, remedy: remedy)
    }
  }

  /// Takes the number of the object's values from `budget`. Throws what is wrong with the object.
  init(_ object: ManifestObject, _ validation: Validation, budget: inout Int) throws(ManifestError) {
    let object = try object.served(validation, &faults)
    let check = try SchemaCheck(object, validation, budget: &budget)
    try check?.refuseUnknown()
    let kind = try ObjectKind(object)
    content = try Content(object, kind, validation)
    try check?.refuseOthers()
    if let check { faults.add(check.warnings) }
    if kind == nil, case .template? = PodSource(object), let template = try object.root["spec"]?.fields()["template"],
      let check = try SchemaCheck(template: template, of: object.kind, budget: &budget)
    {
      faults.add(check.warnings)
    }
    origin = Origin(object)
  }
}

extension DecodedObject.Content {
  /// `kind`: `nil` for one that the reader doesn't use.
  fileprivate init(_ object: ManifestObject, _ kind: ObjectKind?, _ validation: Validation) throws(ManifestError) {
    switch kind {
    case .namespace: self = .namespace(try Namespace(object, validation))
    case .node: self = .node(try NodeManifest(object, validation))
    case .pod:
      let spec = try PodSpec(object.root["spec"], validation)
      self = .pod(try PodManifest(object, spec, validation), spec)
    case .service: self = .service(try ServiceManifest(object, validation), object)
    case .serviceCIDR: self = .serviceCIDR(try ServiceCIDRManifest(object, validation))
    case .endpointSlice: self = .endpointSlice(try EndpointSliceManifest(object, validation))
    case .endpoints: self = .endpoints(try EndpointsManifest(object, validation))
    case .networkPolicy:
      var decoder = PolicyDecoder(validation)
      self = .networkPolicy(try decoder.policy(object), notes: decoder.notes)
    case .workload: self = .workload(try Workload(object, validation))
    case .cluster: self = .cluster(object)
    case .expectations: self = .expectations(object)
    case nil:
      let source = PodSource(object)
      self = .stranger(
        object,
        pods: try source.map { (source) throws(ManifestError) in try Workload(object, from: source, validation) })
    }
  }
}
