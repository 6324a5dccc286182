internal import EngineComparison
public import NetpolModel
internal import Oracle
internal import Remedies

/// Changes that together let all refused flows through that somebody asks about.
public struct Together: Sendable {
  public let edits: [UnitEdit]
  /// Empty if the user's files leave no place for the changes.
  public let files: [FileChange]
  /// Flows that the changes let through, by the specification.
  public let opened: [Flow]
  /// Those that they don't.
  public let refused: [Flow]
}

extension AdviceRequest {
  /// Changes for all flows that policies refuse, one flow after the other: each gets the best change that the earlier ones
  /// leave necessary. `nil` if nobody wants it, or if there are fewer than two such flows.
  func together(_ explained: [ExplainedFlow], _ cluster: Cluster) -> Together? {
    let refused = explained.filter { $0.parts.last?.refusing != nil && $0.comparison.finding == .agreement }
    let flows = refused.flatMap { [$0.comparison.flow] + $0.alike }
    guard togetherToo, flows.count > 1 else { return nil }
    var changed = cluster
    var edits: [UnitEdit] = []
    for flow in flows where Oracle(changed).judge(flow).verdict == .deny {
      guard let best = RemedySearch(changed, flow, mostPriced: 12).allowing().first else { continue }
      edits += best.edits
      changed = changed.applying(best.edits)
    }
    let patch = edits.isEmpty ? nil : self.patch(edits)
    let oracle = Oracle(patch?.cluster ?? changed)
    let isOpened = Dictionary(flows.map { ($0, oracle.judge($0).verdict == .allow) }) { first, _ in first }
    return Together(
      edits: edits, files: patch?.files ?? [], opened: flows.filter { isOpened[$0] == true },
      refused: flows.filter { isOpened[$0] != true })
  }
}
