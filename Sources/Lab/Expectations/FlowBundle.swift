internal import NetpolModel

/// Flows of all of some sources to all of some destinations on all of some ports.
struct FlowBundle {
  let sources: [Endpoint]
  let destinations: [Endpoint]
  let ports: [TransportPort]

  var flowCount: Int { sources.count * destinations.count * ports.count }
  var text: String {
    "\(namesText(sources)) -> \(namesText(destinations)) \(portsText(ports)): \(counted(flowCount, "flow"))"
  }

  /// Each flow in exactly one bundle, the largest first. Two families of one pair count once.
  static func bundles(_ flows: [Flow]) -> [FlowBundle] {
    struct Pair: Hashable { let from, to: Endpoint }
    struct Row: Hashable {
      let to: Endpoint
      let ports: [TransportPort]
    }
    struct Block: Hashable {
      let from: [Endpoint]
      let ports: [TransportPort]
    }
    var order: [Endpoint: Int] = [:]
    for endpoint in flows.flatMap({ [$0.source, $0.destination] }) where order[endpoint] == nil {
      order[endpoint] = order.count
    }
    let sorted = { (endpoints: [Endpoint]) in endpoints.sorted { order[$0, default: 0] < order[$1, default: 0] } }
    // Ports of a pair, then sources with equal rows, then destinations with equal columns.
    let byPair = Dictionary(grouping: flows) { Pair(from: $0.source, to: $0.destination) }
      .mapValues { Set($0.map { TransportPort($0.transport, $0.port) }).sorted() }
    let byRow = Dictionary(grouping: byPair.keys) { Row(to: $0.to, ports: byPair[$0] ?? []) }
      .mapValues { sorted($0.map(\.from)) }
    let byBlock = Dictionary(grouping: byRow.keys) { Block(from: byRow[$0] ?? [], ports: $0.ports) }
    return byBlock.map { FlowBundle(sources: $0.from, destinations: sorted($1.map(\.to)), ports: $0.ports) }
      .sorted { ($1.flowCount, $0.text) < ($0.flowCount, $1.text) }
  }
}
