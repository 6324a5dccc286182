public import Lag

extension LagRun.Progress {
  /// One line.
  public var text: String {
    switch self {
    case .planning: "looking for streams whose outcome changes"
    case .firstSync: "first syncs"
    case .trial(let number, let all): "trial \(number) of \(all)"
    case .requests(let number, let all): "requests: \(number) of \(all)"
    case .countingPairs: "counting the pairs that an ipBlock would open"
    }
  }
}
