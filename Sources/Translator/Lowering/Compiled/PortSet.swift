internal import NetpolModel

/// The ports that rules allow: some ports, or everything, including protocols without ports.
struct PortSet: Hashable {
  struct Ports: Hashable, Comparable {
    let transport: Transport
    var range: PortRange
    static func < (a: Self, b: Self) -> Bool {
      (a.transport, a.range.first, a.range.last) < (b.transport, b.range.first, b.range.last)
    }
  }

  private(set) var isEverything = false
  /// Sorted. Ranges of one transport neither overlap nor touch.
  private var list: [Ports] = []

  /// Creates an empty set.
  init() {}

  /// Named ports are those of `destination`. They allow nothing if it is `nil`.
  init(_ ports: NetworkPolicy.Ports, of destination: Pod?) {
    guard case .listed(let rules) = ports else {
      isEverything = true
      return
    }
    list = Self.merged(
      rules.flatMap { rule -> [Ports] in
        switch rule.number {
        case .any: [Ports(transport: rule.transport, range: PortRange(0, .max))]
        case .number(let first, let last): [Ports(transport: rule.transport, range: PortRange(first, last ?? first))]
        case .name(let name):
          (destination?.numbers(named: name, rule.transport) ?? []).map {
            Ports(transport: rule.transport, range: PortRange($0))
          }
        }
      })
  }

  var isEmpty: Bool { !isEverything && list.isEmpty }

  mutating func formUnion(_ other: PortSet) {
    if isEverything || self == other || other.isEmpty { return }
    if other.isEverything || list.isEmpty {
      self = other
    } else {
      list = Self.merged(list + other.list)
    }
  }

  func union(_ other: PortSet) -> PortSet {
    var both = self
    both.formUnion(other)
    return both
  }

  /// The ports of all short ranges, one by one.
  var single: [TransportPort] {
    list.filter(\.isShort).flatMap { ports in
      (ports.range.first...ports.range.last).map { TransportPort(ports.transport, $0) }
    }
  }

  func contains(_ port: TransportPort) -> Bool {
    isEverything || list.contains { $0.transport == port.transport && $0.range.contains(port.port) }
  }

  var ranges: [Ports] { list.filter { !$0.isShort } }
  var hasRanges: Bool { isEverything || !list.allSatisfy(\.isShort) }

  /// Equal only for equal sets, except that a set of everything has the text of an empty one.
  var text: String {
    list.map { "\($0.transport.rawValue)/\($0.range)" }.joined(separator: ",")
  }

  private static func merged(_ list: [Ports]) -> [Ports] {
    var result: [Ports] = []
    for ports in list.sorted() where ports.range.first <= ports.range.last {
      if let last = result.last, last.transport == ports.transport,
        Int(ports.range.first) <= Int(last.range.last) + 1
      {
        result[result.count - 1].range = PortRange(last.range.first, max(last.range.last, ports.range.last))
      } else {
        result.append(ports)
      }
    }
    return result
  }
}

extension PortSet.Ports {
  /// Ranges of up to 16 ports are written port by port: hash tables answer faster than tables of ranges, and they
  /// change without being rebuilt.
  fileprivate var isShort: Bool { Int(range.last) - Int(range.first) < 16 }
}
