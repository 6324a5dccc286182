public import Kernel
public import NetpolModel
public import Path

/// A topology made real: a namespace for each node, pod and external host, connected as the plan says.
///
/// Everything is anonymous and is removed with this value or with the process. No namespace has a route out of the lab.
public final class Fabric: Sendable {
  public let topology: Topology
  public let worker: NamespaceWorker
  /// A host on the underlay that no API object describes, for the lab's own checks.
  public let control: ControlHost
  let nodes: [String: NetworkNamespace]
  private let pods: [PodID: NetworkNamespace]
  private let externals: [String: NetworkNamespace]
  /// The namespace with the underlay's bridge.
  private let underlay: NetworkNamespace

  public struct ControlHost: Sendable {
    public let namespace: NetworkNamespace
    public let addresses: [IPAddress]
  }

  /// Builds everything, or throws and leaves nothing behind. `bridgeNetfilter` is `net.bridge.bridge-nf-call-iptables`.
  /// With `liftICMPLimits` the nodes' kernels send every ICMP error.
  public init(
    _ topology: Topology, families: [IPFamily], bridgeNetfilter: Bool, liftICMPLimits: Bool = true,
    worker: NamespaceWorker
  ) throws {
    self.topology = topology
    self.worker = worker
    var builder = try FabricBuilder(
      topology, families: families, bridgeNetfilter: bridgeNetfilter, liftICMPLimits: liftICMPLimits, worker: worker)
    try builder.build()
    nodes = builder.nodes
    pods = builder.pods
    externals = builder.externals
    underlay = builder.underlay
    control = ControlHost(namespace: builder.control, addresses: builder.plan.controlAddresses)
  }

  /// The namespace in which an endpoint's sockets are opened. A host-network pod uses that of its node.
  public func namespace(of endpoint: Endpoint) -> NetworkNamespace? {
    switch endpoint {
    case .pod(let id): pods[id] ?? topology.hostNode(of: endpoint).flatMap { nodes[$0.name] }
    case .node(let name): nodes[name]
    case .external(let name): externals[name]
    case .service, .virtualAddress: nil
    case .address(let address):
      control.addresses.contains(address)
        ? control.namespace : topology.owner(of: address).flatMap { namespace(of: $0) }
    }
  }

  public func namespace(ofNode name: String) -> NetworkNamespace? { nodes[name] }
}
