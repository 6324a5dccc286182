/// Marks for what rules tell apart: made of its text, so that a change elsewhere gives nobody another number.
struct MarkNumbers {
  /// Everything is admitted.
  static let everything: UInt32 = 1

  private var texts: [UInt32: String] = [:]

  /// Odd numbers are those of groups with peers of whom everything is admitted: others are not asked for such.
  mutating func number(of text: String, isOdd: Bool) -> UInt32 {
    // FNV-1a.
    var number: UInt32 = 0x811c_9dc5
    for byte in text.utf8 { number = (number ^ UInt32(byte)) &* 0x0100_0193 }
    number = number & ~1 | (isOdd ? 1 : 0)
    // What has the number of another takes the next one. Zero is a packet that no rule has marked.
    while number <= Self.everything || texts[number].map({ $0 != text }) ?? false { number &+= 2 }
    texts[number] = text
    return number
  }
}
