internal import EngineComparison
public import NetpolModel

/// Flows from some workloads to some others, on some ports, of which the same is the case.
public struct FlowClass: Hashable, Sendable {
  /// Numbers of the grid's workloads.
  public let senders, receivers: [Int]
  public let questions: [Flow.Question]
  public let mix: WorkloadGrid.Mix
}

extension WorkloadGrid {
  /// All flows, in the fewest classes that no workload has to be divided for.
  public var classes: [FlowClass] {
    struct Kind: Hashable {
      let mix: Mix
      let questions: [Int]
    }
    struct Row: Hashable {
      let kind: Kind
      let receivers: [Int]
    }
    let profiles = profiles
    var kindsOf: [Int: [Kind]] = [:]
    var senders: [Row: [Int]] = [:]
    var order: [Row] = []
    for sender in workloads.indices where !workloads[sender].isService {
      var receivers: [Kind: [Int]] = [:]
      var kinds: [Kind] = []
      for receiver in workloads.indices {
        let number = profiles.number(from: sender, to: receiver)
        let own: [Kind]
        if let known = kindsOf[number] {
          own = known
        } else {
          own = Dictionary(grouping: profiles.mixes(of: number)) { $0.mix.rawValue }
            .sorted { $0.key < $1.key }.map { Kind(mix: Mix(rawValue: $0.key), questions: $0.value.map(\.question)) }
          kindsOf[number] = own
        }
        for kind in own {
          if receivers[kind] == nil { kinds.append(kind) }
          receivers[kind, default: []].append(receiver)
        }
      }
      for kind in kinds {
        let row = Row(kind: kind, receivers: receivers[kind] ?? [])
        if senders[row] == nil { order.append(row) }
        senders[row, default: []].append(sender)
      }
    }
    return order.map { row in
      FlowClass(
        senders: senders[row] ?? [], receivers: row.receivers, questions: row.kind.questions.map { questions[$0] },
        mix: row.kind.mix)
    }
  }

  /// The grid of flows that were judged one by one.
  init(_ cluster: Cluster, endpoints: [Endpoint], _ comparisons: [Comparison]) {
    var services: [Endpoint] = []
    for comparison in comparisons {
      switch comparison.flow.destination {
      case .service, .virtualAddress: services.append(comparison.flow.destination)
      case .pod, .node, .external, .address: break
      }
    }
    var seen: Set<Endpoint> = []
    self.init(cluster, endpoints: endpoints, services: services.filter { seen.insert($0).inserted })
    for comparison in comparisons {
      add(comparison.flow.source, comparison.flow.destination, comparison.flow.question, Mix(comparison))
    }
  }
}

extension WorkloadGrid.Mix {
  init(_ comparison: Comparison) {
    let verdict: Self =
      switch comparison.verdict {
      case .allow?: .allowed
      case .deny?: .denied
      case nil: .unanswered
      }
    switch comparison.finding {
    case .noRoute, .notModelled: self = .unanswered
    case .deviation: self = [verdict, .deviating]
    case .unexplained, .deviationMissing, .kernelDisagrees, .undecided: self = [verdict, .failing]
    case .agreement, .notChosen: self = verdict
    }
  }
}
