internal import NetpolModel

/// An API version of which API servers no longer serve a kind, and what to write today. From the Kubernetes deprecation
/// guide.
struct ServedVersion: Hashable {
  /// `nil` if there is no newer one.
  let apiVersion: String?
  /// The release that no longer serves the old version.
  let release: String

  /// Whether the program reads the kind. A version of another kind changes no verdict.
  let isRead: Bool

  private init(_ apiVersion: String?, _ release: String, isRead: Bool = true) {
    self.apiVersion = apiVersion
    self.release = release
    self.isRead = isRead
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
    case ("Ingress", "extensions/v1beta1"), ("Ingress", "networking.k8s.io/v1beta1"),
      ("IngressClass", "networking.k8s.io/v1beta1"):
      self.init("networking.k8s.io/v1", "1.22", isRead: false)
    case ("PodDisruptionBudget", "policy/v1beta1"): self.init("policy/v1", "1.25", isRead: false)
    case ("PodSecurityPolicy", "policy/v1beta1"), ("PodSecurityPolicy", "extensions/v1beta1"):
      self.init(nil, "1.25", isRead: false)
    case ("HorizontalPodAutoscaler", "autoscaling/v2beta1"): self.init("autoscaling/v2", "1.25", isRead: false)
    case ("HorizontalPodAutoscaler", "autoscaling/v2beta2"): self.init("autoscaling/v2", "1.26", isRead: false)
    case ("CustomResourceDefinition", "apiextensions.k8s.io/v1beta1"):
      self.init("apiextensions.k8s.io/v1", "1.22", isRead: false)
    case (_, "rbac.authorization.k8s.io/v1beta1"), (_, "rbac.authorization.k8s.io/v1alpha1"):
      self.init("rbac.authorization.k8s.io/v1", "1.22", isRead: false)
    case (_, "admissionregistration.k8s.io/v1beta1") where kind.hasSuffix("WebhookConfiguration"):
      self.init("admissionregistration.k8s.io/v1", "1.22", isRead: false)
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
      "\(kind) in \(apiVersion) is not served since Kubernetes \(served.release)",
      served.apiVersion.map { "write \($0)" })
    if validation == .apiServer, !isStored, served.isRead { throw fault }
    warnings.note(.unserved, "\(kind) in \(apiVersion)", fault)
    guard served.isRead, let version = served.apiVersion else { return self }
    return ManifestObject(self, apiVersion: version)
  }
}
