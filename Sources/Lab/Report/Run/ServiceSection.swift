internal import Documents
internal import EngineComparison
internal import NetpolModel

/// Flows to services: which senders reach which address. Services with equal answers are shown together.
struct ServiceSection {
  private struct Front: Hashable {
    let endpoint: Endpoint
    let address: IPAddress
    let port: Flow.Question
  }
  private struct Answers: Hashable {
    var bySender: [Endpoint: Matrix.Symbol] = [:]
  }

  private let groups: [(fronts: [Front], answers: Answers)]
  private let senders: [Endpoint]

  /// `senders` in the order in which to name them.
  init(_ comparisons: [Comparison], senders: [Endpoint]) {
    self.senders = senders
    var answers: [Front: Answers] = [:]
    for comparison in comparisons {
      let flow = comparison.flow
      switch flow.destination {
      case .service, .virtualAddress:
        let front = Front(
          endpoint: flow.destination, address: flow.destinationAddress, port: flow.question)
        answers[front, default: Answers()].bySender[flow.source] = Matrix.Symbol(comparison)
      case .pod, .node, .external, .address: break
      }
    }
    let order = { (front: Front) in (front.endpoint.description, front.address, front.port) }
    groups = Dictionary(grouping: answers.keys.sorted { order($0) < order($1) }, by: { answers[$0] ?? Answers() })
      .map { ($1, $0) }.sorted { order($0.fronts[0]) < order($1.fronts[0]) }
  }

  /// Empty if no service was asked.
  var section: Section {
    if groups.isEmpty { return Section([]) }
    var blocks = [Block.heading("Services")]
    for group in groups {
      blocks.append(
        .pieces(group.fronts.map { "\($0.endpoint) (\($0.address)) \($0.port)" }, separator: "  "))
      for symbol in Matrix.Symbol.allCases {
        let named = senders.filter { group.answers.bySender[$0] == symbol }
        guard !named.isEmpty, let meaning = symbol.meaning else { continue }
        let isAll = named.count == group.answers.bySender.count
        blocks += [
          .paragraph("\(symbol.rawValue) \(meaning)", first: "  "),
          .paragraph(Paragraph(.names(isAll ? ["all"] : named.map(\.description)), indent: 4)),
        ]
      }
    }
    return Section(blocks)
  }
}
