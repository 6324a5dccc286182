internal import Text

/// The kinds that the reader uses.
enum ObjectKind: Hashable {
  case namespace, node, pod, service, serviceCIDR, endpointSlice, endpoints, networkPolicy, workload, cluster,
    expectations

  /// The kinds by the API group that has them.
  private static let homes = [
    "": ["Namespace", "Node", "Pod", "Service", "Endpoints", "ReplicationController"],
    "apps": ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"], "batch": ["Job", "CronJob"],
    "discovery.k8s.io": ["EndpointSlice"], "networking.k8s.io": ["NetworkPolicy", "ServiceCIDR"],
  ]
  private static let names = homes.values.joined().sorted()
  /// The correct spelling for each wrong one: different case, or a plural.
  private static let spellings = Dictionary(
    (names + ["List"] + names.map { "\($0)List" }).flatMap { name in
      let word = name.lowercased()
      let plurals = ["\(word)s"] + (word.hasSuffix("y") ? ["\(word.dropLast())ies"] : [])
      return ([word] + plurals).map { ($0, name) }
    }, uniquingKeysWith: { first, _ in first })

  /// Whether this is `List`, or the list of a kind that the reader uses. Only such a list must have items.
  static func isList(_ kind: String, of group: String) -> Bool {
    kind == "List" || (homes[group] ?? []).contains { "\($0)List" == kind }
  }

  /// `nil` for a kind that the reader doesn't use. Throws for one of the kinds below with an `apiVersion` that no API
  /// server has, and for a misspelled kind, because skipping it would lose policies or pods.
  init?(_ object: ManifestObject) throws(ManifestError) {
    let home: String
    switch object.kind {
    case "Namespace": (self, home) = (.namespace, "v1")
    case "Node": (self, home) = (.node, "v1")
    case "Pod": (self, home) = (.pod, "v1")
    case "Service": (self, home) = (.service, "v1")
    case "ServiceCIDR": (self, home) = (.serviceCIDR, "networking.k8s.io/v1")
    case "EndpointSlice": (self, home) = (.endpointSlice, "discovery.k8s.io/v1")
    case "Endpoints": (self, home) = (.endpoints, "v1")
    case "ReplicationController": (self, home) = (.workload, "v1")
    case "NetworkPolicy": (self, home) = (.networkPolicy, "networking.k8s.io/v1")
    case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet": (self, home) = (.workload, "apps/v1")
    case "Job", "CronJob": (self, home) = (.workload, "batch/v1")
    case "Cluster": (self, home) = (.cluster, ClusterDocument.apiVersion)
    case "Expectations": (self, home) = (.expectations, ClusterDocument.apiVersion)
    default:
      if object.group == "netpol-lab" {
        throw object.root.mapping.error(
          "netpol-lab has no kind \(object.kind.quoted)", "write kind: Cluster or Expectations")
      }
      if let name = Self.spellings[object.kind.lowercased()], name != object.kind, !object.isForeign {
        let field = object.root["kind"] ?? object.root.mapping
        throw field.error("there is no kind \(object.kind.quoted)", "write kind: \(name)")
      }
      // In a group of the API's own, a kind that is nearly one of these is a misspelled one.
      if let name = object.kind.nearest(of: Self.homes[object.group] ?? []) {
        let field = object.root["kind"] ?? object.root.mapping
        throw field.error("there is no kind \(object.kind.quoted)", "write kind: \(name)")
      }
      return nil
    }
    // Clusters had these objects before they became a part of v1, with the same fields.
    let isEarly =
      self == .serviceCIDR && ["v1alpha1", "v1beta1"].contains { object.apiVersion == "networking.k8s.io/\($0)" }
    if object.apiVersion == home || isEarly { return }
    // A group that is nearly one of the API's own is a misspelled one.
    let isMisspelled = object.group.nearest(of: Self.homes.keys.filter { $0.contains(".") }) != nil
    if object.isForeign, !isMisspelled { return nil }
    throw object.root.mapping.error(
      "apiVersion \(object.apiVersion.quoted) has no kind \(object.kind)", "write apiVersion: \(home)")
  }
}

extension ManifestObject {
  /// Another project's kind, whatever its name: Calico's NetworkPolicy, Knative's Service, Cluster API's Cluster. The
  /// API's own groups end in `.k8s.io`.
  fileprivate var isForeign: Bool {
    group.contains(".") && !group.hasSuffix(".k8s.io")
  }
}
