internal import NetpolModel

/// The EndpointSlices that the endpoint slice controller would create from selectors, readiness and container ports.
struct DerivedSlices {
  private let pods: [String: [Pod]]
  private let nodes: [String: Node]
  /// Pods with a deletionTimestamp.
  private let terminating: Set<PodID>

  init(_ cluster: Cluster, terminating: Set<PodID>) {
    pods = Dictionary(grouping: cluster.pods.filter { !$0.phase.isTerminal }, by: \.id.namespace)
    nodes = Dictionary(cluster.nodes.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.terminating = terminating
  }

  /// One slice for each family and distinct list of ports, with members sorted by address. Skips names in `taken` and
  /// adds the new ones to it.
  func slices(of service: Service, _ families: [IPFamily], taken: inout Set<NamespacedName>) -> [EndpointSlice] {
    guard service.kind != .externalName, service.selector?.isEmpty == false else { return [] }
    let selected = (pods[service.id.namespace] ?? []).filter(service.selects)
    return families.flatMap { family in
      var members = selected.compactMap { pod in address(of: pod, family).map { (pod, $0) } }
      members.sort { ($0.1, $0.0.id) < ($1.1, $1.0.id) }
      var slices: [EndpointSlice] = []
      for (pod, address) in members {
        let ports = service.ports.compactMap { resolve($0, in: pod) }
        if ports.isEmpty { continue }
        if let index = slices.firstIndex(where: { $0.ports == ports }) {
          slices[index].members.append(member(pod, address, of: service))
        } else {
          slices.append(
            EndpointSlice(
              id: .ofSlice(service.id, family, &taken), service: service.id.name, family: family, ports: ports,
              members: [member(pod, address, of: service)]))
        }
      }
      return slices
    }
  }

  /// A host-network pod has its node's address.
  private func address(of pod: Pod, _ family: IPFamily) -> IPAddress? {
    if pod.hostNetwork, let address = pod.node.flatMap({ nodes[$0]?.address(family) }) { return address }
    return pod.address(family) ?? pod.podIP.flatMap { $0.family == family ? $0 : nil }
  }

  private func member(_ pod: Pod, _ address: IPAddress, of service: Service) -> EndpointSlice.Member {
    let isTerminating = terminating.contains(pod.id)
    var member = EndpointSlice.Member(
      address, isReady: service.publishesNotReadyAddresses || pod.isReady && !isTerminating, isServing: pod.isReady,
      isTerminating: isTerminating, node: pod.node, pod: pod.id)
    // The package trafficdist of the EndpointSlice controller: each ready endpoint is for its own zone, and with
    // PreferSameNode for its own node too.
    if member.isReady, let distribution = service.trafficDistribution, let node = pod.node {
      member.zoneHints = (nodes[node]?.zone).map { [$0] } ?? []
      if distribution == .preferSameNode { member.nodeHints = [node] }
    }
    return member
  }

  /// `FindPort`: the first port with that name and transport, of containers and then of sidecars (from Kubernetes 1.33
  /// on). `nil` if the pod has none.
  private func resolve(_ port: Service.Port, in pod: Pod) -> EndpointSlice.Port? {
    switch port.targetPort {
    case .number(let number): return .init(name: port.name, transport: port.transport, port: number)
    case .name(let name):
      let found = pod.ports.first { $0.name == name && $0.transport == port.transport }
      return found.map { .init(name: port.name, transport: port.transport, port: $0.number) }
    }
  }
}
