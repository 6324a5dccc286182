internal import NetpolModel

/// What makes an object unique in a cluster: its kind, namespace and name. Cluster-wide objects have an empty namespace.
struct ObjectKey: Hashable {
  /// Another project's kind has its API group behind it: `DaemonSet.apps.kruise.io`.
  let kind: String
  let id: NamespacedName

  init(_ kind: String, _ id: NamespacedName) {
    self.kind = kind
    self.id = id
  }
}

extension ObjectKey: CustomStringConvertible {
  /// `Kind namespace/name`.
  var description: String { "\(kind) \(id.namespace.isEmpty ? id.name : id.description)" }
}
