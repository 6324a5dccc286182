internal import Glibc

/// An address and a port: where a listener waits, or where a probe goes. It has no zone, so link-local IPv6 addresses
/// don't work.
public struct ProbeAddress: Hashable, Sendable {
  /// 4 or 16 bytes in network order.
  public let bytes: [UInt8]
  public let port: UInt16

  public init(_ bytes: [UInt8], port: UInt16) {
    family = .required(of: bytes)
    self.bytes = bytes
    self.port = port
  }

  public let family: AddressFamily

  /// The address that the kernel replaces with one of its choice: 0.0.0.0 or `::`.
  static func unspecified(_ family: AddressFamily) -> [UInt8] { family == .v4 ? zeros4 : zeros16 }
  private static let zeros4 = [UInt8](repeating: 0, count: 4)
  private static let zeros16 = [UInt8](repeating: 0, count: 16)

  /// Calls `body` with this address in the form that `bind` and `connect` take (struct sockaddr_in, sockaddr_in6).
  func withSocketAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    switch family {
    case .v4:
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: bytes) }
      return withRebound(&address, body)
    case .v6:
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = port.bigEndian
      withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: bytes) }
      return withRebound(&address, body)
    }
  }

  private func withRebound<Address, Result>(
    _ address: inout Address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    let length = socklen_t(MemoryLayout<Address>.size)
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
    }
  }
}

extension ProbeAddress: CustomStringConvertible {
  public var description: String {
    family == .v4 ? "\(addressText(bytes)):\(port)" : "[\(addressText(bytes))]:\(port)"
  }
}
