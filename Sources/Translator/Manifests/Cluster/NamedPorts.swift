internal import Algorithms
internal import NetpolModel
internal import OrderedCollections

/// The ports that policies name, with numbers that no rule mentions.
struct NamedPorts {
  struct Key: Hashable {
    let name: String
    let transport: Transport
  }
  private(set) var numbers: OrderedDictionary<Key, UInt16> = [:]

  init(_ policies: [NetworkPolicy]) {
    let rules = policies.flatMap { ($0.ingress + $0.egress).flatMap(\.ports.list) }
    let ranges = rules.compactMap { rule -> PortRange? in
      guard case .number(let first, let through) = rule.number else { return nil }
      return PortRange(first, max(first, through ?? first))
    }
    let free = (10_001...UInt16.max).lazy.filter { port in !ranges.contains { $0.contains(port) } }
    let keys = rules.compactMap { rule -> Key? in
      guard case .name(let name) = rule.number else { return nil }
      return Key(name: name, transport: rule.transport)
    }.uniqued()
    for (key, port) in zip(keys, free) { numbers[key] = port }
  }

  var containerPorts: [ContainerPort] {
    numbers.map { ContainerPort(name: $0.key.name, number: $0.value, transport: $0.key.transport) }
  }
}
