/// Numbered UDP datagrams or TCP SYNs, sent at a fixed interval from one namespace to an address in another.
public struct DatagramStream: Sendable {
  public let transport: StreamTransport
  /// Where the datagrams are sent from.
  public let source: NetworkNamespace
  /// The source address, in the destination's family. `nil` lets the source's routes choose; TCP needs an address.
  public let sourceAddress: [UInt8]?
  /// Where they are received.
  public let target: NetworkNamespace
  /// An address of `target`, and a port on which nothing else listens.
  public let destination: ProbeAddress
  /// One datagram is sent every this many ticks; at least 1.
  public let every: Int
  /// The tick of the first datagram, from 0 to `every` - 1.
  public let phase: Int

  public init(
    _ transport: StreamTransport = .udp, from source: NetworkNamespace, sourceAddress: [UInt8]? = nil,
    to destination: ProbeAddress, in target: NetworkNamespace, every: Int = 1, phase: Int = 0
  ) {
    self.transport = transport
    self.source = source
    self.sourceAddress = sourceAddress
    self.target = target
    self.destination = destination
    self.every = max(every, 1)
    self.phase = min(max(phase, 0), self.every - 1)
  }

  /// Number of datagrams in this many ticks.
  func count(ticks: Int) -> Int { (ticks + every - 1 - phase) / every }
}
