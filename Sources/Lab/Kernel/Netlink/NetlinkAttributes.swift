internal import CNftables

/// One attribute of a received message: its type without flags, and its payload.
public struct NetlinkAttribute: Sendable {
  public let type: UInt16
  public let payload: ArraySlice<UInt8>

  /// The attributes inside a nest.
  public var nested: AttributeSequence { AttributeSequence(payload) }

  /// The payload as an integer in host order; `nil` if it has another length.
  public func integer<Number: FixedWidthInteger & BitwiseCopyable>(_: Number.Type = Number.self) -> Number? {
    guard payload.count == MemoryLayout<Number>.size else { return nil }
    return payload.withUnsafeBytes { $0.loadUnaligned(as: Number.self) }
  }

  /// The payload as an integer in network order; `nil` if it has another length.
  public func bigEndian<Number: FixedWidthInteger & BitwiseCopyable>(_: Number.Type = Number.self) -> Number? {
    integer(Number.self).map { Number(bigEndian: $0) }
  }

  /// The payload as text, up to its terminating zero.
  public var string: String { String(decoding: payload.prefix { $0 != 0 }, as: UTF8.self) }
}

/// The attributes in a range of bytes. Ends at the first one that doesn't fit (mnl_attr_for_each is a macro).
public struct AttributeSequence: Sequence, IteratorProtocol, Sendable {
  private var rest: ArraySlice<UInt8>

  public init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  public mutating func next() -> NetlinkAttribute? {
    let headerSize = MemoryLayout<nlattr>.size
    guard rest.count >= headerSize else { return nil }
    let header = rest.withUnsafeBytes { $0.loadUnaligned(as: nlattr.self) }
    let length = Int(header.nla_len)
    guard length >= headerSize, length <= rest.count else { return nil }
    let payload = rest.dropFirst(headerSize).prefix(length - headerSize)
    rest = rest.dropFirst((length + 3) & ~3)
    return NetlinkAttribute(type: header.nla_type & ~UInt16(NLA_F_NESTED | NLA_F_NET_BYTEORDER), payload: payload)
  }

  /// The first attribute of this type.
  public subscript(_ type: UInt16) -> NetlinkAttribute? { first { $0.type == type } }
}
