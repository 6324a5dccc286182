internal import NetpolModel

/// An API version of which API servers no longer serve a kind, and what to write today. From the Kubernetes deprecation
/// guide.
struct ServedVersion: Hashable {
  let apiVersion: String
  /// The release that no longer serves the old version.
  let release: String

  private init(_ apiVersion: String, _ release: String) {
    self.apiVersion = apiVersion
    self.release = release
  }

  /// `nil` unless the kind was served in this version, and no longer is.
  init?(of kind: String, in former: String) {
    switch (kind, former) {
    case ("Deployment", "extensions/v1beta1"), ("DaemonSet", "extensions/v1beta1"),
      ("ReplicaSet", "extensions/v1beta1"),
      ("Deployment", "apps/v1beta1"), ("StatefulSet", "apps/v1beta1"), ("Deployment", "apps/v1beta2"),
      ("StatefulSet", "apps/v1beta2"), ("DaemonSet", "apps/v1beta2"), ("ReplicaSet", "apps/v1beta2"):
      self.init("apps/v1", "1.16")
    case ("NetworkPolicy", "extensions/v1beta1"): self.init("networking.k8s.io/v1", "1.16")
    case ("CronJob", "batch/v2alpha1"): self.init("batch/v1", "1.21")
    case ("CronJob", "batch/v1beta1"): self.init("batch/v1", "1.25")
    case ("EndpointSlice", "discovery.k8s.io/v1beta1"): self.init("discovery.k8s.io/v1", "1.25")
    default: return nil
    }
  }
}

extension SchemaCheck {
  /// Checks an object of a kind that the schema has, and is `nil` for others.
  init?(_ object: ManifestObject, _ validation: Validation, budget: inout Int) throws(ManifestError) {
    try self.init(
      object.root.mapping, object.kind, object.apiVersion, isStored: object.isStored, validation, budget: &budget)
  }
}

extension ManifestObject {
  /// Whether the object came out of an API server.
  var isStored: Bool { metadata?["uid"] != nil && metadata?["resourceVersion"] != nil }

  /// The object under the version that is served today. An API server refuses one of an older version, but an object
  /// that came out of an old API server is read, with a warning: the fields that the readers use are the same.
  func served(_ validation: Validation, _ warnings: inout SchemaFaults) throws(ManifestError) -> ManifestObject {
    guard let served = ServedVersion(of: kind, in: apiVersion) else { return self }
    let fault = (root["apiVersion"] ?? root.mapping).error(
      "\(kind) in \(apiVersion) is not served since Kubernetes \(served.release)", "write \(served.apiVersion)")
    if validation == .apiServer, !isStored { throw fault }
    warnings.note(.unserved, "\(kind) in \(apiVersion)", fault)
    return ManifestObject(self, apiVersion: served.apiVersion)
  }
}
