/// An Ethernet frame with a UDP datagram or a TCP segment, complete with checksums and ready to send.
///
/// Layouts: RFC 791 and 8200 (IP), 768 (UDP), 9293 (TCP). Shorter frames are padded to 60 bytes, the Ethernet minimum
/// without the frame check sequence: UDP in its payload, TCP by `FrameRing`.
public struct Frame: Hashable, Sendable {
  public enum Content: Hashable, Sendable {
    case udp
    case tcp(TCPFlags, sequence: UInt32, acknowledgement: UInt32)
  }

  public struct TCPFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    public static let syn = TCPFlags(rawValue: 0x02)
    public static let ack = TCPFlags(rawValue: 0x10)
  }

  /// One end of a frame's path. The address has 4 or 16 bytes, the hardware address 6.
  public struct End: Hashable, Sendable {
    public var mac: [UInt8]
    public var address: [UInt8]
    public var port: UInt16
    public init(mac: [UInt8], address: [UInt8], port: UInt16) {
      self.mac = mac
      self.address = address
      self.port = port
    }
  }

  /// The Ethernet minimum without the frame check sequence (IEEE 802.3).
  public static let leastLength = 60

  public let bytes: [UInt8]

  /// `nextHop` is the hardware address that the frame is sent to: a router's, or that of `destination` itself. Both
  /// addresses must be of the same family.
  public init(from source: End, to destination: End, nextHop: [UInt8], _ content: Content) {
    let isV4 = AddressFamily.required(of: source.address) == .v4
    precondition(source.address.count == destination.address.count, "both addresses of a frame must be of one family")
    let fixed = 14 + (isV4 ? 20 : 40) + (content == .udp ? 8 : 20)
    let payload = [UInt8](repeating: 0, count: max(0, Self.leastLength - fixed))
    let segment = Self.segment(content, source, destination, payload)
    let header =
      isV4
      ? Self.ipv4(source, destination, segment.count, content) : Self.ipv6(source, destination, segment.count, content)
    bytes = nextHop + source.mac + (isV4 ? [0x08, 0x00] : [0x86, 0xdd]) + header + segment
  }

  private static func ipv4(_ source: End, _ destination: End, _ length: Int, _ content: Content) -> [UInt8] {
    // Version and header length, type of service, total length, identification, don't fragment, 64 hops.
    var header: [UInt8] =
      [0x45, 0] + bigEndian(UInt16(20 + length)) + [0, 0, 0x40, 0, 64, content.protocolNumber, 0, 0] + source.address
      + destination.address
    header.replaceSubrange(10..<12, with: bigEndian(internetChecksum(header)))
    return header
  }

  private static func ipv6(_ source: End, _ destination: End, _ length: Int, _ content: Content) -> [UInt8] {
    [0x60, 0, 0, 0] + bigEndian(UInt16(length)) + [content.protocolNumber, 64] + source.address + destination.address
  }

  private static func segment(_ content: Content, _ source: End, _ destination: End, _ payload: [UInt8]) -> [UInt8] {
    var segment = bigEndian(source.port) + bigEndian(destination.port)
    let checksumAt: Int
    switch content {
    case .udp:
      segment += bigEndian(UInt16(8 + payload.count)) + [0, 0]
      checksumAt = 6
    case .tcp(let flags, let sequence, let acknowledgement):
      // A header of five words, the largest window without scaling.
      segment += bigEndian(sequence) + bigEndian(acknowledgement) + [0x50, flags.rawValue, 0xff, 0xff, 0, 0, 0, 0]
      checksumAt = 16
    }
    // Payload in a TCP segment would be acknowledged, so a TCP frame is padded after the packet instead.
    if content == .udp { segment += payload }
    let pseudo =
      source.address + destination.address + bigEndian(UInt32(segment.count)) + [0, 0, 0, content.protocolNumber]
    let sum = internetChecksum(pseudo + segment)
    // A UDP checksum of zero means that there is none (RFC 768).
    segment.replaceSubrange(checksumAt..<checksumAt + 2, with: bigEndian(sum == 0 && content == .udp ? 0xffff : sum))
    return segment
  }
}

extension Frame.Content {
  /// IPPROTO_UDP, IPPROTO_TCP.
  fileprivate var protocolNumber: UInt8 { self == .udp ? 17 : 6 }
}

/// The Internet checksum of RFC 1071: the complement of the ones' complement sum of 16-bit words in network order.
func internetChecksum(_ bytes: [UInt8]) -> UInt16 {
  var sum: UInt32 = 0
  for (index, byte) in bytes.enumerated() { sum &+= index.isMultiple(of: 2) ? UInt32(byte) << 8 : UInt32(byte) }
  while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
  return ~UInt16(sum)
}

private func bigEndian<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
  withUnsafeBytes(of: value.bigEndian) { Array($0) }
}
