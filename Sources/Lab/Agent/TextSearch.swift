internal import Glibc

extension Collection<UInt8> {
  /// Whether a text occurs, found as Go's `strings.Contains` finds it: by the pattern's first byte, and once that byte
  /// has misled too often in a long pattern's search, by a rolling hash (Rabin-Karp). How long a search takes depends on
  /// text and pattern as it does there.
  func contains(text pattern: [UInt8]) -> Bool {
    let found = withContiguousStorageIfAvailable { text in
      pattern.withUnsafeBufferPointer { Self.occurs($0, in: text) }
    }
    return found ?? Array(self).contains(text: pattern)
  }

  /// Patterns up to this length are searched by their first byte alone (`bytealg.MaxLen` of Go on amd64 with AVX2).
  private static var mostOfShort: Int { 63 }

  private static func occurs(_ pattern: UnsafeBufferPointer<UInt8>, in text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let head = pattern.first, let start = pattern.baseAddress, let base = text.baseAddress else {
      return pattern.isEmpty
    }
    // Places where the pattern can begin.
    let end = text.count - pattern.count + 1
    var (index, misses) = (0, 0)
    while index < end {
      guard let hit = memchr(base + index, Int32(head), end - index) else { return false }
      index = hit - UnsafeRawPointer(base)
      if memcmp(base + index, start, pattern.count) == 0 { return true }
      index += 1
      misses += 1
      if pattern.count > mostOfShort, misses >= 4 + index >> 4, index < end {
        return occursByHash(pattern, in: UnsafeBufferPointer(rebasing: text[index...]))
      }
    }
    return false
  }

  /// The hash of a window that moves over the text, one byte at a time. `text` is at least as long as the pattern.
  private static func occursByHash(_ pattern: UnsafeBufferPointer<UInt8>, in text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let start = pattern.baseAddress, let base = text.baseAddress else { return false }
    let count = pattern.count
    // The prime of the FNV hash.
    let factor: UInt32 = 16_777_619
    var (wanted, hash, power): (UInt32, UInt32, UInt32) = (0, 0, 1)
    for index in 0..<count {
      wanted = wanted &* factor &+ UInt32(start[index])
      hash = hash &* factor &+ UInt32(base[index])
      power = power &* factor
    }
    var index = count
    while true {
      if hash == wanted, memcmp(base + (index - count), start, count) == 0 { return true }
      if index >= text.count { return false }
      hash = hash &* factor &+ UInt32(base[index]) &- power &* UInt32(base[index - count])
      index += 1
    }
  }
}

extension UnsafeMutableRawPointer {
  fileprivate static func - (end: UnsafeMutableRawPointer, start: UnsafeRawPointer) -> Int {
    UnsafeRawPointer(end) - start
  }
}
