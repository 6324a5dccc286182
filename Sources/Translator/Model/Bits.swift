/// A set of small numbers, one bit for each.
public struct Bits: Hashable, Sendable {
  public private(set) var words: [UInt64]

  /// An empty set of numbers below `count`.
  public init(count: Int) { words = Array(repeating: 0, count: (count + 63) / 64) }

  public init(_ numbers: some Sequence<Int>, count: Int) {
    self.init(count: count)
    for number in numbers { insert(number) }
  }

  /// All numbers below `count`.
  public init(allBelow count: Int) {
    self.init(count: count)
    for word in words.indices { words[word] = .max }
    if count & 63 != 0 { words[words.count - 1] = 1 << UInt64(count & 63) - 1 }
  }

  public func contains(_ number: Int) -> Bool { words[number >> 6] >> UInt64(number & 63) & 1 == 1 }
  public mutating func insert(_ number: Int) { words[number >> 6] |= 1 << UInt64(number & 63) }
  public mutating func remove(_ number: Int) { words[number >> 6] &= ~(1 << UInt64(number & 63)) }
  public var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
  public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  public func isDisjoint(with other: Bits) -> Bool {
    for word in words.indices where words[word] & other.words[word] != 0 { return false }
    return true
  }

  public mutating func formUnion(_ other: Bits) {
    for word in words.indices { words[word] |= other.words[word] }
  }
  public mutating func formIntersection(_ other: Bits) {
    for word in words.indices { words[word] &= other.words[word] }
  }
  public mutating func subtract(_ other: Bits) {
    for word in words.indices { words[word] &= ~other.words[word] }
  }
  public mutating func formSymmetricDifference(_ other: Bits) {
    for word in words.indices { words[word] ^= other.words[word] }
  }

  public func union(_ other: Bits) -> Bits { with { $0.formUnion(other) } }
  public func intersection(_ other: Bits) -> Bits { with { $0.formIntersection(other) } }
  public func subtracting(_ other: Bits) -> Bits { with { $0.subtract(other) } }
  public func symmetricDifference(_ other: Bits) -> Bits { with { $0.formSymmetricDifference(other) } }

  public func without(_ number: Int) -> Bits { with { $0.remove(number) } }

  private func with(_ change: (inout Bits) -> Void) -> Bits {
    var copy = self
    change(&copy)
    return copy
  }

  /// The lowest number. `nil` if it is empty.
  public var first: Int? {
    for (index, word) in words.enumerated() where word != 0 { return index << 6 + word.trailingZeroBitCount }
    return nil
  }

  /// Calls `body` with each number, the lowest first.
  public func visit(_ body: (Int) throws -> Void) rethrows {
    for (index, word) in words.enumerated() {
      var rest = word
      while rest != 0 {
        try body(index << 6 + rest.trailingZeroBitCount)
        rest &= rest - 1
      }
    }
  }

  public var numbers: [Int] {
    var numbers: [Int] = []
    visit { numbers.append($0) }
    return numbers
  }
}

extension Bits {
  /// As many sets as numbers, turned around: number `b` is in set `a` of the result if `a` was in set `b`.
  public static func transposed(_ rows: [Bits]) -> [Bits] {
    var columns = [Bits](repeating: Bits(count: rows.count), count: rows.count)
    for block in 0..<(rows.count + 63) / 64 {
      let first = block << 6
      let height = min(64, rows.count - first)
      for word in 0..<(rows.count + 63) / 64 {
        var square = [UInt64](repeating: 0, count: 64)
        var isEmpty = true
        for row in 0..<height {
          square[row] = rows[first + row].words[word]
          isEmpty = isEmpty && square[row] == 0
        }
        if isEmpty { continue }
        transpose(&square)
        for column in 0..<min(64, rows.count - word << 6) { columns[word << 6 + column].words[block] = square[column] }
      }
    }
    return columns
  }

  /// The same for the rows of some numbers only: number `b` is in the set of `a` if `a` was in that of `b`.
  public static func transposed(_ rows: [Bits], of some: [Int]) -> [Bits] {
    some.map { number in
      var column = rows.first.map { Bits(count: $0.words.count << 6) } ?? Bits(count: 0)
      for (row, other) in zip(rows, some) where row.contains(number) { column.insert(other) }
      return column
    }
  }

  /// Turns a square of 64 times 64 bits around (Hacker's Delight, 7-3).
  private static func transpose(_ square: inout [UInt64]) {
    var width = 32
    var mask: UInt64 = 0x0000_0000_ffff_ffff
    while width != 0 {
      var row = 0
      while row < 64 {
        let swapped = (square[row] >> UInt64(width) ^ square[row + width]) & mask
        square[row + width] ^= swapped
        square[row] ^= swapped << UInt64(width)
        row = (row + width + 1) & ~width
      }
      width >>= 1
      mask ^= mask << UInt64(width)
    }
  }
}
