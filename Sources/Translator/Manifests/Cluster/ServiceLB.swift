internal import Algorithms
internal import NetpolModel

/// k3s's servicelb, the controller that gives each Service of type LoadBalancer a DaemonSet of svclb pods
/// (`pkg/cloudprovider/servicelb.go` of k3s).
struct ServiceLB {
  static let namespace = "kube-system"
  private static let prefix = "svccontroller.k3s.cattle.io/"

  /// Services for which the controller makes svclb pods.
  private let balanced: [ServiceManifest]
  /// Of these, the ones whose svclb pods are made here, since the input has none.
  private let services: [ServiceManifest]
  private let nodes: [String: NodeManifest]
  private(set) var notes: [Note] = []

  /// `pods` are those of the input.
  init(_ inventory: Inventory, _ manifests: [NodeManifest], besides pods: [PodManifest]) {
    nodes = Dictionary(manifests.map { ($0.name, $0) }) { first, _ in first }
    let isStated = inventory.cluster?.settings.loadBalancing == .servicelb
    let isUsual =
      inventory.cluster?.settings.loadBalancing == nil && inventory.loadBalancing == nil
      && inventory.nodes.values.contains { $0.k3s?.isOfK3s == true }
      && !inventory.nodes.values.contains { $0.k3s?.disables("servicelb") == true }
      // A dump with pods of that namespace would have the svclb pods too.
      && !pods.contains { $0.pod.id.namespace == Self.namespace }
    let hasSome = pods.contains { $0.pod.isServiceLB }
    balanced = inventory.services.filter { $0.service.kind == .loadBalancer && !$0.hasLoadBalancerClass }
      // Their svclb pods were scheduled in the order in which they were created.
      .sorted { ($0.created ?? "~", $0.service.id) < ($1.created ?? "~", $1.service.id) }
    services = (isStated || isUsual) && !hasSome ? balanced : []
  }

  /// The svclb pods that the controller and the scheduler would make. A node whose host port is taken gets none.
  mutating func pods(besides pods: [PodManifest]) -> [PodManifest] {
    var taken: [String: Set<TransportPort>] = [:]
    for pod in pods.map(\.pod) where pod.hostNetwork {
      // The scheduler counts the ports that such a pod declares.
      if let node = pod.node {
        taken[node, default: []].formUnion(pod.ports.map { TransportPort($0.transport, $0.number) })
      }
    }
    for pod in pods.map(\.pod) {
      if let node = pod.node { taken[node, default: []].formUnion(pod.hostPorts.map(\.port)) }
    }
    var made: [PodManifest] = []
    var pending: [String] = []
    for manifest in services {
      let service = manifest.service
      let ports = Set(service.ports.map { TransportPort($0.transport, $0.port) })
      for node in candidates(manifest) {
        if !taken[node, default: []].isDisjoint(with: ports) {
          pending.append("\(service.id) on \(node)")
          continue
        }
        taken[node, default: []].formUnion(ports)
        made.append(Self.pod(of: manifest, on: node))
      }
    }
    if !made.isEmpty {
      let names = services.map(\.service.id.description).abridged(to: 5)
      notes.append(Note(.note, "svclb pods of k3s's servicelb made for \(names), \(made.count) in all"))
    }
    if !pending.isEmpty {
      notes.append(
        Note(.warning, "svclb pods that find no node, because their port is taken: \(pending.abridged(to: 5))"))
    }
    return made
  }

  /// The nodes that the DaemonSet's nodeSelector admits, sorted by name.
  private func candidates(_ manifest: ServiceManifest) -> [String] {
    let enabled = nodes.values.contains { $0.labels[Self.prefix + "enablelb"] != nil }
    let pool = manifest.service.labels[Self.prefix + "lbpool"]
    return nodes.values.filter(\.admitsServiceLB).filter { node in
      if !enabled { return true }
      return node.labels[Self.prefix + "enablelb"] == "true"
        && pool.map { node.labels[Self.prefix + "lbpool"] == $0 } ?? true
    }.map(\.name).sorted()
  }

