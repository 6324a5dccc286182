internal import Documents
internal import NetpolModel
internal import OrderedCollections

/// Flows from all of some sources to all of some destinations on all of some ports.
struct FlowBundle<End: Hashable & CustomStringConvertible> {
  struct Member: Hashable {
    let from, to: End
    let port: Flow.Question
  }

  private struct Pair: Hashable { let from, to: End }
  private struct Row: Hashable {
    let to: End
    let ports: [Flow.Question]
  }
  private struct Block: Hashable {
    let from: [End]
    let ports: [Flow.Question]
  }

  let sources: [End]
  let destinations: [End]
  let ports: [Flow.Question]

  var count: Int { sources.count * destinations.count * ports.count }

  /// Puts each flow into exactly one bundle, the largest bundle first. Duplicates count once, such as flows in two
  /// families.
  static func bundles(_ members: [Member]) -> [FlowBundle] {
    let order = OrderedSet(members.flatMap { [$0.from, $0.to] })
    let place = { (end: End) in order.firstIndex(of: end) ?? 0 }
    let sorted = { (ends: [End]) in ends.sorted { place($0) < place($1) } }
    // Groups ports by pair, then sources with equal rows, then destinations with equal columns.
    let byPair = Dictionary(grouping: members) { Pair(from: $0.from, to: $0.to) }
      .mapValues { Set($0.map(\.port)).sorted() }
    let byRow = Dictionary(grouping: byPair.keys) { Row(to: $0.to, ports: byPair[$0] ?? []) }
      .mapValues { sorted($0.map(\.from)) }
    let byBlock = Dictionary(grouping: byRow.keys) { Block(from: byRow[$0] ?? [], ports: $0.ports) }
    return byBlock.map { FlowBundle(sources: $0.from, destinations: sorted($1.map(\.to)), ports: $0.ports) }
      .sorted { ($1.count, $0.endsText) < ($0.count, $1.endsText) }
  }

  /// `app/{a,b} -> app/web`.
  var endsText: String { "\(namesText(of: sources)) -> \(namesText(of: destinations))" }

  var portsText: String { Documents.portsText(ports) }

  /// `all 12 ports`, or `all 12 ports but TCP 80` if only few are missing.
  func portsText(of all: Set<Flow.Question>) -> String {
    let rest = all.subtracting(ports)
    guard all.isSuperset(of: ports), ports.count > 4, rest.count < 4 else { return portsText }
    if rest.isEmpty { return "all \(ports.count) ports" }
    return "all \(all.count) ports but \(Documents.portsText(rest.sorted()))"
  }
}
