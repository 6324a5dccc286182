/// The checksum of SCTP (RFC 9260, 6.8 and appendix A): the Castagnoli polynomial, bits reflected.
struct CRC32c {
  private var register = UInt32.max

  mutating func update(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { register = register >> 8 ^ Self.table[Int(UInt8(truncatingIfNeeded: register) ^ byte)] }
  }

  /// Must be written with the least significant byte first.
  var value: UInt32 { ~register }

  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(byte) { rest, _ in rest & 1 == 0 ? rest >> 1 : rest >> 1 ^ 0x82f6_3b78 }
  }
}
