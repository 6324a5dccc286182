/// The names of a cluster's objects. Resolves the source or destination of a flow to endpoints.
public struct ClusterNames: Sendable {
  private let cluster: Cluster
  private let namespaces: Set<String>
  private let nodes: Set<String>
  private let hosts: Set<String>
  private let pods: Set<PodID>
  private let policies: Set<PolicyID>
  private let services: [NamespacedName: Service]
  /// The workloads that have pods, by namespace.
  private let workloads: [String: Set<Pod.Workload>]

  public init(_ cluster: Cluster) {
    self.cluster = cluster
    namespaces = Set(cluster.namespaces.map(\.name))
    nodes = Set(cluster.nodes.map(\.name))
    hosts = Set(cluster.externalHosts.map(\.name))
    pods = Set(cluster.pods.map(\.id))
    policies = Set(cluster.policies.map(\.id))
    services = Dictionary(cluster.services.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    workloads = cluster.pods.reduce(into: [:]) { workloads, pod in
      if let owner = pod.owner { workloads[pod.id.namespace, default: []].insert(owner) }
    }
  }

  public func check(_ id: PolicyID) throws(UnknownName) {
    if policies.contains(id) { return }
    throw UnknownName(id.kind.rawValue, in: id.namespace, policies.map(\.namespacedName))
  }

  public func check(namespace name: String) throws(UnknownName) {
    if !namespaces.contains(name) { throw UnknownName("matches no namespace", namespaces) }
  }

  /// Throws `UnknownName` if the cluster has no object of this name, or one without an address of its own. An address may
  /// belong to no object.
  public func check(_ end: EndpointReference) throws(UnknownName) {
    do throws(UnknownName) { try find(end) } catch {
      guard let pod = podTaken(forKeywordOf: end) else { throw error }
      let address = cluster.pod(pod)?.podIPs.first.map { ", \($0)" } ?? ""
      throw UnknownName(
        problem: error.problem,
        remedy: error.remedy + "; for pod \(pod.name) in namespace \(pod.namespace), write its address\(address)")
    }
  }

  /// The pod that a reference would name if its first word were a namespace and not a keyword. `nil` if there is none.
  private func podTaken(forKeywordOf end: EndpointReference) -> PodID? {
    let pod: PodID? =
      switch end {
      case .node(let name): PodID("node", name)
      case .external(let name): PodID("external", name)
      case .service(let id) where id.namespace.lowercased() == "pod": PodID("service", id.name)
      case .pod, .workload, .service, .virtualAddress, .address: nil
      }
    return pod.flatMap { pods.contains($0) ? $0 : nil }
  }

  private func find(_ end: EndpointReference) throws(UnknownName) {
    switch end {
    case .address: break
    case .pod(let id):
      if !pods.contains(id) { throw UnknownName("pod", in: id.namespace, pods.map(\.namespacedName)) }
    case .workload(let namespace, let kind, let name):
      let known = workloads[namespace] ?? []
      if known.contains(where: { $0.isCalled(kind, name) }) { return }
      throw UnknownName(
        "workload with pods", in: namespace, known.map { NamespacedName(namespace, "\($0.kind)/\($0.name)") })
    case .service(let id):
      let service = try service(id)
      if service.clusterIPs.isEmpty { throw UnknownName(withoutAddress: service, in: cluster) }
    case .virtualAddress(let id, let address):
      let announced = try service(id).announcedAddresses
      if announced.contains(address) { return }
      throw UnknownName("is not an address that Service \(id) announces", announced.map(\.description))
    case .node(let name):
      if !nodes.contains(name) { throw UnknownName("matches no node", nodes) }
    case .external(let name):
      if hosts.contains(name) { return }
      if hosts.isEmpty {
        throw UnknownName(problem: "matches no external host", remedy: "define externalHosts in a Cluster document")
      }
      throw UnknownName("matches no external host", hosts)
    }
  }

  private func service(_ id: NamespacedName) throws(UnknownName) -> Service {
    if let service = services[id] { return service }
    throw UnknownName("Service", in: id.namespace, services.keys)
  }

  /// The same with the kind of the workload, if no pod has the name and one workload has it.
  public func withKind(_ end: EndpointReference) -> EndpointReference {
    guard case .pod(let id) = end, !pods.contains(id) else { return end }
    let called = (workloads[id.namespace] ?? []).filter { $0.name == id.name }
    guard called.count == 1, let only = called.first else { return end }
    return .workload(namespace: id.namespace, kind: only.kind, name: only.name)
  }

  /// The endpoints behind a reference. For a workload, these are all its pods. Never empty. Throws as `check` does.
  public func endpoints(_ end: EndpointReference) throws(UnknownName) -> [Endpoint] {
    try check(end)
    return switch end {
    case .workload(let namespace, let kind, let name):
      cluster.pods(ofWorkload: kind, name, in: namespace).map { .pod($0.id) }
    case .address(let address): [owner(address) ?? .address(address)]
    case .pod, .service, .virtualAddress, .node, .external: [Endpoint(end)].compactMap(\.self)
    }
  }

  private func owner(_ address: IPAddress) -> Endpoint? {
    if cluster.strangers[address] != nil { return nil }
    let pods = cluster.pods.filter { !$0.hostNetwork && $0.podIPs.contains(address) }
    // A finished pod's address may belong to another pod by now.
    if let pod = pods.first(where: { !$0.phase.isTerminal }) ?? pods.first { return .pod(pod.id) }
    if let node = cluster.nodes.first(where: { $0.addresses.contains(address) }) { return .node(node.name) }
    if let service = cluster.serviceEndpoint(at: address) { return service }
    return cluster.externalHosts.first { $0.addresses.contains(address) }.map { .external($0.name) }
  }
}

extension Cluster {
  /// `kind` is not case-sensitive.
  public func pods(ofWorkload kind: String, _ name: String, in namespace: String) -> [Pod] {
    pods.filter { $0.id.namespace == namespace && $0.owner?.isCalled(kind, name) == true }
  }
}

extension Pod.Workload {
  fileprivate func isCalled(_ kind: String, _ name: String) -> Bool {
    self.name == name && (self.kind == kind || self.kind.lowercased() == kind.lowercased())
  }
}

/// A name that matches no object in the cluster.
public struct UnknownName: Error, Hashable, Sendable {
  /// Continues the user's text: `matches no pod`.
  public let problem: String
  /// The names that exist, or what to write instead.
  public let remedy: String

