internal import Lowering
internal import NetpolModel

/// What the `ports` of a rule mean for a flow, by number and by name.
struct PortMatches {
  let matchesAll: Bool
  /// By number, or by transport alone.
  let matchesNumber: Bool
  /// By a name that the destination gives the port.
  let matchesName: Bool
  /// Whether some exposing pod gives the port's number a name of the rule, whatever the destination is.
  let numberIsNamed: Bool
  let hasOnlyUnresolvedNames: Bool

  /// `destination` is the pod that the flow goes to. `exposing` are the pods whose ports give the rule's names their
  /// numbers. With deviation 23, none of them has the ports of its sidecars.
  init(
    _ ports: NetworkPolicy.Ports, _ flow: Flow, destination: Pod?, _ exposing: [Pod], _ deviations: Set<Deviation>
  ) {
    let hidesSidecars = deviations.contains(.sidecarPorts)
    let destination = hidesSidecars ? destination.map(\.withoutSidecars) : destination
    let exposing = hidesSidecars ? exposing.map(\.withoutSidecars) : exposing
    matchesAll = ports == .all
    var number = false
    var name = false
    var named = false
    var unresolved = !ports.list.isEmpty
    for port in ports.list {
      let asked = flow.transportPort
      let sameTransport = port.transport == asked?.transport
      switch port.number {
      case .any:
        unresolved = false
        number = number || sameTransport
      case .number(let first, let last):
        unresolved = false
        let last = last ?? first
        let range = PortRange(first, deviations.contains(.endPortBelowPort) ? max(first, last) : last)
        number = number || sameTransport && asked.map { range.contains($0.port) } == true
      case .name(let wanted):
        let numbers = exposing.reduce(into: Set<UInt16>()) { $0.formUnion($1.numbers(named: wanted, port.transport)) }
        if !numbers.isEmpty { unresolved = false }
        guard let asked, sameTransport else { continue }
        named = named || numbers.contains(asked.port)
        guard let destination else { continue }
        name = name || destination.numbers(named: wanted, asked.transport).contains(asked.port)
        if deviations.contains(.sharedNamedPortLists) {
          name = name || Self.isListed(destination, under: Key(wanted, asked.transport, asked.port), exposing)
        }
      }
    }
    matchesNumber = number
    matchesName = name
    numberIsNamed = named
    hasOnlyUnresolvedNames = unresolved
  }

  /// Whether the address of `pod`, which need not expose the port, is in the port's list (deviation 16). A port's list
  /// begins with the first pod that has the port. All ports first seen on that pod share its list.
  private static func isListed(_ pod: Pod, under key: Key, _ exposing: [Pod]) -> Bool {
    let owner = { (key: Key) in exposing.first { Key.all($0).contains(key) }?.id }
    guard let list = owner(key), exposing.contains(where: { $0.id == pod.id }) else { return false }
    return list == pod.id || Key.all(pod).contains { owner($0) == list }
  }

  private struct Key: Hashable {
    let name: String
    let transport: Transport
    let number: UInt16
    init(_ name: String, _ transport: Transport, _ number: UInt16) {
      self.name = name
      self.transport = transport
      self.number = number
    }
    static func all(_ pod: Pod) -> Set<Key> {
      Set(pod.ports.compactMap { port in port.name.map { Key($0, port.transport, port.number) } })
    }
  }
}

extension Pod {
  /// The same pod without the ports of its sidecars.
  fileprivate var withoutSidecars: Pod {
    guard ports.contains(where: \.isOfSidecar) else { return self }
    var pod = self
    pod.ports.removeAll(where: \.isOfSidecar)
    return pod
  }
}
