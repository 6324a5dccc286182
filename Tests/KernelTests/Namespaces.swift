// Helpers shared by the tests of this target.
import Glibc
import Kernel
import Testing

/// The target of a symbolic link; `nil` if there is none.
func symbolicLink(_ path: String) -> String? {
  let target = [UInt8](unsafeUninitializedCapacity: 256) { buffer, count in
    count = buffer.withMemoryRebound(to: CChar.self) { max(0, readlink(path, $0.baseAddress!, $0.count)) }
  }
  return target.isEmpty ? nil : String(decoding: target, as: UTF8.self)
}

/// A worker and a namespace to try things in.
struct Sandbox {
  let worker: NamespaceWorker
  let namespace: NetworkNamespace

  init() throws {
    worker = try NamespaceWorker()
    namespace = try worker.makeNamespace()
  }

  func run<Result: ~Copyable>(_ body: () throws -> Result) throws -> Result { try worker.run(in: namespace, body) }

  func send(_ batch: RouteBatch) throws { try send(batch, in: namespace) }

  func send(_ batch: RouteBatch, in namespace: NetworkNamespace) throws {
    try worker.run(in: namespace) { try batch.send(in: NetlinkSocket(.route)) }
  }

  func send(_ batch: IPSetBatch) throws { try run { try batch.send(in: NetlinkSocket(.netfilter)) } }

  func output(of arguments: String...) throws -> String {
    try Command(arguments).run(in: namespace, on: worker).requireSuccess().text
  }
}

/// A UDP socket on `address`, opened inside `namespace`.
final class UDPSocket {
  private let fd: Int32
  private let family: AddressFamily

  init(on address: [UInt8], port: UInt16 = 0, in namespace: NetworkNamespace, of worker: NamespaceWorker) throws {
    family = try #require(AddressFamily(of: address))
    let domain = family == .v4 ? AF_INET : AF_INET6
    fd = try worker.run(in: namespace) { socket(domain, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0) }
    var patience = timeval(tv_sec: 2, tv_usec: 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    try #require(Self.withAddress(address, port) { bind(fd, $0, $1) } == 0, "bind: errno \(errno)")
  }

  deinit { close(fd) }

  func send(_ text: String, to address: [UInt8], port: UInt16) -> Bool {
    Self.withAddress(address, port) { sendto(fd, text, text.utf8.count, 0, $0, $1) } == text.utf8.count
  }

  /// `nil` if nothing came within two seconds.
  func receive() -> String? {
    var bytes = [UInt8](repeating: 0, count: 2048)
    let count = recv(fd, &bytes, bytes.count, 0)
    return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
  }

  private static func withAddress<Result>(
    _ address: [UInt8], _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    // struct sockaddr_in: family, port, address; sockaddr_in6: family, port, flow label, address, scope.
    let family = UInt16(address.count == 4 ? AF_INET : AF_INET6)
    var bytes = withUnsafeBytes(of: (family, port.bigEndian)) { Array($0) }
    bytes += address.count == 4 ? address + [UInt8](repeating: 0, count: 8) : [0, 0, 0, 0] + address + [0, 0, 0, 0]
    return bytes.withUnsafeBytes { body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count)) }
  }
}
