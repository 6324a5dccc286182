internal import Algorithms
internal import NetpolModel

/// The ports that ipBlocks allow, as address ranges that don't overlap: the union of all blocks without their excepts.
struct AddressSegments {
  struct Segment {
    /// Addresses as integers, both inclusive.
    let first, last: UInt128
    var ports: PortSet
  }

  /// Sorted by address. Every segment allows something, and adjacent segments allow different ports.
  private(set) var segments: [Segment] = []

  /// The blocks must be of one family.
  init(_ blocks: [(block: NetworkPolicy.IPBlock, ports: PortSet)]) {
    var kinds: [PortSet] = []
    var kindOf: [PortSet: Int] = [:]
    // How many more blocks of each kind are open from this address on. A block is closed at the address after its last
    // one.
    var changes: [UInt128: [Int: Int]] = [:]
    var untilTheEnd: UInt128 = 0
    for (block, ports) in blocks where !ports.isEmpty {
      let kind = kindOf[ports] ?? kinds.count
      if kind == kinds.count {
        kinds.append(ports)
        kindOf[ports] = kind
      }
      untilTheEnd = block.cidr.family == .v4 ? 0xffff_ffff : .max
      for (first, last) in Self.parts(of: block) {
        changes[first, default: [:]][kind, default: 0] += 1
        if last < untilTheEnd { changes[last + 1, default: [:]][kind, default: 0] -= 1 }
      }
    }
    var open = Array(repeating: 0, count: kinds.count)
    let starts = changes.keys.sorted()
    for (index, start) in starts.enumerated() {
      for (kind, change) in changes[start] ?? [:] { open[kind] += change }
      let ports = zip(kinds, open).reduce(into: PortSet()) { if $1.1 > 0 { $0.formUnion($1.0) } }
      append(
        Segment(first: start, last: index + 1 < starts.count ? starts[index + 1] - 1 : untilTheEnd, ports: ports))
    }
  }

  private mutating func append(_ segment: Segment) {
    if segment.ports.isEmpty { return }
    if let last = segments.last, last.ports == segment.ports, last.last + 1 == segment.first {
      segments[segments.count - 1] = Segment(first: last.first, last: segment.last, ports: last.ports)
    } else {
      segments.append(segment)
    }
  }

  func ports(of address: IPAddress) -> PortSet {
    let end = segments.partitioningIndex { $0.first > address.bits }
    guard let segment = segments[..<end].last, address.bits <= segment.last else { return PortSet() }
    return segment.ports
  }

  /// Returns the address ranges of a block without its excepts.
  private static func parts(of block: NetworkPolicy.IPBlock) -> [(UInt128, UInt128)] {
    var parts: [(UInt128, UInt128)] = []
    var next = block.cidr.firstAddress.bits
    let end = block.cidr.lastAddress.bits
    for except in block.except.sorted() where except.overlaps(block.cidr) {
      let (first, last) = (except.firstAddress.bits, except.lastAddress.bits)
      if next < first { parts.append((next, first - 1)) }
      if last >= end { return parts }
      next = max(next, last + 1)
    }
    parts.append((next, end))
    return parts
  }
}
