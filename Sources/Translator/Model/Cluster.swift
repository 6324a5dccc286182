public struct Node: Hashable, Sendable {
  public var name: String
  public var labels: Labels
  /// The entries of `status.addresses` with type InternalIP, then those with type ExternalIP.
  public var addresses: [IPAddress]
  /// `spec.podCIDRs`.
  public var podCIDRs: [CIDR]
  /// Whether its condition `NetworkUnavailable` is True.
  public var isNetworkUnavailable = false
  public var location: SourceLocation?

  public init(
    name: String, labels: Labels = [:], addresses: [IPAddress] = [], podCIDRs: [CIDR] = [],
    location: SourceLocation? = nil
  ) {
    self.name = name
    self.labels = labels
    self.addresses = addresses
    self.podCIDRs = podCIDRs
    self.location = location
  }

  public func address(_ family: IPFamily) -> IPAddress? { addresses.first { $0.family == family } }

  /// The label `topology.kubernetes.io/zone`. An empty one is none.
  public var zone: String? { labels["topology.kubernetes.io/zone"].flatMap { $0.isEmpty ? nil : $0 } }
}

public struct Namespace: Hashable, Sendable {
  public var name: String
  /// Always includes `kubernetes.io/metadata.name`.
  public var labels: Labels
  /// Whether the input has no such object, so that its other labels are not known.
  public var isAssumed = false
  public init(name: String, labels: Labels = [:], isAssumed: Bool = false) {
    self.name = name
    self.isAssumed = isAssumed
    self.labels = labels.merging(["kubernetes.io/metadata.name": name]) { _, fixed in fixed }
  }
}

/// A port by number, or by the name that a container gives it (`IntOrString`).
public enum PortReference: Hashable, Sendable, CustomStringConvertible {
  case number(UInt16)
  case name(String)
  public var description: String {
    switch self {
    case .number(let number): "\(number)"
    case .name(let name): name
    }
  }
}

/// A machine that isn't a node, on the lab's outside network.
public struct ExternalHost: Hashable, Sendable {
  public var name: String
  public var addresses: [IPAddress]
  /// Other networks that are reachable through this host.
  public var networks: [CIDR]
  /// Whether the host has routes to the pod CIDRs, through the nodes that own them.
  public var routesToPods: Bool
  /// The node through which the host reaches the service CIDRs. `nil`: it has no route to them.
  public var routesToServices: String?
  public var location: SourceLocation?
  public init(
    name: String, addresses: [IPAddress], networks: [CIDR] = [], routesToPods: Bool = false,
    routesToServices: String? = nil, location: SourceLocation? = nil
  ) {
    self.name = name
    self.addresses = addresses
    self.networks = networks
    self.routesToPods = routesToPods
    self.routesToServices = routesToServices
    self.location = location
  }
  public func address(_ family: IPFamily) -> IPAddress? { addresses.first { $0.family == family } }
}

/// How pods on different nodes reach each other.
public enum Overlay: String, Hashable, Sendable, CaseIterable {
  case vxlan
  case hostGateway = "host-gw"
}

/// Cluster settings that manifests can't express: the fields of `kind: Cluster`, with k3s's defaults.
public struct ClusterSettings: Hashable, Sendable {
  public var serviceCIDRs: [CIDR] = [CIDR(IPAddress(v4: 0x0a2b_0000), prefixLength: 16)]
  public var nodePorts = PortRange(30000, 32767)
  /// The networks of all pods, as configured in kube-proxy and flannel. `nil`: derived from the pod CIDRs and pods.
  public var clusterCIDRs: [CIDR]?
  public var overlay = Overlay.vxlan
  public var bridgeNetfilter = true
  /// The node that answers for load-balancer addresses, as the Cluster document states it.
  public var loadBalancerAnnouncer: String?
  /// What makes load-balancer addresses known outside. `nil`: nothing says so.
  public var loadBalancing: LoadBalancing?
  public var metalLB = MetalLB()
  /// Whether kube-vip announces over BGP, from all nodes at once, and otherwise: the holders of kube-vip's leases, by Service. Under `nil` that of the lease for all Services.
  public var kubeVIPUsesBGP = false
  public var kubeVIPLeaders: [NamespacedName?: String] = [:]
  /// `nil`: the lab decides. `false`: the kernel's limits on ICMP errors stay in place.
  public var liftICMPLimits: Bool?
  public var defaultDeny = false
  public var kubeProxy = KubeProxyFlags()
  public var hostPorts = HostPortMapping.portmap
  /// As the input shows it.
  public var serviceProxy = ServiceProxyKind.kubeProxy
  public init() {}
}

/// A snapshot of one cluster: its API objects at one instant, plus the settings.
public struct Cluster: Hashable, Sendable {
  public var nodes: [Node]
  public var namespaces: [Namespace]
  /// Sorted by namespace and name.
  public var pods: [Pod]
  public var services: [Service]
  /// The slices from the input, plus those that the endpoint controllers would create from selectors and readiness.
  public var endpointSlices: [EndpointSlice]
  public var policies: [NetworkPolicy]
  public var externalHosts: [ExternalHost]
  /// Strangers: pods on these nodes, by address, that no enforcer and no API object knows yet. Only the lab has them.
  public var strangers: [IPAddress: String] = [:]
  public var settings: ClusterSettings
  /// Of workloads that have no pods now: scaled to none, or suspended.
  public var templates: [PodTemplate] = []
  public var unseen = Unseen()

  /// The labels of pods that a workload makes.
  public struct PodTemplate: Hashable, Sendable {
    public let namespace: String
    public let labels: Labels
    public init(namespace: String, labels: Labels) {
      self.namespace = namespace
      self.labels = labels
    }
  }

  public init(
    nodes: [Node] = [], namespaces: [Namespace] = [], pods: [Pod] = [], services: [Service] = [],
    endpointSlices: [EndpointSlice] = [], policies: [NetworkPolicy] = [], externalHosts: [ExternalHost] = [],
    settings: ClusterSettings = .init()
  ) {
    self.nodes = nodes
    self.namespaces = namespaces
    self.pods = pods
    self.services = services
    self.endpointSlices = endpointSlices
    self.policies = policies
    self.externalHosts = externalHosts
    self.settings = settings
  }

  public func pod(_ id: PodID) -> Pod? { pods.first { $0.id == id } }
  public func service(_ id: NamespacedName) -> Service? { services.first { $0.id == id } }
  public func node(_ name: String) -> Node? { nodes.first { $0.name == name } }
  public func externalHost(_ name: String) -> ExternalHost? { externalHosts.first { $0.name == name } }
  /// The labels of a namespace, or only its name label if it has no object.
  public func labels(ofNamespace name: String) -> Labels {
    (namespaces.first { $0.name == name } ?? Namespace(name: name)).labels
  }
  /// The families in which a pod or a pod CIDR has an address. IPv4 if there are none.
  public var families: [IPFamily] {
    let used = Set(pods.flatMap(\.podIPs).map(\.family)).union(nodes.flatMap(\.podCIDRs).map(\.family))
    return used.isEmpty ? [.v4] : used.sorted()
  }
}

extension Cluster {
  /// The same objects, wherever they are written.
  public var unlocated: Cluster {
    var other = self
    for index in other.nodes.indices { other.nodes[index].location = nil }
    for index in other.pods.indices { other.pods[index].location = nil }
    for index in other.services.indices { other.services[index].location = nil }
    for index in other.externalHosts.indices { other.externalHosts[index].location = nil }
    other.policies = other.policies.map(\.unlocated)
    return other
  }
}
