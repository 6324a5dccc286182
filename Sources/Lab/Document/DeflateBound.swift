/// How large a text is at most once gzip has compressed it.
///
/// It searches for repetitions as gzip does, but looks at one earlier place only, and writes with the fixed code of
/// RFC 1951 (3.2.6). gzip looks at more places, and takes a better code where there is one.
enum DeflateBound {
  /// In bytes, with gzip's header and trailer.
  static func size(of bytes: [UInt8]) -> Int {
    var places = [Int32](repeating: -1, count: 1 << hashBits)
    // The header of a block, and its end. A block has fewer bytes than that in gzip, so there is one for each.
    var bits = 10 + bytes.count / block * 10
    var position = 0
    bytes.withUnsafeBufferPointer { bytes in
      while position < bytes.count {
        guard position + 4 <= bytes.count else {
          bits += bytes[position...].reduce(0) { $0 + literal($1) }
          break
        }
        let slot = hash(bytes, position)
        let candidate = Int(places[slot])
        places[slot] = Int32(truncatingIfNeeded: position)
        let length = candidate >= 0 && position - candidate <= window ? match(bytes, candidate, position) : 0
        if length >= 4 {
          bits += lengthBits(length) + distanceBits(position - candidate)
          var inside = position + 1
          while inside < position + length, inside + 4 <= bytes.count {
            places[hash(bytes, inside)] = Int32(truncatingIfNeeded: inside)
            inside += 1
          }
          position += length
        } else {
          bits += literal(bytes[position])
          position += 1
        }
      }
    }
    return bits / 8 + 1 + 18
  }

  private static let hashBits = 15
  private static let window = 32_768
  private static let longest = 258
  private static let block = 16_384

  private static func hash(_ bytes: UnsafeBufferPointer<UInt8>, _ at: Int) -> Int {
    let word =
      UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16 | UInt32(bytes[at + 3]) << 24
    return Int((word &* 2_654_435_761) >> (32 - UInt32(hashBits)))
  }

  private static func match(_ bytes: UnsafeBufferPointer<UInt8>, _ earlier: Int, _ at: Int) -> Int {
    var length = 0
    while length < longest, at + length < bytes.count, bytes[earlier + length] == bytes[at + length] { length += 1 }
    return length
  }

  private static func literal(_ byte: UInt8) -> Int { byte < 144 ? 8 : 9 }

  /// The code of a length, and its extra bits: none below 11, one below 19, and so on.
  private static func lengthBits(_ length: Int) -> Int {
    switch length {
    case ..<11: 7
    case ..<19: 8
    case ..<35: 9
    case ..<67: 10
    case ..<115: 11
    case ..<131: 12
    case ..<258: 13
    default: 8
    }
  }

  /// Five bits, and the extra bits.
  private static func distanceBits(_ distance: Int) -> Int {
    var (extra, limit) = (0, 4)
    while distance > limit {
      limit *= 2
      extra += 1
    }
    return 5 + extra
  }
}