  private static func pod(of manifest: ServiceManifest, on node: String) -> PodManifest {
    let service = manifest.service
    var name = String(service.id.name.prefix(48))
    while name.hasSuffix("-") { name.removeLast() }
    // The first digits of the Service's uid, which only objects of a cluster have.
    let uid = manifest.uid.map { String($0.prefix(8)) } ?? service.id.description.identifier
    let daemonSet = "svclb-\(name)-\(uid)"
    var pod = Pod(
      id: PodID(namespace, "\(daemonSet)-\(node)"),
      labels: [
        "app": daemonSet, prefix + "svcname": service.id.name, prefix + "svcnamespace": service.id.namespace,
      ],
      node: node,
      ports: service.ports.map {
        ContainerPort(name: "lb-\($0.transport.keyword)-\($0.port)", number: $0.port, transport: $0.transport)
      }, location: service.location)
    pod.hostPorts = service.ports.map { HostPort(TransportPort($0.transport, $0.port)) }
    pod.owner = Pod.Workload(kind: "DaemonSet", name: daemonSet)
    return PodManifest(pod, hostname: nil)
  }

  /// Writes the addresses that the controller would: those of the nodes with a ready svclb pod, with traffic policy Local
  /// only of those with a ready endpoint too. Services with a status keep it.
  mutating func writeStatus(of cluster: inout Cluster, _ families: [NamespacedName: [IPFamily]]) {
    var places: [NamespacedName: Set<String>] = [:]
    for pod in cluster.pods where pod.isServiceLB && pod.isReady {
      guard let node = pod.node, let service = cluster.balanced(by: pod) else { continue }
      places[service.id, default: []].insert(node)
    }
    let stated = Set(balanced.filter(\.hasLoadBalancerStatus).map(\.service.id))
    let writable = Set(balanced.map(\.service.id)).subtracting(stated)
    var (written, empty, nowhere): ([String], [String], [String]) = ([], [], [])
    for index in cluster.services.indices {
      let service = cluster.services[index]
      guard let places = places[service.id] else { continue }
      if stated.contains(service.id), service.loadBalancerIPs.isEmpty { empty.append("\(service.id)") }
      if stated.contains(service.id) { noteUnlisted(service, places, cluster.nodes) }
      guard writable.contains(service.id) else { continue }
      let serving = Set(cluster.pods.filter { $0.isReady && service.selects($0) }.compactMap(\.node))
      let own = cluster.nodes.filter { node in
        places.contains(node.name) && (service.externalTrafficPolicy == .cluster || serving.contains(node.name))
      }
      let external = own.flatMap { node in node.addresses.filter { nodes[node.name]?.externalIPs.contains($0) == true }
      }
      let addresses = external.isEmpty ? own.flatMap(\.addresses) : external
      cluster.services[index].loadBalancerIPs = (families[service.id] ?? [.v4]).flatMap { family in
        addresses.filter { $0.family == family }.sorted { "\($0)" < "\($1)" }.map { Service.LoadBalancerIP($0) }
      }
      if cluster.services[index].loadBalancerIPs.isEmpty {
        nowhere.append("\(service.id)")
      } else {
        written.append("\(service.id)")
      }
    }
    if !written.isEmpty {
      notes.append(
        Note(.note, "load-balancer addresses are those of the svclb pods' nodes: \(written.abridged(to: 5))"))
    }
    if !nowhere.isEmpty {
      notes.append(
        Note(
          .warning,
          "svclb pods, but no node with a ready endpoint, which traffic policy Local needs: \(nowhere.abridged(to: 5)); the "
            + "Service gets no address"))
    }
    if !empty.isEmpty {
      notes.append(
        Note(
          .warning,
          "svclb pods, but an empty status.loadBalancer: \(empty.abridged(to: 5)); kube-proxy takes no node address for "
            + "it, and packets reach the svclb pods; without the status, servicelb's addresses are assumed"))
    }
  }

