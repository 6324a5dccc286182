internal import NetpolModel
internal import Text

/// One API object of the input, before its kind is examined.
struct ManifestObject {
  let apiVersion: String
  let kind: String
  let root: Fields
  let metadata: Fields?

  var location: SourceLocation { root.mapping.location }
  /// Empty for the core group.
  var group: String { apiVersion.contains("/") ? String(apiVersion.prefix { $0 != "/" }) : "" }

  /// `kind` and `apiVersion` may come from the list that contains the object: the items of a PodList have neither.
  init(_ field: Field, kind impliedKind: String? = nil, apiVersion impliedVersion: String? = nil) throws(ManifestError)
  {
    let unnamed = try field.objectFields()
    kind = try unnamed["kind"]?.string() ?? impliedKind ?? ""
    apiVersion = try unnamed["apiVersion"]?.string() ?? impliedVersion ?? ""
    let subject = Subject(file: field.subject.file, object: Self.title(kind, unnamed))
    root = try Field(field.node, path: "", subject: subject, keyLine: field.line).objectFields()
    metadata = try root["metadata"]?.fields()
    if kind.isEmpty {
      let instead = ForeignFile(path: field.subject.file)?.remedy
      throw root.lacking("kind", instead ?? "give the object's kind, or leave the file out")
    }
    if apiVersion.isEmpty { throw root.lacking("apiVersion", "write one such as v1 or networking.k8s.io/v1") }
  }

  /// The same object under another `apiVersion`.
  init(_ object: ManifestObject, apiVersion: String) {
    self.apiVersion = apiVersion
    kind = object.kind
    root = object.root
    metadata = object.metadata
  }

  /// `Kind namespace/name`, as far as the object gives them.
  private static func title(_ kind: String, _ fields: Fields) -> String? {
    let metadata = try? fields["metadata"]?.fields()
    let name = try? metadata?["name"]?.string()
    let namespace = try? metadata?["namespace"]?.string()
    let isClusterScoped = ["Node", "Namespace", "ServiceCIDR", "Cluster", "Expectations"].contains(kind)
    let full = name.map { isClusterScoped ? $0 : "\((namespace ?? "default").cut(to: 60))/\($0)" }
    let title = [kind.cut(to: 60), full?.cut(to: 130) ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
    return title.isEmpty ? nil : title
  }

  /// `metadata.name`. A `generateName` gets the suffix 0 instead of the API server's random letters.
  func name(_ validation: Validation, _ grammar: (String) -> Bool = NameSyntax.isDNSSubdomain) throws(ManifestError)
    -> String
  {
    guard let metadata else { throw root.missing("metadata", "give metadata.name") }
    if metadata["name"] == nil, let prefix = try metadata["generateName"]?.string() { return prefix + "0" }
    let field = try metadata.required("name", "give the object a name")
    let name = try field.string()
    guard validation == .asStored || grammar(name) else {
      throw field.error("\(name.quoted) is not a valid object name", "use a-z, 0-9 and inner '-', as in a DNS name")
    }
    try field.requireHarmless(name)
    return name
  }

  /// The namespace and name. Without a namespace the object is in `default`.
  /// `grammar` is that of the name.
  func id(_ validation: Validation, _ grammar: (String) -> Bool = NameSyntax.isDNSSubdomain) throws(ManifestError)
    -> NamespacedName
  {
    let name = try name(validation, grammar)
    guard let field = metadata?["namespace"] else { return NamespacedName("default", name) }
    let namespace = try field.string()
    if namespace.isEmpty { return NamespacedName("default", name) }
    guard validation == .asStored || NameSyntax.isDNSLabel(namespace) else {
      throw field.error("\(namespace.quoted) is not a valid namespace name", "use at most 63 of a-z, 0-9 and inner '-'")
    }
    try field.requireHarmless(namespace)
    return NamespacedName(namespace, name)
  }

  func labels(_ validation: Validation) throws(ManifestError) -> Labels {
    try metadata?["labels"]?.labels(validation) ?? [:]
  }

  /// The kind and name of each entry of `metadata.ownerReferences`.
  func owners() throws(ManifestError) -> [Pod.Workload] {
    guard let list = try metadata?["ownerReferences"]?.list() else { return [] }
    return try list.map { (field) throws(ManifestError) in
      let fields = try field.fields()
      return Pod.Workload(kind: try fields["kind"]?.string() ?? "", name: try fields["name"]?.string() ?? "")
    }
  }

  /// The owner with `controller: true`, or else the first one that does not set `controller`.
  func controller() throws(ManifestError) -> Pod.Workload? {
    var candidate: Pod.Workload?
    for entry in try metadata?["ownerReferences"]?.list() ?? [] {
      let fields = try entry.fields()
      guard let kind = try fields["kind"]?.string(), let name = try fields["name"]?.string() else { continue }
      let isController = try fields["controller"]?.bool()
      if isController == true { return Pod.Workload(kind: kind, name: name) }
      if isController == nil, candidate == nil { candidate = Pod.Workload(kind: kind, name: name) }
    }
    return candidate
  }
}

extension Field {
  /// Throws for a name that a rule's comment can't carry, even if some API server stored it.
  fileprivate func requireHarmless(_ name: String) throws(ManifestError) {
    if NameSyntax.isHarmless(name) { return }
    throw error("\(name.quoted) has a quote, a backslash or a line break, which no rule can carry", "rename the object")
  }

  fileprivate func objectFields() throws(ManifestError) -> Fields {
    guard isMapping else {
      throw mismatch("an API object with apiVersion and kind", isPatch ? Self.patchRemedy : nil)
    }
    return try fields()
  }

  /// Whether the document is a JSON patch (RFC 6902): a list of operations.
  private var isPatch: Bool {
    guard let entry = try? list().first?.fields() else { return false }
    return entry["op"] != nil && entry["path"] != nil
  }

  private static let patchRemedy = "this is a JSON patch; \(String.patchRemedy)"
}

extension Fields {
  /// The error for a missing key of an object: at the key that was meant, if one differs only in case or by a letter.
  fileprivate func lacking(_ name: String, _ remedy: String) -> ManifestError {
    let meant = first { $0.name.nearest(of: [name]) != nil }
    return meant?.field.error("unknown field", "did you mean \(name)?") ?? missing(name, remedy)
  }
}
