/// The fields of a Service that affect packets.
public struct Service: Hashable, Sendable {
  /// `spec.type`.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case clusterIP = "ClusterIP"
    case nodePort = "NodePort"
    case loadBalancer = "LoadBalancer"
    case externalName = "ExternalName"
  }

  /// `externalTrafficPolicy` or `internalTrafficPolicy`: send to any endpoint, or only to endpoints on the entry node.
  public enum TrafficPolicy: String, Hashable, Sendable, CaseIterable {
    case cluster = "Cluster"
    case local = "Local"
  }

  /// `trafficDistribution`: which endpoints the EndpointSlice controller tells nodes to prefer. It only writes hints;
  /// kube-proxy reads those. `PreferClose` is an older name of `PreferSameZone`.
  public enum TrafficDistribution: Hashable, Sendable, CaseIterable {
    case preferSameZone
    case preferSameNode
  }

  public struct Port: Hashable, Sendable {
    /// `nil` if the Service's only port has no name.
    public var name: String?
    public var port: UInt16
    public var targetPort: PortReference
    public var transport: Transport
    /// The same number on every node.
    public var nodePort: UInt16?
    public init(
      name: String? = nil, port: UInt16, targetPort: PortReference, transport: Transport, nodePort: UInt16? = nil
    ) {
      self.name = name
      self.port = port
      self.targetPort = targetPort
      self.transport = transport
      self.nodePort = nodePort
    }
  }

  /// An entry of `status.loadBalancer.ingress`.
  public struct LoadBalancerIP: Hashable, Sendable {
    public var address: IPAddress
    /// `ipMode: Proxy`: the load balancer translates the address itself, so nodes do not short-circuit it.
    public var isProxied: Bool
    public init(_ address: IPAddress, isProxied: Bool = false) {
      self.address = address
      self.isProxied = isProxied
    }
  }

  public var id: NamespacedName
  public var labels: Labels = [:]
  public var kind: Kind
  /// `nil`: the endpoints are managed by someone else.
  public var selector: Labels?
  public var ports: [Port]
  /// `spec.clusterIPs`, at most one per family. Empty for a headless service.
  public var clusterIPs: [IPAddress]
  public var externalIPs: [IPAddress]
  public var loadBalancerIPs: [LoadBalancerIP]
  /// `spec.loadBalancerSourceRanges`. Empty: every client is allowed.
  public var loadBalancerSourceRanges: [CIDR]
  public var externalTrafficPolicy: TrafficPolicy
  public var internalTrafficPolicy: TrafficPolicy
  public var trafficDistribution: TrafficDistribution?
  /// `healthCheckNodePort`: where nodes tell a load balancer whether they have local endpoints.
  public var healthCheckNodePort: UInt16?
  /// `sessionAffinity: ClientIP`.
  public var hasClientAffinity: Bool
  /// The node that an annotation names as the holder of its load-balancer address (`kube-vip.io/vipHost`).
  public var announcingNode: String?
  /// `spec.loadBalancerClass`.
  public var loadBalancerClass: String?
  /// MetalLB's annotation `allow-shared-ip`.
  public var sharesAddress = false
  public var publishesNotReadyAddresses: Bool
  /// `spec.externalName`: the DNS name that a service of type ExternalName stands for.
  public var externalName: String?
  public var location: SourceLocation?

  public init(
    id: NamespacedName, kind: Kind = .clusterIP, selector: Labels? = nil, ports: [Port] = [],
    clusterIPs: [IPAddress] = [], externalIPs: [IPAddress] = [], loadBalancerIPs: [LoadBalancerIP] = [],
    loadBalancerSourceRanges: [CIDR] = [], externalTrafficPolicy: TrafficPolicy = .cluster,
    internalTrafficPolicy: TrafficPolicy = .cluster, hasClientAffinity: Bool = false,
    publishesNotReadyAddresses: Bool = false, location: SourceLocation? = nil
  ) {
    self.id = id
    self.kind = kind
    self.selector = selector
    self.ports = ports
    self.clusterIPs = clusterIPs
    self.externalIPs = externalIPs
    self.loadBalancerIPs = loadBalancerIPs
    self.loadBalancerSourceRanges = loadBalancerSourceRanges
    self.externalTrafficPolicy = externalTrafficPolicy
    self.internalTrafficPolicy = internalTrafficPolicy
    self.hasClientAffinity = hasClientAffinity
    self.publishesNotReadyAddresses = publishesNotReadyAddresses
    self.location = location
  }

  /// The addresses that clients outside the cluster use: external IPs and load-balancer addresses.
  public var announcedAddresses: [IPAddress] { externalIPs + loadBalancerIPs.map(\.address) }

  /// Those that nodes translate: all but the ones of a balancer that does it itself.
  public var translatedAddresses: [IPAddress] {
    externalIPs + loadBalancerIPs.filter { !$0.isProxied }.map(\.address)
  }

  public func selects(_ pod: Pod) -> Bool {
    guard let selector, !selector.isEmpty, pod.id.namespace == id.namespace else { return false }
    return LabelSelector(matchLabels: selector).matches(pod.labels)
  }

  /// The ports of a pod that the service's ports lead to. A named target port leads to those that the pod names so.
  public func targets(at pod: Pod) -> [TransportPort] {
    ports.flatMap { port -> [TransportPort] in
      switch port.targetPort {
      case .number(let number): [TransportPort(port.transport, number)]
      case .name(let name): pod.numbers(named: name, port.transport).map { TransportPort(port.transport, $0) }
      }
    }
  }
}

