/// The part of SCTP that a probe needs: the first packet of an association and the answers to it (RFC 9260, 5.1).
struct SCTPPacket: Hashable {
  var sourcePort: UInt16
  var destinationPort: UInt16
  /// 0 in an INIT. The answers carry the tag of the INIT's sender (RFC 9260, 8.5.1).
  var verificationTag: UInt32
  var chunk: Chunk

  enum Chunk: Hashable {
    /// INIT (RFC 9260, 3.3.2): a tag other than 0, and the first TSN, which may be any number.
    case initiation(tag: UInt32, sequence: UInt32)
    /// INIT ACK (3.3.3). The listener keeps no state: its cookie is the tag and the TSN of the INIT.
    case acknowledgement(tag: UInt32, sequence: UInt32)
    /// ABORT (3.3.7).
    case abort
  }

  /// The answer to a packet, in the other direction.
  func answer(_ chunk: Chunk, to tag: UInt32) -> SCTPPacket {
    SCTPPacket(sourcePort: destinationPort, destinationPort: sourcePort, verificationTag: tag, chunk: chunk)
  }

  /// The packet from its common header (RFC 9260, 3.1) on, with its checksum.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(44)
    bytes.append(sourcePort)
    bytes.append(destinationPort)
    bytes.append(verificationTag)
    bytes.append(UInt32(0))
    switch chunk {
    case .initiation(let tag, let sequence):
      bytes.append(UInt16(Number.initiation) << 8)
      bytes.append(UInt16(20))
      bytes.appendParameters(tag, sequence)
    case .acknowledgement(let tag, let sequence):
      bytes.append(UInt16(Number.acknowledgement) << 8)
      bytes.append(UInt16(32))
      bytes.appendParameters(tag, sequence)
      // State Cookie, a mandatory parameter.
      bytes.append(UInt16(7))
      bytes.append(UInt16(12))
      bytes.append(verificationTag)
      bytes.append(sequence)
    case .abort:
      bytes.append(UInt16(Number.abort) << 8)
      bytes.append(UInt16(4))
    }
    let sum = Self.checksum(bytes)
    for index in 0..<4 { bytes[8 + index] = UInt8(truncatingIfNeeded: sum >> (8 * index)) }
    return bytes
  }

  /// `nil` if the bytes are too short, have a wrong checksum, or begin with another chunk.
  init?(_ bytes: some RandomAccessCollection<UInt8>) {
    guard let ports = SCTPPorts(bytes), let type = bytes.number(at: 12, of: UInt8.self),
      let tag = bytes.number(at: 4, of: UInt32.self), let sum = bytes.number(at: 8, of: UInt32.self),
      sum.byteSwapped == Self.checksum(bytes)
    else { return nil }
    (sourcePort, destinationPort, verificationTag) = (ports.source, ports.destination, tag)
    switch type {
    case Number.initiation, Number.acknowledgement:
      guard let tag = bytes.number(at: 16, of: UInt32.self), let sequence = bytes.number(at: 28, of: UInt32.self)
      else { return nil }
      chunk =
        type == Number.initiation
        ? .initiation(tag: tag, sequence: sequence) : .acknowledgement(tag: tag, sequence: sequence)
    case Number.abort: chunk = .abort
    default: return nil
    }
  }

  init(sourcePort: UInt16, destinationPort: UInt16, verificationTag: UInt32, chunk: Chunk) {
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.verificationTag = verificationTag
    self.chunk = chunk
  }

  /// Checksum of the whole packet, with 0 in the checksum field (RFC 9260, 6.8).
  private static func checksum(_ bytes: some RandomAccessCollection<UInt8>) -> UInt32 {
    var sum = CRC32c()
    sum.update(bytes.prefix(8))
    sum.update(repeatElement(0, count: 4))
    sum.update(bytes.dropFirst(12))
    return sum.value
  }

  /// Chunk types (RFC 9260, 3.2).
  private enum Number {
    static let initiation: UInt8 = 1
    static let acknowledgement: UInt8 = 2
    static let abort: UInt8 = 6
  }
}

/// The ports of a packet. An ICMP error may quote only 8 bytes of it (RFC 792).
struct SCTPPorts {
  let source: UInt16
  let destination: UInt16

  init?(_ bytes: some RandomAccessCollection<UInt8>) {
    guard let source = bytes.number(at: 0, of: UInt16.self), let destination = bytes.number(at: 2, of: UInt16.self)
    else { return nil }
    (self.source, self.destination) = (source, destination)
  }
}

extension RandomAccessCollection<UInt8> {
  /// A number in network order; `nil` if the bytes are too short.
  fileprivate func number<Number: FixedWidthInteger>(at offset: Int, of type: Number.Type) -> Number? {
    let field = dropFirst(offset).prefix(Number.bitWidth / 8)
    guard field.count == Number.bitWidth / 8 else { return nil }
    return field.reduce(0) { Number(truncatingIfNeeded: UInt64($0) << 8 | UInt64($1)) }
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ number: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
  }

  /// The fixed part of INIT and INIT ACK, with the smallest window allowed and one stream in each direction.
  fileprivate mutating func appendParameters(_ tag: UInt32, _ sequence: UInt32) {
    append(tag)
    append(UInt32(1500))
    append(UInt16(1))
    append(UInt16(1))
    append(sequence)
  }
}
