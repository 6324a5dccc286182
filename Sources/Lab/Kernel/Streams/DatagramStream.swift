/// Numbered UDP datagrams, or TCP SYNs, that are sent on a fixed beat from one namespace to an address in another.
public struct DatagramStream: Sendable {
  public let transport: StreamTransport
  /// Where the datagrams start.
  public let source: NetworkNamespace
  /// The address they come from, of the destination's family; nil lets the source's routes choose, but for TCP.
  public let sourceAddress: [UInt8]?
  /// Where they are received.
  public let target: NetworkNamespace
  /// An address of `target`, and a port on which nothing else listens.
  public let destination: ProbeAddress
  /// One datagram each so many ticks, at least 1.
  public let every: Int
  /// The first tick, from 0 to `every` - 1.
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

  /// How many datagrams so many ticks have.
  func count(ticks: Int) -> Int { (ticks + every - 1 - phase) / every }
}
