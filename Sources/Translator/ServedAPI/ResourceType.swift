/// A kind of objects as the API serves it (`metav1.APIResource`).
public struct ResourceType: Hashable, Sendable {
  /// Every key of an object holds a type, so it is no larger than a reference.
  private let facts: Facts

  private final class Facts: Sendable {
    let group, version, kind, plural, singular: String
    let shortNames: [String]
    let isNamespaced, hasStatus, isInAll, isOpaque: Bool

    init(
      _ group: String, _ version: String, _ kind: String, _ plural: String, _ singular: String, _ shortNames: [String],
      isNamespaced: Bool, hasStatus: Bool, isInAll: Bool, isOpaque: Bool
    ) {
      (self.group, self.version, self.kind, self.plural, self.singular) = (group, version, kind, plural, singular)
      self.shortNames = shortNames
      (self.isNamespaced, self.hasStatus, self.isInAll, self.isOpaque) = (isNamespaced, hasStatus, isInAll, isOpaque)
    }
  }

  /// Empty for the core group.
  public var group: String { facts.group }
  public var version: String { facts.version }
  public var kind: String { facts.kind }
  /// `networkpolicies`: the name in paths.
  public var plural: String { facts.plural }
  public var singular: String { facts.singular }
  public var shortNames: [String] { facts.shortNames }
  public var isNamespaced: Bool { facts.isNamespaced }
  /// Whether `status` is changed by a path of its own.
  public var hasStatus: Bool { facts.hasStatus }
  /// Whether `kubectl get all` shows it.
  public var isInAll: Bool { facts.isInAll }
  /// Whether a CustomResourceDefinition or a file named it, so that nothing is known of its fields.
  public var isOpaque: Bool { facts.isOpaque }

  public init(
    _ group: String, _ version: String, _ kind: String, _ plural: String, shortNames: [String] = [],
    isNamespaced: Bool = true, hasStatus: Bool = false, isInAll: Bool = false, isOpaque: Bool = false,
    singular: String? = nil
  ) {
    facts = Facts(
      group, version, kind, plural, singular ?? kind.lowercased(), shortNames, isNamespaced: isNamespaced,
      hasStatus: hasStatus, isInAll: isInAll, isOpaque: isOpaque)
  }

  /// `v1`, `apps/v1`.
  public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }
  /// `pods`, `deployments.apps`: as messages name it.
  public var qualifiedPlural: String { group.isEmpty ? plural : "\(plural).\(group)" }
  /// What a path of the API begins with: `/api/v1`, `/apis/apps/v1`.
  public var root: String { group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)" }

  /// What can be done with every type.
  public static let verbs = [
    "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch",
  ]
}

extension ResourceType {
  /// Its place in the API tells it from all others.
  public static func == (a: ResourceType, b: ResourceType) -> Bool {
    a.facts === b.facts || a.plural == b.plural && a.group == b.group && a.version == b.version
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(plural)
    hasher.combine(group)
  }
}

extension ResourceType {
  public static let namespaces = ResourceType(
    "", "v1", "Namespace", "namespaces", shortNames: ["ns"], isNamespaced: false, hasStatus: true)
  public static let nodes = ResourceType(
    "", "v1", "Node", "nodes", shortNames: ["no"], isNamespaced: false, hasStatus: true)
  public static let pods = ResourceType("", "v1", "Pod", "pods", shortNames: ["po"], hasStatus: true, isInAll: true)
  public static let services = ResourceType(
    "", "v1", "Service", "services", shortNames: ["svc"], hasStatus: true, isInAll: true)
  public static let endpoints = ResourceType("", "v1", "Endpoints", "endpoints", shortNames: ["ep"])
  public static let replicationControllers = ResourceType(
    "", "v1", "ReplicationController", "replicationcontrollers", shortNames: ["rc"], hasStatus: true, isInAll: true)
  public static let coreEvents = ResourceType("", "v1", "Event", "events", shortNames: ["ev"])
  public static let endpointSlices = ResourceType("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
  public static let networkPolicies = ResourceType(
    "networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", shortNames: ["netpol"])
  public static let serviceCIDRs = ResourceType(
    "networking.k8s.io", "v1", "ServiceCIDR", "servicecidrs", isNamespaced: false, hasStatus: true)
  public static let deployments = ResourceType(
    "apps", "v1", "Deployment", "deployments", shortNames: ["deploy"], hasStatus: true, isInAll: true)
  public static let replicaSets = ResourceType(
    "apps", "v1", "ReplicaSet", "replicasets", shortNames: ["rs"], hasStatus: true, isInAll: true)
  public static let statefulSets = ResourceType(
    "apps", "v1", "StatefulSet", "statefulsets", shortNames: ["sts"], hasStatus: true, isInAll: true)
  public static let daemonSets = ResourceType(
    "apps", "v1", "DaemonSet", "daemonsets", shortNames: ["ds"], hasStatus: true, isInAll: true)
  public static let jobs = ResourceType("batch", "v1", "Job", "jobs", hasStatus: true, isInAll: true)
  public static let cronJobs = ResourceType(
    "batch", "v1", "CronJob", "cronjobs", shortNames: ["cj"], hasStatus: true, isInAll: true)
  public static let leases = ResourceType("coordination.k8s.io", "v1", "Lease", "leases")
  public static let events = ResourceType("events.k8s.io", "v1", "Event", "events", shortNames: ["ev"])
  public static let customResourceDefinitions = ResourceType(
    "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions",
    shortNames: ["crd", "crds"], isNamespaced: false, hasStatus: true)

  /// Those of which only the metadata is checked, and which nothing here acts on: manifests have them, and kubectl and
  /// controllers ask for them.
  private static let others: [ResourceType] = [
    ResourceType("", "v1", "ConfigMap", "configmaps", shortNames: ["cm"]),
    ResourceType("", "v1", "Secret", "secrets"),
    ResourceType("", "v1", "ServiceAccount", "serviceaccounts", shortNames: ["sa"]),
    ResourceType("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", shortNames: ["pvc"], hasStatus: true),
    ResourceType(
      "", "v1", "PersistentVolume", "persistentvolumes", shortNames: ["pv"], isNamespaced: false, hasStatus: true),
    ResourceType("", "v1", "LimitRange", "limitranges", shortNames: ["limits"]),
    ResourceType("", "v1", "ResourceQuota", "resourcequotas", shortNames: ["quota"], hasStatus: true),
    ResourceType("networking.k8s.io", "v1", "Ingress", "ingresses", shortNames: ["ing"], hasStatus: true),
    ResourceType("networking.k8s.io", "v1", "IngressClass", "ingressclasses", isNamespaced: false),
    ResourceType("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", shortNames: ["pdb"], hasStatus: true),
    ResourceType(
      "autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", shortNames: ["hpa"], hasStatus: true,
      isInAll: true),
    ResourceType("rbac.authorization.k8s.io", "v1", "Role", "roles"),
    ResourceType("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings"),
    ResourceType("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", isNamespaced: false),
    ResourceType("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", isNamespaced: false),
    ResourceType("storage.k8s.io", "v1", "StorageClass", "storageclasses", shortNames: ["sc"], isNamespaced: false),
    ResourceType(
      "scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", shortNames: ["pc"], isNamespaced: false),
  ]

  /// What every server has, in the order in which it lists them.
  public static let builtIn: [ResourceType] =
    [
      namespaces, nodes, pods, services, endpoints, replicationControllers, coreEvents, deployments, replicaSets,
      statefulSets, daemonSets, jobs, cronJobs, endpointSlices, networkPolicies, serviceCIDRs, leases, events,
      customResourceDefinitions,
    ] + others
}
