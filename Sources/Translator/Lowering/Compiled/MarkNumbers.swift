/// Assigns mark numbers. Each number is a hash of its text, so changes elsewhere don't change it.
struct MarkNumbers {
  /// The number that means that everything is allowed.
  static let everything: UInt32 = 1

  private var texts: [UInt32: String] = [:]

  /// Odd numbers are for groups that have peers with everything allowed. Rules skip that check for even numbers.
  mutating func number(of text: String, isOdd: Bool) -> UInt32 {
    // FNV-1a.
    var number: UInt32 = 0x811c_9dc5
    for byte in text.utf8 { number = (number ^ UInt32(byte)) &* 0x0100_0193 }
    number = number & ~1 | (isOdd ? 1 : 0)
    // A text whose number is taken gets the next one. Zero is a packet that no rule has marked.
    while number <= Self.everything || texts[number].map({ $0 != text }) ?? false { number &+= 2 }
    texts[number] = text
    return number
  }
}
