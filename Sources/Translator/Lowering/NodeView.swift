public import NetpolModel

/// What one node knew of the cluster at one instant. This is all that a style may use.
public struct NodeView: Sendable {
  public var node: String
  /// InternalIP and ExternalIP addresses of the Node object.
  public var nodeAddresses: [IPAddress]
  public var namespaceLabels: [String: Labels]
  /// Sorted by namespace and name, like `policies`.
  public var pods: [Pod]
  public var policies: [NetworkPolicy]
  public var families: [IPFamily]
  public var serviceCIDRs: [CIDR]
  public var nodePorts: PortRange
  /// kube-router's `--service-external-ip-range`; k3s sets none.
  public var externalIPRanges: [CIDR] = []
  /// kube-router's `--loadbalancer-ip-range`; k3s sets none.
  public var loadBalancerIPRanges: [CIDR] = []
  /// `spec.podCIDRs` of the node.
  public var podCIDRs: [CIDR] = []
  /// kube-router 2.10's `--netpol-default-deny`: reject traffic of local pods that have no rules of their own.
  public var defaultDeny = false
  /// Part of the hash in the names of chains. kube-router uses the start time of the sync, in Unix nanoseconds.
  public var versionStamp: String

  public init(
    node: String, nodeAddresses: [IPAddress], namespaceLabels: [String: Labels], pods: [Pod],
    policies: [NetworkPolicy], families: [IPFamily], serviceCIDRs: [CIDR], nodePorts: PortRange, versionStamp: String
  ) {
    self.node = node
    self.nodeAddresses = nodeAddresses
    self.namespaceLabels = namespaceLabels
    self.pods = pods.sorted { $0.id < $1.id }
    self.policies = policies.sorted { $0.id < $1.id }
    self.families = families
    self.serviceCIDRs = serviceCIDRs
    self.nodePorts = nodePorts
    self.versionStamp = versionStamp
  }

  /// The view of a node that has seen the whole cluster.
  public init(of node: Node, in cluster: Cluster, versionStamp: String = "1") {
    self.init(
      node: node.name, nodeAddresses: node.addresses,
      namespaceLabels: Dictionary(cluster.namespaces.map { ($0.name, $0.labels) }) { first, _ in first },
      pods: cluster.pods, policies: cluster.policies, families: cluster.families,
      serviceCIDRs: cluster.settings.serviceCIDRs, nodePorts: cluster.settings.nodePorts, versionStamp: versionStamp)
    podCIDRs = node.podCIDRs
    defaultDeny = cluster.settings.defaultDeny
  }
}

extension Pod {
  /// Whether policies apply to the pod: it is not terminal, not host-network, and has a `status.podIP` (kube-router's
  /// `isNetPolActionable`).
  public var isActionable: Bool { !phase.isTerminal && podIP != nil && !hostNetwork }
}
