internal import NetpolModel

/// Writes the Services of one workload, and the EndpointSlices that the controller makes for them.
struct ServiceObjects {
  let workload: PlannedWorkload
  let networks: GeneratedNetworks
  let nodes: Int

  /// "The maximum number of endpoints that will be added to an EndpointSlice. ... Defaults to 100": the flag
  /// `--max-endpoints-per-slice` of kube-controller-manager.
  static let mostEndpoints = 100

  var services: [String] { workload.services.map(text) }
  var slices: [String] { workload.services.flatMap(slices(of:)) }

  private func text(_ service: PlannedService) -> String {
    let identity = service.identity
    return """
      apiVersion: v1
      kind: Service
      metadata:
        creationTimestamp: "\(identity.time())"
        labels:
      \(workload.labels.lines.indented(4))
        name: \(service.name)
        namespace: \(workload.namespace)
        resourceVersion: "\(identity.resourceVersion)"
        uid: \(identity.uid)
      \(spec(service))
      status:
      \(status(service).indented(2))
      """
  }

  private func spec(_ service: PlannedService) -> String {
    let addresses = service.addressOffset.map { networks.serviceAddresses($0).map(\.description) } ?? ["None"]
    let policy = networks.families.count > 1 ? "PreferDualStack" : "SingleStack"
    let isOpen = service.kind == .nodePort || service.kind == .loadBalancer
    return
      ((["spec:"] + (service.kind == .loadBalancer ? ["  allocateLoadBalancerNodePorts: true"] : [])
      + ["  clusterIP: \(addresses.prefix(1).joined())", "  clusterIPs:"] + addresses.map { "  - \($0)" })
      + (isOpen ? ["  externalTrafficPolicy: Cluster"] : [])
      + ["  internalTrafficPolicy: Cluster", "  ipFamilies:"] + networks.families.map { "  - \($0.rawValue)" }
      + ["  ipFamilyPolicy: \(policy)", "  ports:"] + service.ports.map { port($0, of: service).asItem.indented(2) }
      + ["  selector:", workload.selector.lines.indented(4), "  sessionAffinity: None", "  type: \(service.type)"])
      .lines
  }

  private func port(_ port: PlannedServicePort, of service: PlannedService) -> String {
    (["name: \(port.name)"] + (service.nodePort.map { ["nodePort: \($0)"] } ?? [])
      + ["port: \(port.number)", "protocol: \(port.transport.rawValue)", "targetPort: \(port.target)"]).lines
  }

  private func status(_ service: PlannedService) -> String {
    guard service.kind == .loadBalancer else { return "loadBalancer: {}" }
    let addresses = (0..<min(nodes, 3)).flatMap(networks.nodeAddresses)
    return (["loadBalancer:", "  ingress:"] + addresses.map { "  - ip: \($0)\n    ipMode: VIP" }).lines
  }

  private func slices(of service: PlannedService) -> [String] {
    let pods = workload.pods.filter { $0.node != nil && $0.state != .succeeded }
    let groups = stride(from: 0, to: max(pods.count, 1), by: Self.mostEndpoints).map { first in
      pods[first..<min(first + Self.mostEndpoints, pods.count)]
    }
    return networks.families.enumerated().flatMap { index, family in
      groups.enumerated().map { number, pods in
        slice(of: service, family, pods, service.identity.part(number + 1000 * index))
      }
    }
  }

  private func slice(
    of service: PlannedService, _ family: IPFamily, _ pods: ArraySlice<PlannedPod>, _ identity: Identity
  ) -> String {
    let headless = service.kind == .headless ? ["service.kubernetes.io/headless": ""] : [:]
    let added: Labels = [
      "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
      "kubernetes.io/service-name": service.name,
    ]
    let labels = workload.labels.merging(headless.merging(added) { _, own in own }) { _, own in own }
    let endpoints = pods.map { endpoint($0, family, service).asItem }
    return """
      addressType: \(family.rawValue)
      apiVersion: discovery.k8s.io/v1
      \(endpoints.isEmpty ? "endpoints: null" : (["endpoints:"] + endpoints).lines)
      kind: EndpointSlice
      metadata:
        creationTimestamp: "\(identity.time())"
        generateName: \(service.name)-
        labels:
      \(labels.lines.indented(4))
        name: \(service.name)-\(identity.suffix(5))
        namespace: \(workload.namespace)
        ownerReferences:
        - apiVersion: v1
          blockOwnerDeletion: true
          controller: true
          kind: Service
          name: \(service.name)
          uid: \(service.identity.uid)
        resourceVersion: "\(identity.resourceVersion)"
        uid: \(identity.uid)
      \(endpoints.isEmpty ? "ports: null" : (["ports:"] + ports(service)).lines)
      """
  }

  private func endpoint(_ pod: PlannedPod, _ family: IPFamily, _ service: PlannedService) -> String {
    let node = pod.node ?? 0
    let own = workload.hostNetwork ? networks.nodeAddresses(node) : networks.podAddresses(node, slot: pod.slot)
    let isNamed = workload.kind == .statefulSet && service.kind == .headless
    let hostname = isNamed ? "\nhostname: \(pod.name)" : ""
    return """
      addresses:
      \(own.filter { $0.family == family }.map { "- \($0)" }.lines)
      conditions:
        ready: \(pod.state == .ready)
        serving: \(pod.state == .ready)
        terminating: false\(hostname)
      nodeName: \(PlannedNode.name(node))
      targetRef:
        kind: Pod
        name: \(pod.name)
        namespace: \(workload.namespace)
        uid: \(pod.identity.uid)
      zone: \(PlannedNode.zone(node))
      """
  }

  private func ports(_ service: PlannedService) -> [String] {
    service.ports.map { port in
      let named = workload.ports.first { $0.name == port.target && $0.transport == port.transport }
      let number = named.map { "\($0.number)" } ?? port.target
      return "- name: \(port.name)\n  port: \(number)\n  protocol: \(port.transport.rawValue)"
    }
  }
}

extension PlannedService {
  fileprivate var type: String {
    switch kind {
    case .clusterIP, .headless: "ClusterIP"
    case .nodePort: "NodePort"
    case .loadBalancer: "LoadBalancer"
    }
  }
}
