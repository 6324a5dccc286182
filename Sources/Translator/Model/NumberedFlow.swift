/// A flow between two of a list of endpoints, by their numbers in it: what is asked by the million.
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
