/// A flow between two endpoints, given as indexes into a list. Compact, for millions of flows.
public struct NumberedFlow: Hashable, Sendable {
  public var source: UInt32
  public var destination: UInt32
  public var transport: Transport
  public var port: UInt16

  public init(from source: Int, to destination: Int, _ transport: Transport, _ port: UInt16) {
    self.source = UInt32(truncatingIfNeeded: source)
    self.destination = UInt32(truncatingIfNeeded: destination)
    self.transport = transport
    self.port = port
  }
}
