extension BenchProgress {
  /// One line.
  public var text: String {
    let place = batches > 1 ? "batch \(batch) of \(batches): " : ""
    let what =
      switch step {
      case .building(let number, let all): "building \(number) of \(all)"
      case .checking: "checking where packets go"
      case .measuring(let round, let all): "round \(round) of \(all)"
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

/// A duration as plans have it: `40 s`, `5 min`, `3 h 10 min`.
func roughText(_ duration: Duration) -> String {
  let seconds = duration / .seconds(1)
  if seconds < 99.5 { return "\(Int(seconds.rounded())) s" }
  if seconds < 99.5 * 60 { return "\(Int((seconds / 60).rounded())) min" }
  let tens = Int((seconds / 600).rounded())
  return "\(tens / 6) h" + (tens % 6 > 0 ? " \(tens % 6 * 10) min" : "")
}
