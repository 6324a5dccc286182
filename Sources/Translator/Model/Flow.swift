/// The source or destination of a flow.
public enum Endpoint: Hashable, Sendable, CustomStringConvertible {
  case pod(PodID)
  /// The node's own processes.
  case node(String)
  case external(String)
  /// A service, addressed by its ClusterIP.
  case service(NamespacedName)
  /// A service, addressed by an address that is announced outside the cluster: a load balancer's or an external IP.
  case virtualAddress(NamespacedName, IPAddress)
  /// An address that belongs to no object of the cluster.
  case address(IPAddress)

  public var description: String {
    switch self {
    case .pod(let id): id.description
    case .node(let name): "node/\(name)"
    case .external(let name): "external/\(name)"
    case .service(let id): "service/\(id)"
    case .virtualAddress(let id, let address): "vip/\(id)/\(address)"
    case .address(let address): address.description
    }
  }
}

/// The first packet of a connection, or an echo request: its sender, its receiver, and the addresses on it when it
/// leaves the sender.
public struct Flow: Hashable, Sendable, CustomStringConvertible {
  /// What the packet asks for.
  public enum Question: Hashable, Sendable, Comparable, CustomStringConvertible {
    case port(TransportPort)
    /// An ICMP echo request. NetworkPolicies can't express it, but rules act on it.
    case echo

    /// `TCP/80`, `ICMP`.
    public var description: String {
      switch self {
      case .port(let port): port.description
      case .echo: "ICMP"
      }
    }
  }

  public var source: Endpoint
  public var destination: Endpoint
  public var sourceAddress: IPAddress
  public var destinationAddress: IPAddress
  public var question: Question
  /// Which endpoint the service's rules choose. `nil` if they have no choice, or the flow goes to no service.
  public var chosen: ServiceTarget?

  public init(
    from source: Endpoint, _ sourceAddress: IPAddress, to destination: Endpoint, _ destinationAddress: IPAddress,
    _ question: Question, choosing chosen: ServiceTarget? = nil
  ) {
    self.source = source
    self.destination = destination
    self.sourceAddress = sourceAddress
    self.destinationAddress = destinationAddress
    self.question = question
    self.chosen = chosen
  }

  public init(
    from source: Endpoint, _ sourceAddress: IPAddress, to destination: Endpoint, _ destinationAddress: IPAddress,
    _ transport: Transport, _ port: UInt16
  ) {
    self.init(from: source, sourceAddress, to: destination, destinationAddress, .port(TransportPort(transport, port)))
  }

  /// `nil` for an echo request, and so are `transport` and `port`.
  public var transportPort: TransportPort? { if case .port(let port) = question { port } else { nil } }
  public var transport: Transport? { transportPort?.transport }
  public var port: UInt16? { transportPort?.port }

  public var family: IPFamily { destinationAddress.family }

  /// One end of the flow as a policy sees it.
  public struct End: Hashable, Sendable {
    public let endpoint: Endpoint
    public let address: IPAddress
    public init(_ endpoint: Endpoint, _ address: IPAddress) {
      self.endpoint = endpoint
      self.address = address
    }
  }

  /// The end that a policy of this direction selects, and the other end, its peer.
  public func ends(_ direction: Direction) -> (subject: End, peer: End) {
    let source = End(source, sourceAddress)
    let destination = End(destination, destinationAddress)
    return direction == .ingress ? (destination, source) : (source, destination)
  }

  public var description: String {
    "\(source) (\(sourceAddress)) -> \(destination) (\(destinationAddress)) \(question)\(question == .echo ? " echo" : "")"
      + (chosen.map { " by \($0.description)" } ?? "")
  }
}
