internal import Algorithms
internal import NetpolModel
internal import RuleIR

/// A keyed set prepared for lookups: by the whole key, or by all fields except the last and then by range.
struct PreparedKeyedSet: Sendable {
  private struct Range {
    let first, last: UInt128
    let number: UInt32
  }

  private enum Content {
    case keys([[UInt128]: UInt32])
    /// Sorted and without overlaps.
    case ranges([[UInt128]: [Range]])
  }

  private let content: Content
  let elements: [KeyedSet.Element]
  /// In a verdict map: its different verdicts, each once.
  let verdicts: [KeyedSet.Verdict]

  init(_ set: KeyedSet) {
    elements = set.elements
    var verdicts: [KeyedSet.Verdict] = []
    var numbers: [KeyedSet.Verdict: UInt32] = [:]
    for case .verdict(let verdict)? in set.elements.map(\.value) where numbers[verdict] == nil {
      numbers[verdict] = UInt32(verdicts.count)
      verdicts.append(verdict)
    }
    self.verdicts = verdicts
    let number = { (element: KeyedSet.Element) -> UInt32 in
      switch element.value {
      case .mark(let mark): mark
      case .verdict(let verdict): numbers[verdict] ?? 0
      case nil: 0
      }
    }
    if set.hasRanges {
      var ranges: [[UInt128]: [Range]] = [:]
      for element in set.elements.sorted(by: KeyedSet.Element.precedes) {
        guard let first = element.key.last else { continue }
        ranges[Array(element.key.dropLast()), default: []].append(
          Range(first: first, last: element.through ?? first, number: number(element)))
      }
      content = .ranges(ranges)
    } else {
      content = .keys(Dictionary(set.elements.map { ($0.key, number($0)) }) { first, _ in first })
    }
  }

  func contains(_ key: [UInt128]) -> Bool { number(of: key) != nil }

  /// Returns the mark that a map gives the key, or the index of its verdict in `verdicts`, or 0 for a key in a set.
  /// Returns `nil` if the key is not there.
  func number(of key: [UInt128]) -> UInt32? {
    switch content {
    case .keys(let numbers): return numbers[key]
    case .ranges(let ranges):
      guard let last = key.last, let candidates = ranges[Array(key.dropLast())] else { return nil }
      // The last range that starts at or below the value.
      let end = candidates.partitioningIndex { $0.first > last }
      guard let range = candidates[..<end].last, last <= range.last else { return nil }
      return range.number
    }
  }
}