  fileprivate init(problem: String, remedy: String) {
    self.problem = problem
    self.remedy = remedy
  }

  /// A Service without a ClusterIP: what it is, and whom to ask instead.
  fileprivate init(withoutAddress service: Service, in cluster: Cluster) {
    if service.kind == .externalName {
      let name = service.externalName ?? "another name"
      self.init(
        problem: "is of type ExternalName: only a DNS alias for \(name)",
        remedy: "name an address of \(service.externalName ?? "that name") instead")
      return
    }
    let pods = cluster.pods.filter { service.selects($0) && !$0.phase.isTerminal }
    let members = Set(cluster.slices(of: service.id).flatMap(\.members)).sorted { $0.address < $1.address }
    let names =
      pods.isEmpty ? members.map { $0.pod?.description ?? $0.address.description } : pods.map(\.id.description)
    let ports = Set(pods.flatMap(service.targets)).sorted().map(\.description)
    self.init(
      problem: "is a headless Service, without an address of its own",
      remedy: names.isEmpty
        ? "it has no pods either"
        : "name one of its pods: \(names.abridged(to: 8))" + (ports.isEmpty ? "" : " (\(ports.abridged(to: 8)))"))
  }

  fileprivate init(_ problem: String, _ known: some Sequence<String>) {
    let known = known.sorted()
    self.init(problem: problem, remedy: known.isEmpty ? "there are none" : "known: \(known.abridged(to: 8))")
  }

  fileprivate init(_ what: String, in namespace: String, _ known: some Sequence<NamespacedName>) {
    let known = known.filter { $0.namespace == namespace }.map(\.name).sorted()
    self.init(
      problem: "matches no \(what)",
      remedy: known.isEmpty ? "there are none in \(namespace)" : "known in \(namespace): \(known.abridged(to: 8))")
  }
}

extension [String] {
  /// `a, b, c and 12 more`.
  package func abridged(to count: Int = 3) -> String {
    let shown = prefix(count).joined(separator: ", ")
    return self.count > count ? "\(shown) and \(self.count - count) more" : shown
  }
}
