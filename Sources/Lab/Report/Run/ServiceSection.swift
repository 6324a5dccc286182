internal import Algorithms
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
  private struct Answer: Hashable {
    let symbol: Matrix.Symbol
    let mixture: String?
    var order: Int { Matrix.Symbol.allCases.firstIndex(of: symbol) ?? 0 }
  }
  private struct Answers: Hashable {
    var bySender: [Endpoint: Answer] = [:]
  }

  private let groups: [(fronts: [Front], answers: Answers)]
  private let senders: [Endpoint]

  /// `senders` in the order in which to name them.
  init(_ all: [ServiceAnswer], senders: [Endpoint]) {
    self.senders = senders
    var answers: [Front: Answers] = [:]
    for answer in all {
      let flow = answer.flow
      switch flow.destination {
      case .service, .virtualAddress:
        let front = Front(
          endpoint: flow.destination, address: flow.destinationAddress, port: flow.question)
        answers[front, default: Answers()].bySender[flow.source] = Answer(
          symbol: answer.symbol, mixture: answer.mixture)
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
      let answers = group.answers.bySender.values.uniqued().sorted {
        ($0.order, $0.mixture ?? "") < ($1.order, $1.mixture ?? "")
      }
      for answer in answers {
        let named = senders.filter { group.answers.bySender[$0] == answer }
        guard !named.isEmpty, let meaning = answer.mixture.map({ "mixed: \($0)" }) ?? answer.symbol.meaning else {
          continue
        }
        let isAll = named.count == group.answers.bySender.count
        blocks += [
          .paragraph("\(answer.symbol.rawValue) \(meaning)", first: "  ", indent: 4),
          .paragraph(Paragraph(.names(isAll ? ["all"] : named.map(\.description)), indent: 4)),
        ]
      }
    }
    return Section(blocks)
  }
}
