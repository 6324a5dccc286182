public import CNftables

/// One message from a datagram that the kernel sent.
public struct NetlinkMessage: Sendable {
  public let type: UInt16
  public let flags: UInt16
  public let sequence: UInt32
  /// The message with its header, aligned as in the datagram.
  public let bytes: ArraySlice<UInt8>

  public var payload: ArraySlice<UInt8> { bytes.dropFirst(MemoryLayout<nlmsghdr>.size) }

  /// The attributes that follow the fixed struct of the message's type.
  public func attributes<Header: BitwiseCopyable>(after header: Header.Type) -> AttributeSequence {
    AttributeSequence(payload.dropFirst((MemoryLayout<Header>.size + 3) & ~3))
  }

  /// The fixed struct at the start of the payload; `nil` if the message is too short.
  public func header<Header: BitwiseCopyable>(_: Header.Type = Header.self) -> Header? {
    guard payload.count >= MemoryLayout<Header>.size else { return nil }
    return payload.withUnsafeBytes { $0.loadUnaligned(as: Header.self) }
  }

  /// Passes the header's address to `body`, as the parsers of libnftnl and libmnl need it.
  public func withUnsafeHeader<Result>(_ body: (UnsafePointer<nlmsghdr>) throws -> Result) rethrows -> Result? {
    try bytes.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress, bytes.count >= MemoryLayout<nlmsghdr>.size else { return nil }
      return try body(start.assumingMemoryBound(to: nlmsghdr.self))
    }
  }

  /// The kernel's answer to a request, if the message is an NLMSG_ERROR. Code 0 is an acknowledgement.
  public var answer: NetlinkAnswer? {
    guard type == UInt16(NLMSG_ERROR), let error: nlmsgerr = header() else { return nil }
    return NetlinkAnswer(error, flags: flags, payload: payload)
  }
}

/// The kernel's answer to one request (struct nlmsgerr, linux/netlink.h).
public struct NetlinkAnswer: Sendable {
  /// The sequence number of the request.
  public let sequence: UInt32
  /// A positive errno, or 0.
  public let code: Int32
  public private(set) var message: String?
  public private(set) var attributeOffset: UInt32?
  /// The payload of the request, if the kernel sends it back. ipset marks the failed line in it.
  let request: ArraySlice<UInt8>

  init(_ error: nlmsgerr, flags: UInt16, payload: ArraySlice<UInt8>) {
    sequence = error.msg.nlmsg_seq
    code = error.error == .min ? .max : -error.error
    let rest = payload.dropFirst(MemoryLayout<nlmsgerr>.size)
    let echoed = flags & UInt16(NLM_F_CAPPED) == 0 ? Int(error.msg.nlmsg_len) - MemoryLayout<nlmsghdr>.size : 0
    request = rest.prefix(max(0, echoed))
    guard flags & UInt16(NLM_F_ACK_TLVS) != 0 else { return }
    for attribute in AttributeSequence(rest.dropFirst((max(0, echoed) + 3) & ~3)) {
      switch attribute.type {
      case number(NLMSGERR_ATTR_MSG): message = attribute.string
      case number(NLMSGERR_ATTR_OFFS): attributeOffset = attribute.integer()
      default: break
      }
    }
  }

  /// The answer as an error of `operation`; `nil` for an acknowledgement.
  public func error(of operation: @autoclosure () -> String) -> KernelError? {
    guard code != 0 else { return nil }
    return KernelError(operation(), code: code, message: message, attributeOffset: attributeOffset)
  }
}

/// The messages in one datagram. Ends at the first one that doesn't fit (mnl_nlmsg_ok, mnl_nlmsg_next).
public struct NetlinkMessageSequence: Sequence, IteratorProtocol, Sendable {
  private var rest: ArraySlice<UInt8>

  public init(_ datagram: [UInt8]) { rest = datagram[...] }

  public mutating func next() -> NetlinkMessage? {
    let headerSize = MemoryLayout<nlmsghdr>.size
    guard rest.count >= headerSize else { return nil }
    let header = rest.withUnsafeBytes { $0.loadUnaligned(as: nlmsghdr.self) }
    let length = Int(header.nlmsg_len)
    guard length >= headerSize, length <= rest.count else { return nil }
    defer { rest = rest.dropFirst((length + 3) & ~3) }
    return NetlinkMessage(
      type: header.nlmsg_type, flags: header.nlmsg_flags, sequence: header.nlmsg_seq, bytes: rest.prefix(length))
  }
}
