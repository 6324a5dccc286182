/// The texts of the input, to quote lines of them.
public struct SourceLines: Sendable {
  /// A line and its number, counted from 1.
  public struct Line: Hashable, Sendable {
    public let number: Int
    public let text: String
  }

  private let texts: [String: String]

  /// `texts` by the name of the file, as in a `SourceLocation`.
  public init(_ texts: [String: String] = [:]) { self.texts = texts }

  /// The entry at each place: its first line, and those after it that are indented deeper, but no more than `limit`.
  /// Each text is read once. A place outside of the texts has no lines.
  public func entries(at places: Set<SourceLocation>, atMost limit: Int = 10) -> [SourceLocation: [Line]] {
    var found: [SourceLocation: [Line]] = [:]
    for (file, places) in Dictionary(grouping: places, by: \.file) {
      guard var text = texts[file] else { continue }
      text.withUTF8 { bytes in
        var cursor = LineCursor(bytes)
        for place in places.sorted(by: { $0.line < $1.line }) where cursor.move(to: place.line) {
          found[place] = cursor.entry(atMost: limit)
        }
      }
    }
    return found
  }
}

/// A place at the start of a line in a text.
private struct LineCursor {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var offset = 0
  private var number = 1

  private static let newline = UInt8(ascii: "\n")
  /// Bytes whose lines are counted together, which is many times faster than one after the other.
  private static let block = 4096

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  /// How many lines end in a range, eight bytes at a time.
  private func newlines(_ range: Range<Int>) -> Int {
    let raw = UnsafeRawBufferPointer(bytes)
    let (low, wanted): (UInt64, UInt64) = (0x7f7f_7f7f_7f7f_7f7f, 0x0a0a_0a0a_0a0a_0a0a)
    var (place, sum) = (range.lowerBound, 0)
    while place + 8 <= range.upperBound {
      let word = raw.loadUnaligned(fromByteOffset: place, as: UInt64.self) ^ wanted
      // The highest bit of each byte that is zero now, and no other bit.
      sum &+= (~(((word & low) &+ low) | word | low)).nonzeroBitCount
      place &+= 8
    }
    while place < range.upperBound {
      if bytes[place] == Self.newline { sum += 1 }
      place += 1
    }
    return sum
  }

  /// Moves forward. Returns `false` if the text has no such line.
  mutating func move(to line: Int) -> Bool {
    while number < line {
      let end = min(offset + Self.block, bytes.count)
      let lines = newlines(offset..<end)
      if number + lines < line {
        if end == bytes.count { return false }
        (offset, number) = (end, number + lines)
        continue
      }
      while number < line {
        if bytes[offset] == Self.newline { number += 1 }
        offset += 1
      }
    }
    return number == line && offset < bytes.count
  }

  /// This line, and those after it that are indented deeper, without blank ones.
  func entry(atMost limit: Int) -> [SourceLines.Line] {
    var lines: [SourceLines.Line] = []
    var (start, number) = (offset, number)
    var indent = 0
    while start < bytes.count, lines.count < limit {
      let end = bytes[start...].firstIndex(of: Self.newline) ?? bytes.count
      let text = String(decoding: bytes[start..<end], as: UTF8.self)
      let own = text.prefix { $0 == " " }.count
      if lines.isEmpty {
        indent = own
      } else if text.allSatisfy(\.isWhitespace) {
        (start, number) = (end + 1, number + 1)
        continue
      } else if own <= indent {
        break
      }
      lines.append(SourceLines.Line(number: number, text: text))
      (start, number) = (end + 1, number + 1)
    }
    return lines
  }
}
