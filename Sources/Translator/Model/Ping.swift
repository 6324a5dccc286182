/// An ICMP echo request. No NetworkPolicy can speak of it, but rules do.
public struct Ping: Hashable, Sendable, CustomStringConvertible {
  public var source: Endpoint
  public var destination: Endpoint
  public var sourceAddress: IPAddress
  public var destinationAddress: IPAddress

  public init(
    from source: Endpoint, _ sourceAddress: IPAddress, to destination: Endpoint, _ destinationAddress: IPAddress
  ) {
    self.source = source
    self.destination = destination
    self.sourceAddress = sourceAddress
    self.destinationAddress = destinationAddress
  }

  public var family: IPFamily { destinationAddress.family }
  public var description: String {
    "\(source) (\(sourceAddress)) -> \(destination) (\(destinationAddress)) ICMP echo"
  }
}

extension Packet {
  /// The request, before any rule.
  public init(_ ping: Ping) {
    self.init(
      from: ping.sourceAddress, to: ping.destinationAddress, .icmp(type: ping.family == .v4 ? 8 : 128))
  }
}
