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
  /// InternalIP and ExternalIP addresses of the Node object. The first of each family is kube-proxy's node IP.
  public var nodeAddresses: [IPAddress]
  public var families: [IPFamily]
  /// `--cluster-cidr`: sources in it are pods. Only the first of each family is used (`getLocalDetectors` of
  /// kube-proxy). Without one, no source counts as a pod.
  public var clusterCIDRs: [CIDR]
  /// Sorted by namespace and name.
  public var services: [Service]
  public var endpointSlices: [EndpointSlice]
  public var endpointChoice: EndpointChoice

  public init(
    node: String, nodeAddresses: [IPAddress], families: [IPFamily], clusterCIDRs: [CIDR], services: [Service],
    endpointSlices: [EndpointSlice], endpointChoice: EndpointChoice = .random
  ) {
    self.node = node
    self.nodeAddresses = nodeAddresses
    self.families = families
    self.clusterCIDRs = clusterCIDRs
    self.services = services.sorted { $0.id < $1.id }
    self.endpointSlices = endpointSlices.sorted { $0.id < $1.id }
    self.endpointChoice = endpointChoice
  }

  func slices(of service: Service) -> [EndpointSlice] {
    endpointSlices.filter { $0.id.namespace == service.id.namespace && $0.service == service.id.name }
  }

  /// The view of a node that has seen the whole cluster.
  public init(of node: Node, in cluster: Cluster, clusterCIDRs: [CIDR], endpointChoice: EndpointChoice = .random) {
    self.init(
      node: node.name, nodeAddresses: node.addresses, families: cluster.families, clusterCIDRs: clusterCIDRs,
      services: cluster.services, endpointSlices: cluster.endpointSlices, endpointChoice: endpointChoice)
  }

  func clusterCIDR(_ family: IPFamily) -> CIDR? { clusterCIDRs.first { $0.family == family } }
  func nodeIP(_ family: IPFamily) -> IPAddress? { nodeAddresses.first { $0.family == family } }
}
