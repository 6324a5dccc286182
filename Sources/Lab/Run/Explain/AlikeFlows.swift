internal import Algorithms
internal import EngineComparison
internal import NetpolModel
internal import Oracle

/// Flows with the same answer for the same reasons: one explanation serves all.
struct AlikeFlows {
  let first: Comparison
  private(set) var others: [Flow] = []

  /// In the order of the first of each.
  static func groups(_ comparisons: [Comparison], _ oracle: Oracle) -> [AlikeFlows] {
    var places: [Answer: Int] = [:]
    var groups: [AlikeFlows] = []
    for comparison in comparisons {
      let answer = Answer(comparison, oracle.explain(comparison.flow))
      if let place = places[answer] {
        groups[place].others.append(comparison.flow)
      } else {
        places[answer] = groups.count
        groups.append(AlikeFlows(first: comparison))
      }
    }
    return groups
  }

  /// What an explanation says, apart from the names and addresses of the ends.
  private struct Answer: Hashable {
    let question: Flow.Question
    let family: IPFamily
    let verdict: Verdict?
    /// `nil`: the codes tell.
    let finding: Comparison.Finding?
    let codes: [Code]
    let intermediaries: [Intermediary?]
    let sides: [Side]

    init(_ comparison: Comparison, _ parts: [PartExplanation]) {
      question = comparison.flow.question
      family = comparison.flow.family
      verdict = comparison.verdict
      finding =
        switch comparison.finding {
        case .noRoute, .notModelled, .undecided: nil
        case .agreement, .deviation, .kernelDisagrees, .unexplained, .deviationMissing, .notChosen: comparison.finding
        }
      codes = comparison.codes
      intermediaries = parts.map(\.intermediary)
      sides = parts.flatMap(\.sides).map(Side.init)
    }
  }

  private struct Side: Hashable {
    let verdict: Verdict
    let isIsolated: Bool
    /// Of a peer that is no pod: what an ipBlock must hold.
    let peerAddress: IPAddress?
    let policies: [Policy]

    init(_ side: SideExplanation) {
      verdict = side.verdict
      isIsolated = side.standing == .isolated
      peerAddress = if case .pod = side.peer.endpoint { nil } else { side.peer.address }
      policies = side.policies.filter { $0.standing == .inForce }.map(Policy.init)
    }
  }

  private struct Policy: Hashable {
    let id: PolicyID
    /// By rule, then by peer or port: the codes of what it lacks.
    let peers, ports: [[[Code]]]

    init(_ policy: PolicyExplanation) {
      id = policy.policy.id
      peers = policy.rules.map { $0.peers.map { $0.misses.map(\.code) } }
      ports = policy.rules.map { $0.ports.map { $0.misses.map(\.code) } }
    }
  }
}