/// A `discovery.k8s.io/v1` EndpointSlice: the endpoints of a service in one family.
public struct EndpointSlice: Hashable, Sendable {
  public struct Port: Hashable, Sendable {
    /// The name of the service's port. `nil` or empty for an unnamed port.
    public var name: String?
    public var transport: Transport
    public var port: UInt16
    public init(name: String? = nil, transport: Transport, port: UInt16) {
      self.name = name
      self.transport = transport
      self.port = port
    }
  }

  /// One entry of `endpoints`.
  public struct Member: Hashable, Sendable {
    public var address: IPAddress
    /// `conditions.ready`. `true` if missing.
    public var isReady: Bool
    /// `conditions.serving`. `true` if missing, whatever `isReady` says, as in kube-proxy.
    public var isServing: Bool
    public var isTerminating: Bool
    public var node: String?
    /// `hints.forZones`: the zones whose nodes should use the endpoint.
    public var zoneHints: Set<String>
    /// `hints.forNodes`: the nodes that should use the endpoint.
    public var nodeHints: Set<String>
    /// `targetRef`, if it is of kind Pod.
    public var pod: PodID?
    public init(
      _ address: IPAddress, isReady: Bool = true, isServing: Bool = true, isTerminating: Bool = false,
      node: String? = nil, pod: PodID? = nil, zoneHints: Set<String> = [], nodeHints: Set<String> = []
    ) {
      self.address = address
      self.isReady = isReady
      self.isServing = isServing
      self.isTerminating = isTerminating
      self.node = node
      self.pod = pod
      self.zoneHints = zoneHints
      self.nodeHints = nodeHints
    }
  }

  public var id: NamespacedName
  /// The service in the same namespace that the label `kubernetes.io/service-name` names.
  public var service: String
  public var family: IPFamily
  public var ports: [Port]
  public var members: [Member]

  public init(id: NamespacedName, service: String, family: IPFamily, ports: [Port], members: [Member]) {
    self.id = id
    self.service = service
    self.family = family
    self.ports = ports
    self.members = members
  }
}

extension [EndpointSlice] {
  /// Searching all slices for each of thousands of services would take minutes.
  public var byService: [NamespacedName: [EndpointSlice]] {
    Dictionary(grouping: self) { NamespacedName($0.id.namespace, $0.service) }
  }
}

extension Cluster {
  /// The service that owns an address, as an endpoint of a flow.
  public func serviceEndpoint(at address: IPAddress) -> Endpoint? {
    for service in services {
      if service.clusterIPs.contains(address) { return .service(service.id) }
      if service.translatedAddresses.contains(address) { return .virtualAddress(service.id, address) }
    }
    return nil
  }

  /// The slices of all services, each sorted by name.
  public var slicesByService: [NamespacedName: [EndpointSlice]] { endpointSlices.byService }

  /// The slices of a service, sorted by name.
  public func slices(of service: NamespacedName) -> [EndpointSlice] {
    endpointSlices.filter { $0.id.namespace == service.namespace && $0.service == service.name }
  }
}
