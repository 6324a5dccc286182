internal import NetpolModel

/// An object that the input may give several times: once in a list and once in a file of its own, or once as a manifest
/// and once as the cluster has it.
protocol RepeatedObject {
  /// Whether both say the same. Ignores what the API server writes and only one of them has: status, and metadata such as
  /// `resourceVersion`.
  func says(sameAs other: Self) -> Bool

  /// This object with what the API server wrote into an earlier one of this name, where this one lacks it. `kubectl
  /// apply` leaves that unchanged too.
  func completed(from earlier: Self) -> Self
}

extension RepeatedObject {
  func completed(from earlier: Self) -> Self { self }
}

extension Namespace: RepeatedObject {
  func says(sameAs other: Self) -> Bool { self == other }
}

extension NodeManifest: RepeatedObject {
  func says(sameAs other: Self) -> Bool {
    let networks = (Set(podCIDRs.map(\.value)), Set(other.podCIDRs.map(\.value)))
    let machines = (Set(addresses.map(\.value)), Set(other.addresses.map(\.value)))
    return labels == other.labels && (networks.0.isEmpty || networks.1.isEmpty || networks.0 == networks.1)
      && (machines.0.isEmpty || machines.1.isEmpty || machines.0 == machines.1)
  }

  func completed(from earlier: Self) -> Self {
    var node = self
    if addresses.isEmpty { node.addresses = earlier.addresses }
    if podCIDRs.isEmpty { node.podCIDRs = earlier.podCIDRs }
    return node
  }
}

extension PodManifest: RepeatedObject {
  func says(sameAs other: Self) -> Bool {
    let isOnOneNode = pod.node == nil || other.pod.node == nil || pod.node == other.pod.node
    return isOnOneNode && pod.labels == other.pod.labels && pod.ports == other.pod.ports
      && pod.hostNetwork == other.pod.hostNetwork && hostname == other.hostname
      && (!hasStatus || !other.hasStatus || isInState(of: other))
  }

  /// A pod that starts is the same pod a moment later, but one with another address is not.
  private func isInState(of other: Self) -> Bool {
    pod.phase.isTerminal == other.pod.phase.isTerminal && pod.podIPs == other.pod.podIPs
      && pod.hostIP == other.pod.hostIP && (pod.isReady == other.pod.isReady || pod.phase != other.pod.phase)
  }

  func completed(from earlier: Self) -> Self {
    var manifest = hasStatus ? self : withStatus(of: earlier)
    manifest.pod.node = pod.node ?? earlier.pod.node
    return manifest
  }
}

extension ServiceManifest: RepeatedObject {
  /// The load-balancer addresses of its status.
  private var announcedIPs: Set<IPAddress> {
    loadBalancerAssumption == nil ? Set(service.loadBalancerIPs.map(\.address)) : []
  }

  func says(sameAs other: Self) -> Bool {
    let addresses = (statedIPs.map(\.value), other.statedIPs.map(\.value))
    let announced = (announcedIPs, other.announcedIPs)
    return service.withoutStatus == other.service.withoutStatus && isHeadless == other.isHeadless
      && (announced.0.isEmpty || announced.1.isEmpty || announced.0 == announced.1)
      && (addresses.0.isEmpty || addresses.1.isEmpty || addresses.0 == addresses.1)
      && wantsNodePorts == other.wantsNodePorts
  }

  func completed(from earlier: Self) -> Self {
    var manifest = self
    if wantsClusterIP, statedIPs.isEmpty { manifest.statedIPs = earlier.statedIPs }
    manifest.service.healthCheckNodePort = service.healthCheckNodePort ?? earlier.service.healthCheckNodePort
    if loadBalancerAssumption != nil || service.loadBalancerIPs.isEmpty, earlier.loadBalancerAssumption == nil,
      !earlier.service.loadBalancerIPs.isEmpty, service.kind == .loadBalancer
    {
      manifest.service.loadBalancerIPs = earlier.service.loadBalancerIPs
      manifest.loadBalancerAssumption = nil
    }
    return manifest
  }
}

extension EndpointSliceManifest: RepeatedObject {
  func says(sameAs other: Self) -> Bool { slice == other.slice }
}

extension EndpointsManifest: RepeatedObject {
  func says(sameAs other: Self) -> Bool { self == other }
}

extension ServiceCIDRManifest: RepeatedObject {
  func says(sameAs other: Self) -> Bool { cidrs == other.cidrs }
}

extension NetworkPolicy: RepeatedObject {
  func says(sameAs other: Self) -> Bool { withoutServerFields == other.withoutServerFields }
}

extension Workload: RepeatedObject {
  func says(sameAs other: Self) -> Bool {
    count == other.count && labels == other.labels && spec == other.spec && reference == other.reference
  }
}

extension Service {
  fileprivate var withoutStatus: Service {
    var service = self
    service.location = nil
    service.loadBalancerIPs = []
    // The API server assigns it.
    service.healthCheckNodePort = nil
    return service
  }
}

extension NetworkPolicy {
  /// The policy without its places in the files and without kubectl's own copy of it.
  fileprivate var withoutServerFields: NetworkPolicy {
    var policy = unlocated
    policy.annotations["kubectl.kubernetes.io/last-applied-configuration"] = nil
    return policy
  }
}
