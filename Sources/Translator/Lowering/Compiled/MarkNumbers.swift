/// Marks for what rules tell apart: made of its text, so that a change elsewhere gives nobody another number.
struct MarkNumbers {
  /// Admitted, whatever the port.
  static let everything: UInt32 = 1

  /// Zero is a packet that no rule has marked.
  private var texts: [UInt32: String] = [0: "", everything: PortSet.everythingText]

  mutating func number(of text: String) -> UInt32 {
    if text == PortSet.everythingText { return Self.everything }
    // FNV-1a.
    var number: UInt32 = 0x811c_9dc5
    for byte in text.utf8 { number = (number ^ UInt32(byte)) &* 0x0100_0193 }
    // What has the number of another takes the next one.
    while let other = texts[number], other != text { number &+= 1 }
    texts[number] = text
    return number
  }
}
