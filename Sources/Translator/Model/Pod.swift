/// `status.phase` of a pod.
public enum PodPhase: String, Hashable, Sendable, CaseIterable {
  case pending = "Pending"
  case running = "Running"
  case succeeded = "Succeeded"
  case failed = "Failed"
  case unknown = "Unknown"

  /// `true` if all containers of the pod have ended for good.
  public var isTerminal: Bool { self == .succeeded || self == .failed }
}

/// `spec.containers[].ports[]`, or `spec.initContainers[].ports[]` of a sidecar.
public struct ContainerPort: Hashable, Sendable {
  public let name: String?
  public let number: UInt16
  public let transport: Transport
  /// Whether the container is a native sidecar: an init container with `restartPolicy: Always`, which runs as long as
  /// the pod.
  public var isOfSidecar: Bool
  public init(name: String? = nil, number: UInt16, transport: Transport = .tcp, isOfSidecar: Bool = false) {
    self.name = name
    self.number = number
    self.transport = transport
    self.isOfSidecar = isOfSidecar
  }
}

/// `hostPort` of a container's port: a port of the node that leads to the pod.
public struct HostPort: Hashable, Sendable {
  public let port: TransportPort
  /// `hostIP`. `nil`: every address of the node. 0.0.0.0 or ::: every one of that family.
  public let address: IPAddress?
  /// The port of the pod that it leads to.
  public let containerPort: UInt16

  /// `containerPort` is the same number if not given.
  public init(_ port: TransportPort, at address: IPAddress? = nil, to containerPort: UInt16? = nil) {
    self.port = port
    self.address = address
    self.containerPort = containerPort ?? port.port
  }

  public func isOpen(at address: IPAddress) -> Bool {
    guard let own = self.address else { return true }
    return own.family == address.family && (own.bits == 0 || own == address)
  }
}

/// Who makes host ports lead to their pods.
public enum HostPortMapping: String, Hashable, Sendable, CaseIterable {
  /// The CNI plugin portmap with iptables, as in k3s.
  case portmap
  /// The same plugin with `"backend": "nftables"`.
  case portmapNftables = "portmap-nftables"
  /// Anything else, such as an eBPF program. Not modelled.
  case other
}

public struct Pod: Hashable, Sendable {
  public var id: PodID
  public var labels: Labels
  /// `spec.nodeName`.
  public var node: String?
  public var phase: PodPhase
  public var hostNetwork: Bool
  /// `status.podIP`, the primary address. `nil` if the pod has none yet.
  public var podIP: IPAddress?
  /// `status.podIPs`. At most one address per family in a real cluster.
  public var podIPs: [IPAddress]
  /// `status.hostIP`.
  public var hostIP: IPAddress?
  /// Ports of `spec.containers`, then those of sidecars, in the order of the API's named-port lookup. Ports of other
  /// init containers are left out.
  public var ports: [ContainerPort]
  /// Those of `spec.containers`, in their order. Empty for pods on their node's network, whose ports need no
  /// translation.
  public var hostPorts: [HostPort] = []
  /// What its containers send on. Only in pods of k3s's servicelb.
  public var forwards: [PodForward] = []
  /// Addresses that it gives to a device of its node and answers at, on that node alone: NodeLocal DNS's `-localip`.
  public var localDNS: [IPAddress] = []
  /// Whether it is MetalLB's speaker, which announces addresses on its node.
  public var isSpeaker = false
  /// The mesh whose proxy runs in the pod.
  public var mesh: Mesh?
  /// The condition `Ready`, which decides whether services send packets to the pod. `true` by default.
  public var isReady = true
  /// The workload that the pod belongs to, by kind and name: `Deployment`, `web`.
  public var owner: Workload?
  public var location: SourceLocation?

  public struct Workload: Hashable, Sendable {
    public let kind: String
    public let name: String
    public init(kind: String, name: String) {
      self.kind = kind
      self.name = name
    }
  }

  public init(
    id: PodID, labels: Labels = [:], node: String? = nil, phase: PodPhase = .running, hostNetwork: Bool = false,
    podIPs: [IPAddress] = [], hostIP: IPAddress? = nil, ports: [ContainerPort] = [], location: SourceLocation? = nil
  ) {
    self.id = id
    self.labels = labels
    self.node = node
    self.phase = phase
    self.hostNetwork = hostNetwork
    self.podIP = podIPs.first
    self.podIPs = podIPs
    self.hostIP = hostIP
    self.ports = ports
    self.location = location
  }

  /// The pod's first address of the family.
  public func address(_ family: IPFamily) -> IPAddress? { podIPs.first { $0.family == family } }

  /// Whether it is a pod of k3s's servicelb: it has the label of a Service, and its node's port of that Service.
  public var isServiceLB: Bool { labels["svccontroller.k3s.cattle.io/svcname"] != nil || id.name.hasPrefix("svclb-") }

  /// What sends on packets to one of its ports. The container of the last one that wrote its rules counts.
  public func forward(_ port: TransportPort) -> PodForward? { forwards.last { $0.port == port } }

  /// The port numbers that the pod's containers name `name` for `transport`.
  public func numbers(named name: String, _ transport: Transport) -> Set<UInt16> {
    Set(ports.filter { $0.name == name && $0.transport == transport }.map(\.number))
  }
}
