internal import Documents
internal import Lag
internal import NetpolModel
internal import Statistics
internal import Text

extension LagReport {
  /// A result for each failure, and for each stream whose window `maxGap` limits.
  var results: [Document.Result] {
    let lost = findings.map {
      Document.Result(.packetsLost, .found(.error), in: "Packets", "packets", identity: $0, $0)
    }
    let none = Document.Result(.asExpected, .passed, in: "Packets", "packets", "none lost where none should be")
    return (lost.isEmpty ? [none] : lost) + windows
  }

  private var windows: [Document.Result] {
    let windows = streams.filter { $0.stream.change != .staysOpen }.map(window)
    if !windows.isEmpty || !exceedsGate { return windows }
    return [
      Document.Result(.windowTooLong, .found(.error), in: "Windows", "all streams", "none has a window to measure")
    ]
  }

  private func window(_ result: StreamResult) -> Document.Result {
    let flow = result.stream.flow
    let object = "\(flow.source) -> \(flow.destination) \(flow.question)"
    let longest = result.windows.largest
    let text = longest.map { "the longest window is \(timeText($0))" } ?? "no trial has a result"
    let result = { (outcome: Document.Result.Outcome, message: String) in
      Document.Result(
        .windowTooLong, outcome, in: "Windows", object, part: result.stream.change.rawValue, message)
    }
    switch (longest, options.maxGap) {
    case (let longest?, let gate?) where longest > gate / .nanoseconds(1):
      return result(.found(.error), "\(text), longer than --max-gap \(timeText(gate))")
    case (nil, let gate?):
      return result(.found(.error), "\(text), so it may be longer than --max-gap \(timeText(gate))")
    case (nil, nil): return result(.skipped(text), text)
    case (_?, _): return result(.passed, text)
    }
  }
}

extension Document.Result.Rule {
  fileprivate static let packetsLost = Self(
    "packets-lost", "Packets are lost that the rules should let pass at any time", page: "docs/lag.md")
  fileprivate static let windowTooLong = Self(
    "window-too-long", "A window in which packets are lost, or pass, is longer than --max-gap", page: "docs/lag.md")
}
