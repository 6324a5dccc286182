public import Lag

extension LagRun.Progress {
  /// One line.
  public var text: String {
    switch self {
    case .planning: "looking for streams that tell something"
    case .firstSync: "first syncs"
    case .trial(let number, let all): "trial \(number) of \(all)"
    case .requests(let number, let all): "requests: \(number) of \(all)"
    case .countingPairs: "counting what an ipBlock would open"
    }
  }
}
