/// What decides a flow and is not modelled. Then the flow has no verdict.
public enum Unmodelled: Hashable, Sendable {
  case ipvs
  /// Services by this product's eBPF programs.
  case ebpf(String)
  /// The endpoint, as `address:port`, is also an address of this service, whose rules may stop the packet.
  case endpointOfRefusing(String, NamespacedName)
  /// The same, and the service may send the packet on to another endpoint.
  case endpointOfChoosing(String, NamespacedName)
  /// A hostPort that something else than portmap opens.
  case hostPortMapping(TransportPort, node: String, PodID)
  /// A pod of k3s's servicelb, of which nothing says where it sends packets.
  case balancer(TransportPort, node: String, PodID)
  /// Two pods with the same hostPort on a node.
  case hostPortTwice(TransportPort, node: String, PodID, PodID)
  /// A mesh's proxy in the pod.
  case mesh(Mesh, PodID)
  /// The lab has numbers for 63 endpoints of a Service's port, and this is one more.
  case manyEndpoints(ServiceTarget)
}

extension Unmodelled: CustomStringConvertible {
  private static let modes = "and only kube-proxy's iptables and nftables modes are modelled"

  /// A clause for users.
  public var description: String {
    switch self {
    case .ipvs: "services are translated by IPVS here, \(Self.modes)"
    case .ebpf(let product): "services are translated by \(product)'s eBPF programs here, \(Self.modes)"
    case .endpointOfRefusing(let place, let service):
      "the endpoint \(place) is also an address of service \(service), whose rules may stop the packet, which is not "
        + "modelled"
    case .endpointOfChoosing(let place, let service):
      "the endpoint \(place) is also an address of service \(service), which may send the packet on to another endpoint: "
        + "that is not modelled"
    case .hostPortMapping(let port, let node, let pod):
      "\(port) of node \(node) is a hostPort of pod \(pod), and only portmap is modelled"
    case .balancer(let port, let node, let pod):
      "\(port) of node \(node) leads to \(pod), a pod of servicelb, and nothing says where it sends packets"
    case .hostPortTwice(let port, let node, let first, let second):
      "pods \(first) and \(second) both have hostPort \(port) on node \(node): the one that started first gets the packets, "
        + "and manifests don't say which that is"
    case .manyEndpoints(let target):
      "the lab can address 63 endpoints of a service port, and \(target.description) is one more"
    case .mesh(let mesh, let pod):
      "\(mesh.rawValue) redirects the TCP connections of pod \(pod) to a proxy, which is not modelled"
    }
  }
}
