public import Bench
internal import Documents
internal import Text

extension BenchProgress {
  /// One line.
  public var text: String {
    let place = batches > 1 ? "batch \(batch) of \(batches): " : ""
    let what =
      switch step {
      case .building(let number, let all): "loading rules \(number) of \(all)"
      case .checking: "checking where packets go"
      case .measuring(let round, let all): "round \(round) of \(all)"
      case .syncing(let round, let all): "syncs: round \(round) of \(all)"
      }
    return place + what + (left.map { ", about \(roughText($0)) left" } ?? "")
  }
}

extension SweepPlan {
  /// One line, before a run.
  public var text: String {
    "\(counted(worlds, "world"))\(batches.count > 1 ? " in \(batches.count) batches" : ""), "
      + "\(counted(rounds, "round")): about \(roughText(total))"
  }
}

extension ApplyBench.Progress {
  /// One line.
  public var text: String {
    switch self {
    case .apply(let round, let all): "loading all rules: round \(round) of \(all)"
    case .sync(let style): "whole sync of \(style)"
    case .updates(let rules): "single elements: \(rules)"
    case .newPod(let what): "new pod: \(what)"
    case .memory(let style): "memory: \(style)"
    }
  }
}

extension EngineBench.Progress {
  /// One line.
  public var text: String { "\(engine): \(done) of \(of)" }
}
