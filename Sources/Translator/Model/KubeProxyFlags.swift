/// Flags of kube-proxy that change which packets it translates and masquerades, with their defaults.
public struct KubeProxyFlags: Hashable, Sendable {
  /// `--proxy-mode`.
  public var mode = KubeProxyMode.iptables
  /// `--masquerade-all`: packets to ClusterIPs get the node's address, whatever their source.
  public var masqueradeAll = false
  /// `--nodeport-addresses`: NodePorts answer only at the node's addresses in these networks. Without a network of a
  /// family, they answer at all of its addresses. With none at all, nftables mode takes the primary addresses.
  public var nodePortAddresses: [CIDR] = []
  /// `--iptables-localhost-nodeports`: IPv4 NodePorts answer on loopback addresses too. Only in iptables mode.
  public var localhostNodePorts = true
  /// Whether `--cluster-cidr` is set. Without it kube-proxy recognises no pods.
  public var knowsClusterCIDR = true
  public init() {}

  /// `--nodeport-addresses=primary`: NodePorts answer only at the node's first address of each family.
  public var nodePortsAtPrimary = false

  /// Whether NodePorts answer only at the node's first address of each family.
  public var usesPrimaryAddresses: Bool { nodePortsAtPrimary || mode.isNftables && nodePortAddresses.isEmpty }

  /// Whether NodePorts answer at an address of a node whose object lists the given ones. They never do at ::1.
  public func hasNodePorts(at address: IPAddress, of node: [IPAddress]) -> Bool {
    if usesPrimaryAddresses { return node.first { $0.family == address.family } == address }
    if address.isLoopback, address.family == .v6 || !localhostNodePorts || mode.isNftables { return false }
    let networks = nodePortAddresses.filter { $0.family == address.family }
    return networks.isEmpty || networks.contains { $0.contains(address) }
  }
}
