internal import NetpolModel
internal import OrderedCollections
internal import Text

/// Objects that are skipped. Other engines' policies are reported by name, the rest by number.
struct SkippedObjects {
  /// An object of another project, which may create pods.
  struct Stranger {
    let object: Pod.Workload
    let namespace: String
    let group: String
    let owners: [Pod.Workload]
    /// The other namespace that its controller fills: that of a HelmRelease's chart, or of an Application.
    let target: String?
  }

  private var policies: [String: [String]] = [:]
  private var others: [String: Int] = [:]
  private var routes: OrderedDictionary<Router, [String]> = [:]
  private(set) var strangers: [Stranger] = []
  /// The groups of other projects, also of those that have no pods.
  private var groups: Set<String> = []

  /// The strangers that another object owns.
  var owned: [Stranger] { strangers.filter { !$0.owners.isEmpty } }

  mutating func note(_ object: ManifestObject) {
    let name = (try? object.metadata?["name"]?.string()) ?? ""
    let space = try? object.metadata?["namespace"]?.string()
    let namespace = space.map { "\($0)/" } ?? ""
    if object.isOfOtherProject { groups.insert(object.group) }
    if object.kind == "CustomResourceDefinition", let group = try? object.root["spec"]?.fields()["group"]?.string() {
      groups.insert(group)
    }
    if object.isOtherPolicy {
      policies["\(object.kind) (\(object.group))", default: []].append(namespace + name)
    } else if let router = Router(object) {
      routes[router, default: []].append("\(object.kind) \(space ?? "default")/\(name)")
    } else if object.isOfOtherProject, !object.neverHasPods {
      strangers.append(
        Stranger(
          object: Pod.Workload(kind: object.kind, name: name), namespace: space ?? "default", group: object.group,
          owners: (try? object.owners()) ?? [], target: object.targetNamespace))
    } else {
      others[object.kind, default: 0] += 1
    }
  }

  /// Warnings, because other engines' policies act on the same packets.
  var warnings: [Note] {
    policies.sorted { $0.key < $1.key }.map { kind, names in
      Note(.warning, "\(kind) is not modelled: \(names.abridged(to: 5)); verdicts cover NetworkPolicy v1 only")
    }
  }

  /// Which namespaces may have pods that the input lacks, and what policies it has that are not modelled.
  func unseen(_ ownership: Ownership) -> Unseen {
    var unseen = Unseen()
    for stranger in strangers where !ownership.hasPods(stranger.object, in: stranger.namespace) {
      unseen.podsIn.formUnion([stranger.namespace] + (stranger.target.map { [$0] } ?? []))
    }
    unseen.policyKinds = Set(policies.keys)
    unseen.groups = groups
    return unseen
  }

  /// One warning for the kinds of other projects, whose controllers may create pods. Leaves out objects whose pods, or
  /// a workload of theirs, are in the input.
  func strangerWarnings(_ ownership: Ownership) -> [Note] {
    let unseen = strangers.filter { !ownership.hasPods($0.object, in: $0.namespace) }
    if unseen.isEmpty { return [] }
    let kinds = unseen.countedByKind { ($0.object.kind, $0.group) }
    let whose = unseen.count == 1 ? "its" : "their"
    return [
      Note(
        .warning,
        "skipped \(counted(unseen.count, "object")) of other projects: \(kinds.abridged(to: 8)); "
          + "\(whose) pods may be missing")
    ]
  }

  var notes: [Note] {
    let notes = routes.map { router, names in
      Note(.note, "\(names.abridged()): the sender is a pod of the \(router.rawValue); ask with --from namespace/pod")
    }
    guard !others.isEmpty else { return notes }
    let kinds = others.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" }
    let count = others.values.reduce(0, +)
    return notes + [Note(.note, "skipped \(counted(count, "object")) of other kinds: \(kinds.abridged(to: 8))")]
  }
}

/// Who sends the packets of an object that only routes them.
private enum Router: String {
  case ingress = "ingress controller"
  case gateway = "gateway"
  case openShift = "OpenShift router"

  /// `nil` if the object routes nothing.
  init?(_ object: ManifestObject) {
    switch (object.group, object.kind) {
    case ("networking.k8s.io", "Ingress"), ("extensions", "Ingress"): self = .ingress
    case ("gateway.networking.k8s.io", "Gateway"): self = .gateway
    case ("gateway.networking.k8s.io", let kind) where kind.hasSuffix("Route"): self = .gateway
    case ("traefik.io", let kind) where kind.hasPrefix("IngressRoute"): self = .ingress
    case ("traefik.containo.us", let kind) where kind.hasPrefix("IngressRoute"): self = .ingress
    case ("projectcontour.io", "HTTPProxy"): self = .ingress
    case ("networking.istio.io", "Gateway"): self = .gateway
    case ("route.openshift.io", "Route"): self = .openShift
    default: return nil
    }
  }
}

extension ManifestObject {
  /// Whether another engine drops packets for the object.
  fileprivate var isOtherPolicy: Bool {
    switch (group, kind) {
    case (_, let kind) where kind.hasSuffix("NetworkPolicy"): true
    case ("security.istio.io", "AuthorizationPolicy"), ("security.istio.io", "PeerAuthentication"): true
    case ("k8s.ovn.org", "EgressFirewall"), ("policy.linkerd.io", _): true
    default: false
    }
  }

  /// Of Flux's HelmRelease and k3s's HelmChart: `spec.targetNamespace`; of Argo CD's Application: `spec.destination`.
  fileprivate var targetNamespace: String? {
    guard let spec = try? root["spec"]?.fields() else { return nil }
    let destination = try? spec["destination"]?.fields()
    return (try? spec["targetNamespace"]?.string()) ?? (try? destination?["namespace"]?.string())
  }

  /// Whether the kind comes from another project. The API's own groups have no dot, or end in `.k8s.io`.
  var isOfOtherProject: Bool {
    if group.hasSuffix(".k8s.io") { return false }
    return !["", "apps", "batch", "autoscaling", "policy", "extensions"].contains(group)
  }
}

extension Sequence {
  /// `2 Kafka (kafka.strimzi.io)`, most frequent first.
  func countedByKind(_ kind: (Element) -> (name: String, group: String)) -> [String] {
    var counts: [String: Int] = [:]
    for element in self {
      let (name, group) = kind(element)
      counts["\(name) (\(group))", default: 0] += 1
    }
    return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" }
  }
}
