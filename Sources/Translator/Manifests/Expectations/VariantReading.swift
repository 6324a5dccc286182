internal import NetpolModel
internal import Text

extension Expectations.Variant {
  /// `nil` if the group changes nothing.
  init?(_ group: Fields, _ uses: inout [NameUse]) throws(ManifestError) {
    guard ["without", "add", "labels", "cluster"].contains(where: { group[$0] != nil }) else { return nil }
    self.init()
    for field in try group["without"]?.list() ?? [] {
      let text = try field.string()
      let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, !parts.contains("") else {
        throw field.error("\(text.quoted) is not a policy's name", "write namespace/name")
      }
      let id = PolicyID(parts[0], parts[1])
      without.append(id)
      uses.append(NameUse(.policy(id), text, field))
    }
    for field in try group["add"]?.list() ?? [] {
      let path = try field.string()
      if path.isEmpty || path == "-" {
        throw field.error("\(path.quoted) is not a file", "give a path relative to this file's folder")
      }
      add.append(path)
      uses.append(NameUse(.file(path), path, field))
    }
    for entry in try group["labels"]?.list() ?? [] { try readLabels(try entry.fields(), &uses) }
    guard let cluster = try group["cluster"]?.fields() else { return }
    try cluster.closed(to: ["bridgeNetfilter", "overlay"])
    bridgeNetfilter = try cluster["bridgeNetfilter"]?.bool()
    overlay = try cluster["overlay"]?.word(Overlay.self)
  }

  private mutating func readLabels(_ fields: Fields, _ uses: inout [NameUse]) throws(ManifestError) {
    try fields.closed(to: ["namespace", "pod", "set"])
    let subject: Expectations.LabelChange.Subject
    let field: Field
    switch (fields["namespace"], fields["pod"]) {
    case (let namespace?, nil):
      field = namespace
      subject = .namespace(try namespace.string())
    case (nil, let pod?):
      field = pod
      let parts = try pod.string().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2 else {
        throw pod.error("\(try pod.string().quoted) is not a pod's name", "write namespace/name")
      }
      subject = .pod(PodID(parts[0], parts[1]))
    case (nil, nil): throw fields.missing("namespace", "name a namespace, or a pod")
    case (_?, let pod?): throw pod.error("can't be combined with namespace", "use a separate entry for each")
    }
    uses.append(NameUse(.subject(subject), try field.string(), field))
    let set = try fields.required("set", "give labels; null removes one").fields()
    if set.isEmpty { throw set.mapping.error("is empty", "give labels; null removes one") }
    for (key, value) in set {
      try value.checkLabelKey(key)
      if case .namespace = subject, key == "kubernetes.io/metadata.name" {
        throw value.error("this label always holds the namespace's name", "choose another label")
      }
      let text = value.isNull ? nil : try value.string()
      if let text { try value.checkLabelValue(text) }
      labels.append(Expectations.LabelChange(subject, key, text))
    }
  }
}
