internal import Kernel
internal import NetpolModel

/// The start and end elements of ranges that are sorted and don't overlap, as nft writes them. For a whole set, also an
/// end element below the first range.
func intervalElements(_ ranges: [(first: [UInt8], last: [UInt8])], isWhole: Bool) -> [NftElement] {
  var elements: [NftElement] = []
  // Everything below the first range is outside.
  if isWhole, let first = ranges.first?.first, first.contains(where: { $0 != 0 }) {
    elements.append(NftElement(first.map { _ in 0 }, isEnd: true))
  }
  for (first, last) in ranges {
    let isOpen = last.allSatisfy { $0 == 0xff }
    elements.append(NftElement(first, isOpen: isOpen))
    if !isOpen { elements.append(NftElement(successor(last), isEnd: true)) }
  }
  return elements
}

private func successor(_ key: [UInt8]) -> [UInt8] {
  var key = key
  for index in key.indices.reversed() {
    key[index] &+= 1
    if key[index] != 0 { break }
  }
  return key
}

/// Merges the ranges of a rule's set where they touch or overlap, as nft does.
func mergedRanges(_ ranges: [PortRange]) -> [PortRange] {
  var merged: [PortRange] = []
  for range in ranges.sorted(by: { ($0.first, $0.last) < ($1.first, $1.last) }) {
    if let last = merged.last, Int(range.first) <= Int(last.last) + 1 {
      merged[merged.count - 1] = PortRange(last.first, max(last.last, range.last))
    } else {
      merged.append(range)
    }
  }
  return merged
}
