public import NetpolModel

/// What kube-proxy on one node knows of the cluster: all that its lowering may look at.
public struct ProxyView: Sendable {
  /// Which endpoint a new connection goes to.
  public enum EndpointChoice: Hashable, Sendable, CaseIterable {
    /// Any, with equal chances, as kube-proxy does.
    case random
    /// The one with the lowest address: rules are listed in the order of addresses and none of them draws lots.
    case first
  }

  public var node: String
  /// InternalIP and ExternalIP addresses of the Node object; the first of a family is kube-proxy's node IP.
  public var nodeAddresses: [IPAddress]
  public var families: [IPFamily]
  /// `--cluster-cidr`: who is a pod. Of each family the first counts (`getLocalDetectors` of kube-proxy); without one
  /// no source is taken for a pod's.
  public var clusterCIDRs: [CIDR]
  /// In the order of namespace and name.
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

  /// The view of a node that knows all of the cluster.
  public init(of node: Node, in cluster: Cluster, clusterCIDRs: [CIDR], endpointChoice: EndpointChoice = .random) {
    self.init(
      node: node.name, nodeAddresses: node.addresses, families: cluster.families, clusterCIDRs: clusterCIDRs,
      services: cluster.services, endpointSlices: cluster.endpointSlices, endpointChoice: endpointChoice)
  }

  func clusterCIDR(_ family: IPFamily) -> CIDR? { clusterCIDRs.first { $0.family == family } }
  func nodeIP(_ family: IPFamily) -> IPAddress? { nodeAddresses.first { $0.family == family } }
}
