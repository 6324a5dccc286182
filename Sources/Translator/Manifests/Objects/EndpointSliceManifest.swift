internal import NetpolModel
internal import Text

/// A `discovery.k8s.io/v1` EndpointSlice as the input gives it.
struct EndpointSliceManifest {
  let id: NamespacedName
  /// `nil` if the service proxy ignores the slice: it has DNS names instead of addresses, or no Service.
  private(set) var slice: EndpointSlice?
  /// Whether the controller that mirrors Endpoints objects wrote it.
  let isMirror: Bool
  private(set) var notes: [Note] = []

  init(_ object: ManifestObject, _ validation: Validation) throws(ManifestError) {
    id = try object.id(validation)
    let root = object.root
    let labels = try object.labels(validation)
    isMirror = labels["endpointslice.kubernetes.io/managed-by"] == "endpointslicemirroring-controller.k8s.io"
    let word = try root.required("addressType", "write IPv4 or IPv6")
    let type = try word.string()
    if type == "FQDN" {
      notes.append(Note(.note, "EndpointSlice \(id) has DNS names instead of addresses and is ignored"))
      return
    }
    guard let family = IPFamily(rawValue: type) else {
      throw word.error("unknown value \(type.quoted)", "write IPv4 or IPv6")
    }
    guard let service = labels["kubernetes.io/service-name"], !service.isEmpty else {
      notes.append(Note(.note, "EndpointSlice \(id) has no label kubernetes.io/service-name and is ignored"))
      return
    }
    var slice = EndpointSlice(id: id, service: service, family: family, ports: [], members: [])
    for entry in try root["ports"]?.list() ?? [] {
      let fields = try entry.fields()
      guard let number = fields["port"] else {
        notes.append(
          Note(.warning, "\(entry.error("an entry without port (all ports) is not modelled")); the entry is ignored"))
        continue
      }
      var name = try fields["name"]?.string()
      if name == "" { name = nil }
      slice.ports.append(
        .init(name: name, transport: try fields["protocol"]?.transport() ?? .tcp, port: try number.port()))
    }
    for entry in try root["endpoints"]?.list() ?? [] {
      if let member = try Self.member(try entry.fields(), id.namespace, family, validation) {
        slice.members.append(member)
      }
    }
    self.slice = slice
  }

  /// `nil` without an address. If there are several, the first one counts, as in kube-proxy.
  private static func member(
    _ fields: Fields, _ namespace: String, _ family: IPFamily, _ validation: Validation
  ) throws(ManifestError) -> EndpointSlice.Member? {
    let addresses = try fields["addresses"]?.list() ?? []
    guard let field = addresses.first else {
      if validation == .asStored { return nil }
      throw fields.missing("addresses", "give at least one address")
    }
    let address = try field.address()
    guard address.family == family else {
      throw field.error(
        "\(address) is not an \(family.rawValue) address",
        "put it into a slice of addressType \(address.family.rawValue)")
    }
    if let obstacle = address.obstacle {
      throw field.error("\(address) is \(obstacle)", "give a unicast address that others can reach")
    }
    let conditions = try fields["conditions"]?.fields()
    let hints = try fields["hints"]?.fields()
    return EndpointSlice.Member(
      address, isReady: try conditions?["ready"]?.bool() ?? true,
      isServing: try conditions?["serving"]?.bool() ?? true,
      isTerminating: try conditions?["terminating"]?.bool() ?? false, node: try fields["nodeName"]?.string(),
      pod: try fields.targetPod(namespace), zoneHints: try hints?["forZones"]?.hintNames() ?? [],
      nodeHints: try hints?["forNodes"]?.hintNames() ?? [])
  }
}

extension Field {
  /// The names in `forZones` or `forNodes`.
  fileprivate func hintNames() throws(ManifestError) -> Set<String> {
    var names: Set<String> = []
    for entry in try list() {
      names.insert(try entry.fields().required("name", "give the name of the zone or node").string())
    }
    return names
  }
}

extension Fields {
  /// `targetRef` of an endpoint, if it is a pod. Without a namespace it is in that of the object.
  func targetPod(_ namespace: String) throws(ManifestError) -> PodID? {
    guard let target = try self["targetRef"]?.fields(), try target["kind"]?.string() == "Pod",
      let name = try target["name"]?.string()
    else { return nil }
    return PodID(try target["namespace"]?.string() ?? namespace, name)
  }
}