  /// Notes nodes with a svclb pod of a Service whose status names other nodes, but not these.
  private mutating func noteUnlisted(_ service: Service, _ places: Set<String>, _ nodes: [Node]) {
    let listed = Set(service.loadBalancerIPs.map(\.address))
    let isOfNodes = nodes.contains { !listed.isDisjoint(with: $0.addresses) }
    guard isOfNodes, service.externalTrafficPolicy == .cluster else { return }
    let unlisted = nodes.filter { places.contains($0.name) && listed.isDisjoint(with: $0.addresses) }.map(\.name)
    if unlisted.isEmpty { return }
    notes.append(
      Note(
        .warning,
        "the status of Service \(service.id) does not list \(unlisted.abridged(to: 5)), where it has a svclb pod: "
          + "packets to its address there go through that pod"))
  }
}

extension Cluster {
  /// Tells the svclb pods where they send what they receive: by their environment, or else as the controller would write
  /// it for their Service. `manifests` are the pods as the input gives them. Returns the pods whose Service is unknown.
  mutating func connectServiceLB(_ manifests: [PodManifest], _ sourceRanges: [NamespacedName: [CIDR]]) -> [PodID] {
    let containers = Dictionary(manifests.map { ($0.pod.id, $0.balancers) }) { first, _ in first }
    let unusable = Set(manifests.filter(\.hasUnusableBalancer).map(\.pod.id))
    var unknown: [PodID] = []
    for index in pods.indices where pods[index].isServiceLB || containers[pods[index].id]?.isEmpty == false {
      let pod = pods[index]
      let own = pod.node.flatMap(node)
      let hostIPs = IPFamily.allCases.compactMap { family in
        pod.hostIP.flatMap { $0.family == family ? $0 : nil } ?? own?.address(family)
      }
      if let containers = containers[pod.id], !containers.isEmpty {
        pods[index].forwards = containers.map {
          PodForward($0.port, from: $0.sourceRanges, to: $0.destinations ?? hostIPs, port: $0.destinationPort)
        }
      } else if !unusable.contains(pod.id), let service = balanced(by: pod) {
        pods[index].forwards = service.ports.compactMap { port in
          let isLocal = service.externalTrafficPolicy == .local
          guard pod.ports.contains(where: { $0.number == port.port && $0.transport == port.transport }),
            let destination = isLocal ? port.nodePort : port.port
          else { return nil }
          return PodForward(
            TransportPort(port.transport, port.port), from: service.forwardRanges(sourceRanges[service.id] ?? []),
            to: isLocal ? hostIPs : service.clusterIPs, port: destination)
        }
      } else {
        unknown.append(pod.id)
      }
    }
    return unknown
  }

  /// The Service that a svclb pod is for: the one in its labels, or else the only one that its name can mean.
  fileprivate func balanced(by pod: Pod) -> Service? {
    let prefix = "svccontroller.k3s.cattle.io/"
    if let name = pod.labels[prefix + "svcname"], let namespace = pod.labels[prefix + "svcnamespace"] {
      return service(NamespacedName(namespace, name))
    }
    let name = (pod.owner?.name ?? pod.id.name).dropFirst("svclb-".count)
    let named = services.filter { service in
      service.kind == .loadBalancer && (name == service.id.name || name.hasPrefix(service.id.name + "-"))
    }
    let longest = named.map(\.id.name.count).max()
    let best = named.filter { $0.id.name.count == longest }
    return best.count == 1 ? best.first : nil
  }
}

extension Service {
  /// `SRC_RANGES`: every address, if the Service names none.
  fileprivate func forwardRanges(_ annotated: [CIDR]) -> [CIDR] {
    let stated = loadBalancerSourceRanges.isEmpty ? annotated : loadBalancerSourceRanges
    if !stated.isEmpty { return stated }
    return [CIDR(IPAddress(v4: 0), prefixLength: 0)]
      + (clusterIPs.contains { $0.family == .v6 } ? [CIDR(IPAddress(v6: 0), prefixLength: 0)] : [])
  }
}

extension String {
  /// Eight digits in place of those of a uid.
  fileprivate var identifier: String {
    sha256(Array(utf8)).prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
