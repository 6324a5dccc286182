public import NetpolModel

/// What kube-proxy on one node knows of the cluster. This is all that its lowering may use.
public struct ProxyView: Sendable {
  /// Which endpoint a new connection goes to.
  public enum EndpointChoice: Hashable, Sendable, CaseIterable {
    /// Any, with equal probability, as in kube-proxy.
    case random
    /// The one that the packet's code point names, or the last (`ServiceTarget`).
    case byCodePoint
  }

  public var node: String
  /// The label `topology.kubernetes.io/zone` of the Node object.
  public var zone: String?
  /// InternalIP and ExternalIP addresses of the Node object. The first of each family is kube-proxy's node IP.
  public var nodeAddresses: [IPAddress]
  /// Those of all its interfaces besides loopback.
  public var interfaceAddresses: [IPAddress]
  public var families: [IPFamily]
  /// `--cluster-cidr`: sources in it are pods. Only the first of each family is used (`getLocalDetectors` of
  /// kube-proxy). Without one, no source counts as a pod.
  public var clusterCIDRs: [CIDR]
  /// Sorted by namespace and name.
  public var services: [Service]
  public var endpointSlices: [EndpointSlice] { didSet { slicesByService = endpointSlices.byService } }
  private var slicesByService: [NamespacedName: [EndpointSlice]]
  public var endpointChoice: EndpointChoice
  public var flags: KubeProxyFlags
  /// The ClusterIP ranges (the API's ServiceCIDRs). Only nftables mode uses them.
  public var serviceCIDRs: [CIDR]

  /// `interfaceAddresses` are `nodeAddresses` if not given.
  public init(
    node: String, zone: String? = nil, nodeAddresses: [IPAddress], interfaceAddresses: [IPAddress]? = nil,
    families: [IPFamily], clusterCIDRs: [CIDR], services: [Service], endpointSlices: [EndpointSlice],
    endpointChoice: EndpointChoice = .random, flags: KubeProxyFlags = KubeProxyFlags(),
    serviceCIDRs: [CIDR] = []
  ) {
    self.node = node
    self.zone = zone
    self.nodeAddresses = nodeAddresses
    self.interfaceAddresses = interfaceAddresses ?? nodeAddresses
    self.families = families
    self.clusterCIDRs = clusterCIDRs
    self.services = services.sorted { $0.id < $1.id }
    let slices = endpointSlices.sorted { $0.id < $1.id }
    self.endpointSlices = slices
    slicesByService = slices.byService
    self.endpointChoice = endpointChoice
    self.flags = flags
    self.serviceCIDRs = serviceCIDRs
  }

  func slices(of service: Service) -> [EndpointSlice] {
    slicesByService[service.id] ?? []
  }

  /// The view of a node that has seen the whole cluster.
  public init(
    of node: Node, in cluster: Cluster, interfaceAddresses: [IPAddress]? = nil, clusterCIDRs: [CIDR],
    endpointChoice: EndpointChoice = .random
  ) {
    self.init(
      node: node.name, zone: node.zone, nodeAddresses: node.addresses, interfaceAddresses: interfaceAddresses,
      families: cluster.families, clusterCIDRs: clusterCIDRs, services: cluster.services,
      endpointSlices: cluster.endpointSlices, endpointChoice: endpointChoice, flags: cluster.settings.kubeProxy,
      serviceCIDRs: cluster.settings.serviceCIDRs)
  }

  func clusterCIDR(_ family: IPFamily) -> CIDR? { clusterCIDRs.first { $0.family == family } }
  /// The addresses at which NodePorts answer. `nil`: any local one (`MatchAll` of kube-proxy's `NodePortAddresses`).
  func nodePortAddresses(_ family: IPFamily) -> [IPAddress]? {
    if flags.usesPrimaryAddresses { return [nodeIP(family)].compactMap(\.self) }
    let networks = flags.nodePortAddresses.filter { $0.family == family }
    if networks.isEmpty || networks.contains(where: { $0.prefixLength == 0 }) { return nil }
    // In nftables mode NodePorts never work on loopback.
    let own = Set(
      interfaceAddresses.filter { $0.family == family } + (flags.mode.isNftables ? [] : [.loopback(family)]))
    return own.filter { address in networks.contains { $0.contains(address) } }.sorted()
  }
  func nodeIP(_ family: IPFamily) -> IPAddress? { nodeAddresses.first { $0.family == family } }
}
