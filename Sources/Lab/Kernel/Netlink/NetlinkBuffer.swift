internal import CNftables
internal import Glibc

/// Netlink messages under construction. Handles lengths, alignment and nesting, so that callers don't count bytes.
///
/// Layout: linux/netlink.h. Numbers are in host order unless `bigEndian` is used.
public struct NetlinkBuffer: Hashable, Sendable {
  public private(set) var bytes: [UInt8] = []
  private var lastMessage = 0
  /// The first attribute of the current message that is too long.
  private var excess: KernelError?

  public init() {}

  /// Appends one message: its header, the fixed struct of its type (such as `ifinfomsg`), then what `body` adds.
  ///
  /// Throws EMSGSIZE if an attribute is too long: attribute lengths have 16 bits. Nothing is appended then.
  public mutating func appendMessage<Header: BitwiseCopyable>(
    type: UInt16, flags: UInt16, sequence: UInt32, _ header: Header, _ body: (inout NetlinkBuffer) -> Void
  ) throws(KernelError) {
    let (start, before) = (bytes.count, lastMessage)
    lastMessage = start
    append(nlmsghdr(nlmsg_len: 0, nlmsg_type: type, nlmsg_flags: flags, nlmsg_seq: sequence, nlmsg_pid: 0))
    append(header)
    body(&self)
    let total: UInt32 = length(bytes.count - start, "netlink message \(type)")
    patch(total, at: start)
    guard let excess else { return }
    self.excess = nil
    bytes.removeSubrange(start...)
    lastMessage = before
    throw excess
  }

  /// Appends a complete message that was built elsewhere, with its padding.
  mutating func appendWhole(_ message: some Collection<UInt8>) {
    lastMessage = bytes.count
    bytes.append(contentsOf: message)
  }

  /// Adds flags to the last message, such as NLM_F_ACK.
  mutating func flagLastMessage(_ flags: UInt16) {
    guard !bytes.isEmpty else { return }
    let position = lastMessage + (MemoryLayout<nlmsghdr>.offset(of: \.nlmsg_flags) ?? 6)
    let old = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: UInt16.self) }
    patch(old | flags, at: position)
  }

  /// Appends a fixed struct, such as the one at the start of VETH_INFO_PEER.
  public mutating func append<Value: BitwiseCopyable>(_ value: Value) {
    withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
    pad()
  }

  public mutating func put(_ type: UInt16, _ payload: some Collection<UInt8>) {
    let length = attributeLength(MemoryLayout<nlattr>.size + payload.count, type)
    append(nlattr(nla_len: length, nla_type: type))
    bytes.append(contentsOf: payload)
    pad()
  }

  /// Adds an integer in host order.
  public mutating func put<Number: FixedWidthInteger & BitwiseCopyable>(_ type: UInt16, _ value: Number) {
    append(nlattr(nla_len: UInt16(MemoryLayout<nlattr>.size + MemoryLayout<Number>.size), nla_type: type))
    append(value)
  }

  /// Adds an integer in network order, flagged NLA_F_NET_BYTEORDER.
  public mutating func put<Number: FixedWidthInteger & BitwiseCopyable>(_ type: UInt16, bigEndian value: Number) {
    put(type | UInt16(NLA_F_NET_BYTEORDER), value.bigEndian)
  }

  /// Adds a string with its terminating zero.
  public mutating func put(_ type: UInt16, string: String) {
    put(type, Array(string.utf8) + [0])
  }

  /// Adds an attribute that contains attributes, flagged NLA_F_NESTED.
  public mutating func withNest(_ type: UInt16, _ body: (inout NetlinkBuffer) -> Void) {
    let start = bytes.count
    append(nlattr(nla_len: 0, nla_type: type | UInt16(NLA_F_NESTED)))
    body(&self)
    patch(attributeLength(bytes.count - start, type), at: start)
  }

  private mutating func attributeLength(_ bytes: Int, _ type: UInt16) -> UInt16 {
    length(bytes, "netlink attribute \(type & ~UInt16(NLA_F_NESTED | NLA_F_NET_BYTEORDER))")
  }

  private mutating func length<Number: FixedWidthInteger>(_ bytes: Int, _ what: @autoclosure () -> String) -> Number {
    if let length = Number(exactly: bytes) { return length }
    if excess == nil {
      excess = KernelError(what(), code: EMSGSIZE, message: "it takes \(bytes) bytes; the maximum is \(Number.max)")
    }
    return .max
  }

  private mutating func pad() {
    while bytes.count % 4 != 0 { bytes.append(0) }
  }

  private mutating func patch<Number: FixedWidthInteger & BitwiseCopyable>(_ value: Number, at position: Int) {
    bytes.withUnsafeMutableBytes { $0.storeBytes(of: value, toByteOffset: position, as: Number.self) }
  }
}

// The clang importer imports anonymous enums (IFLA_*) as Int, named ones (RTA_*) as structs, and macros as Int32. These
// overloads convert all three to an attribute type.
public func number(_ value: Int) -> UInt16 { UInt16(truncatingIfNeeded: value) }
public func number(_ value: Int32) -> UInt16 { UInt16(truncatingIfNeeded: value) }
public func number(_ value: some RawRepresentable<UInt32>) -> UInt16 { UInt16(truncatingIfNeeded: value.rawValue) }
