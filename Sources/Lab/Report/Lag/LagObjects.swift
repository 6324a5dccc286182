internal import Documents
internal import Lag
internal import Lowering
internal import NetpolModel
internal import Statistics

extension LagReport {
  /// The half for programs.
  var facts: [Fact] {
    [
      Fact("environment", EnvironmentObject(environment)),
      Fact("asExpected", isAsExpected),
      Fact("world", WorldObject(world)),
      Fact("agent", options.agent.rawValue),
      Fact("trials", options.trials),
      Fact("streams", streams.map(StreamObject.init)),
      Fact("betweenWindowsMilliseconds", TimesObject(betweenWindows)),
      Fact("timeline", timeline.map { TimelineObject(moment: $0.name, milliseconds: TimesObject($0.times)) }),
      Fact(
        "processes",
        processes.map {
          ProcessObject(name: $0.name, perSync: $0.perSync, milliseconds: TimesObject($0.times, withValues: false))
        }),
      Fact("resolution", ResolutionObject(resolution)),
      Fact("requests", requests.map(RequestObject.init)),
      Fact(
        "survivors", survivors.map { SurvivorObject(what: $0.what, asked: $0.asked, stillWorks: $0.stillWorks) }),
      Fact("longestWindow", longestWindow.map { $0 / 1e6 }),
      Fact("maxGap", options.maxGap.map { $0 / .milliseconds(1) }),
      Fact("opened", opened.map(OpenedObject.init)),
      Fact("notes", notes),
      Fact("findings", findings),
      Fact("seconds", duration / .seconds(1)),
    ]
  }
}

private struct WorldObject: Encodable {
  let description, change: String
  let policies, pods, local: Int
  let nodes: [String]
  init(_ world: LagReport.World) {
    description = world.description
    change = world.change
    policies = world.policies
    pods = world.pods
    local = world.local
    nodes = world.nodes
  }
}

/// Times in milliseconds.
private struct TimesObject: Encodable {
  let count: Int
  let p50, p90, p99, p999, max: Double?
  /// 95 % confidence intervals. `null` if the sample is too small.
  let p50Interval, p90Interval, p99Interval: [Double?]
  /// All values, if there is one per trial.
  let values: [Double]?

  init(_ times: Distribution, withValues: Bool = true) {
    let quantile = { times.quantile($0).map { $0 / 1e6 } }
    let interval = { (q: Double) -> [Double?] in
      let found = times.interval(q)
      return [found.lower.map { $0 / 1e6 }, found.upper.map { $0 / 1e6 }]
    }
    count = times.count
    (p50, p90, p99, p999, max) = (quantile(0.5), quantile(0.9), quantile(0.99), quantile(0.999), quantile(1))
    (p50Interval, p90Interval, p99Interval) = (interval(0.5), interval(0.9), interval(0.99))
    values = withValues ? times.values.map { $0 / 1e6 } : nil
  }
}

private struct StreamObject: Encodable {
  let from, to, transport: String
  let port: Int
  let change, decidedBy: String
  let newcomer: Int
  let windowMilliseconds, fromEventMilliseconds, errorBarMilliseconds, gapMilliseconds: TimesObject
  let datagramsInWindow: [Int]
  let sent, lost: Int
  let spacingMicroseconds: Double
  let undecided: [String: Int]

  init(_ result: LagReport.StreamResult) {
    let flow = result.stream.flow
    from = flow.source.description
    to = flow.destination.description
    transport = flow.transport?.rawValue ?? flow.question.description
    port = Int(flow.port ?? 0)
    change = result.stream.change.rawValue
    decidedBy = result.stream.decidedBy
    newcomer = result.stream.newcomer
    windowMilliseconds = TimesObject(result.windows)
    fromEventMilliseconds = TimesObject(result.fromEvent)
    errorBarMilliseconds = TimesObject(result.brackets)
    gapMilliseconds = TimesObject(result.gaps)
    datagramsInWindow = result.inWindow.values.map { Int($0) }
    sent = result.sent
    lost = result.lost
    spacingMicroseconds = result.spacing / .microseconds(1)
    undecided = result.undecided
  }
}

private struct TimelineObject: Encodable {
  let moment: String
  let milliseconds: TimesObject
}

private struct ProcessObject: Encodable {
  let name: String
  let perSync: Double
  let milliseconds: TimesObject
}

private struct ResolutionObject: Encodable {
  let spacingMicroseconds: Double
  /// Error bars in units of a stream's own spacing.
  let p50, p99: Double?
  let skippedBeats, beats: Int
  let realTime: Bool
  /// Programs of a sync with packets, in units of those without: the median, and its 95 % confidence interval.
  let slowdown: Double?
  let slowdownInterval: [Double?]
  init(_ resolution: LagReport.Resolution) {
    slowdown = resolution.slowdown.median
    let interval = resolution.slowdown.interval(0.5)
    slowdownInterval = [interval.lower, interval.upper]
    spacingMicroseconds = resolution.spacing / .microseconds(1)
    p50 = resolution.brackets.median
    p99 = resolution.brackets.quantile(0.99)
    skippedBeats = resolution.skipped
    beats = resolution.beats
    realTime = resolution.isRealTime
  }
}

private struct RequestObject: Encodable {
  let kind, refusal, target: String
  let endings: [String: TimesObject]
  init(_ result: RequestResult) {
    kind = result.kind.rawValue
    refusal = result.refusal
    target = result.target
    endings = Dictionary(
      result.endings.map { ending, times in
        let name =
          switch ending {
          case .answered: "answered"
          case .refused: "refused"
          case .silent: "no answer"
          case .failed(let why): "failed: \(why)"
          }
        return (name, TimesObject(times))
      }
    ) { first, _ in first }
  }
}

private struct SurvivorObject: Encodable {
  let what: String
  let asked, stillWorks: Int
}

private struct OpenedObject: Encodable {
  let block: String
  let policies: [String]
  let pairs, admitted, admittedWithBlock: Int
  init(_ opened: OpenedPairs) {
    block = opened.block.description
    policies = opened.policies.map(\.description)
    pairs = opened.all
    admitted = opened.open
    admittedWithBlock = opened.openWithBlock
  }
}
