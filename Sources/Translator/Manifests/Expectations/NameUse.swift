internal import NetpolModel

/// A name in an Expectations document: what it should stand for, and where it is written.
struct NameUse: Hashable, Sendable {
  enum Name: Hashable, Sendable {
    case end(ExpectedFlow.End)
    case policy(PolicyID)
    case subject(Expectations.LabelChange.Subject)
    case file(String)
  }

  let name: Name
  let text: String
  private let location: SourceLocation
  private let object: String?
  private let path: String

  init(_ name: Name, _ text: String, _ field: Field) {
    self.name = name
    self.text = text
    location = field.location
    object = field.subject.object
    path = field.path
  }

  func error(_ problem: String, _ remedy: String?) -> ManifestError {
    ManifestError(location: location, object: object, field: path, problem: problem, remedy: remedy)
  }

  /// Throws where the cluster has nothing of this name.
  func check(in cluster: ClusterNames) throws(ManifestError) {
    switch name {
    case .file: break
    case .policy(let id):
      if cluster.policies.contains(id) { return }
      throw unknown(id.kind.rawValue, in: id.namespace, cluster.policies.map(\.namespacedName).names(in: id.namespace))
    case .subject(.namespace(let name)):
      if cluster.namespaces.contains(name) { return }
      throw error("\(text.quoted) is no namespace", "known: \(cluster.namespaces.sorted().abridged(to: 8))")
    case .subject(.pod(let id)): try check(.pod(id), in: cluster)
    case .end(let end): try check(end, in: cluster)
    }
  }

  private func check(_ end: ExpectedFlow.End, in cluster: ClusterNames) throws(ManifestError) {
    switch end {
    case .address: break
    case .pod(let id):
      if cluster.pods.contains(id) { return }
      throw unknown("pod", in: id.namespace, cluster.pods.map(\.namespacedName).names(in: id.namespace))
    case .workload(let namespace, let kind, let name):
      let workloads = cluster.workloads[namespace] ?? []
      if workloads.contains("\(kind)/\(name)") { return }
      throw unknown("workload with pods", in: namespace, workloads.sorted())
    case .service(let id):
      if cluster.addressedServices.contains(id) { return }
      if cluster.services.contains(id) {
        throw error("\(text.quoted) has no ClusterIP", "name the pods or the workload behind it")
      }
      throw unknown("Service", in: id.namespace, cluster.services.names(in: id.namespace))
    case .node(let name):
      if cluster.nodes.contains(name) || cluster.pods.contains(PodID("node", name)) { return }
      throw error("\(text.quoted) is no node", "known: \(cluster.nodes.sorted().abridged(to: 8))")
    case .external(let name):
      if cluster.hosts.contains(name) || cluster.pods.contains(PodID("external", name)) { return }
      let hint =
        cluster.hosts.isEmpty
        ? "give externalHosts in a Cluster document" : "known: \(cluster.hosts.sorted().abridged(to: 8))"
      throw error("\(text.quoted) is no external host", hint)
    }
  }

  private func unknown(_ what: String, in namespace: String, _ known: [String]) -> ManifestError {
    let hint = known.isEmpty ? "there is none in \(namespace)" : "known in \(namespace): \(known.abridged(to: 8))"
    return error("\(text.quoted) is no \(what)", hint)
  }
}

/// The names of a cluster's objects.
struct ClusterNames {
  let namespaces: Set<String>
  let nodes: Set<String>
  let hosts: Set<String>
  let pods: Set<PodID>
  let policies: Set<PolicyID>
  let services: Set<NamespacedName>
  /// Services with a ClusterIP.
  let addressedServices: Set<NamespacedName>
  /// `Kind/name` of the workloads that have pods, by namespace.
  let workloads: [String: Set<String>]

  init(_ cluster: Cluster) {
    namespaces = Set(cluster.namespaces.map(\.name))
    nodes = Set(cluster.nodes.map(\.name))
    hosts = Set(cluster.externalHosts.map(\.name))
    pods = Set(cluster.pods.map(\.id))
    policies = Set(cluster.policies.map(\.id))
    services = Set(cluster.services.map(\.id))
    addressedServices = Set(cluster.services.filter { !$0.clusterIPs.isEmpty }.map(\.id))
    var workloads: [String: Set<String>] = [:]
    for pod in cluster.pods {
      if let owner = pod.owner { workloads[pod.id.namespace, default: []].insert("\(owner.kind)/\(owner.name)") }
    }
    self.workloads = workloads
  }

  /// The end as EndpointNames reads it: a pod of the namespace `node` or `external` goes before a node or a host.
  func meaning(_ end: ExpectedFlow.End) -> ExpectedFlow.End {
    switch end {
    case .node(let name) where pods.contains(PodID("node", name)): .pod(PodID("node", name))
    case .external(let name) where pods.contains(PodID("external", name)): .pod(PodID("external", name))
    default: end
    }
  }
}

extension Sequence<NamespacedName> {
  fileprivate func names(in namespace: String) -> [String] {
    filter { $0.namespace == namespace }.map(\.name).sorted()
  }
}
