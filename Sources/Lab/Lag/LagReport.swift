public import NetpolModel
public import StandingLab
public import Statistics

/// Everything that a lag run found. Times are nanoseconds on one clock.
public struct LagReport: Sendable {
  public let environment: LabEnvironment
  public let options: LagOptions
  /// A description of the world: its size, and what happens in it.
  public let world: World
  public let streams: [StreamResult]
  /// From the end of a pod's fail-closed window to the end of its fail-open one, for each pod and trial with both: its
  /// peers admit it, and its own rules don't confine it yet. Negative where its own rules came first.
  public let betweenWindows: Distribution
  public let timeline: [TimelineRow]
  /// Programs that enforcers start, and how long they take.
  public let processes: [ProcessRow]
  public let resolution: Resolution
  public var requests: [RequestResult] = []
  public var survivors: [Survivor] = []
  public let example: LagExample?
  public let opened: OpenedPairs?
  /// What can't be measured in this world, or was not available on this machine.
  public let notes: [String]
  /// Failures: packets lost where none should be.
  public let findings: [String]
  /// From the run's first sync to its last.
  public let duration: Duration

  public struct World: Sendable {
    public let description: String
    public let policies, pods, local: Int
    public let change: String
    /// Nodes with an enforcer.
    public let nodes: [String]
  }

  /// A moment in the newcomer's life, as time since the start of its container.
  public struct TimelineRow: Sendable {
    public let name: String
    public let times: Distribution
  }

  public struct ProcessRow: Sendable {
    public let name: String
    /// How many of these processes one sync starts.
    public let perSync: Double
    public let times: Distribution
    /// Time of all these processes in one sync, in nanoseconds.
    public var inSync: Double { perSync * (times.median ?? 0) }
  }

  /// The results of one stream in all trials.
  public struct StreamResult: Sendable {
    public let stream: LagStream
    /// From the start of the container to the change: the first datagram that passed, or the first that did not.
    public let windows: Distribution
    /// From the event to the change.
    public let fromEvent: Distribution
    /// Error bars: the time between the last datagram before the change and the first one after it.
    public let brackets: Distribution
    /// Datagrams within the window of one trial: lost ones if the stream opens, passed ones if it closes.
    public let inWindow: Distribution
    public let sent: Int
    /// Number of datagrams that were lost. Should be 0 for a stream that stays open.
    public let lost: Int
    /// For a stream that stays open: how long it was closed, in each trial where it was.
    public let gaps: Distribution
    /// Time between two datagrams of this stream.
    public let spacing: Duration
    /// Number of trials without a result, by reason.
    public let undecided: [String: Int]
  }

  /// How precise the method is: error bars in units of the spacing.
  public struct Resolution: Sendable {
    public let spacing: Duration
    /// Brackets of all streams, each divided by its stream's spacing.
    public let brackets: Distribution
    /// Beats that the sender skipped because it was late, and all beats.
    public let skipped: Int
    public let beats: Int
    /// Whether the sender runs before all other processes (SCHED_FIFO).
    public let isRealTime: Bool
    /// How long each trial's programs took while packets flowed, in units of what they took without, in the sync that
    /// undid the trial. Empty if the enforcer starts no programs.
    public let slowdown: Distribution
  }

  /// The longest window of all streams that change, in nanoseconds.
  public var longestWindow: Double? {
    streams.filter { $0.stream.change != .staysOpen }.compactMap(\.windows.largest).max()
  }

  /// Whether a window can't be told, since no trial of its stream has a result.
  public var lacksResults: Bool { streams.contains { $0.stream.change != .staysOpen && $0.windows.isEmpty } }

  /// Whether a window is longer than allowed, or may be.
  public var exceedsGate: Bool {
    guard let gate = options.maxGap else { return false }
    return lacksResults || longestWindow.map { $0 > gate / .nanoseconds(1) } ?? true
  }

  /// Why trials that could tell don't count.
  static let isBiased =
    "more than a fifth of the trials could not tell, so the others would show too long a window; give a shorter --spacing"

  /// Whether no packet was lost without a reason and no window was longer than allowed.
  public var isAsExpected: Bool { findings.isEmpty && !exceedsGate }
}

/// One trial, packet by packet.
public struct LagExample: Sendable {
  /// For each stream, for each datagram: nanoseconds since the start of the container, and whether it passed.
  public let streams: [[(at: Double, passed: Bool)]]
}

/// What an ipBlock over the pod CIDR would allow that the selectors deny.
public struct OpenedPairs: Sendable {
  public let policies: [PolicyID]
  /// Ordered pairs of sender and receiver. Receivers are all pods that the policies select. Counted are pairs that
  /// their ingress admits now (`open`), pairs that it would admit with the ipBlock (`openWithBlock`), and all pairs
  /// (`all`).
  public let open, openWithBlock, all: Int
  public let block: CIDR
}

/// The results of one kind of request.
public struct RequestResult: Sendable {
  public enum Kind: String, Sendable {
    case tcp = "TCP connect"
    case udp = "UDP request"
  }
  public enum Ending: Hashable, Sendable {
    case answered, refused, silent
    case failed(String)
  }
  public let kind: Kind
  /// How the node refuses, and whether it has ICMP errors left to send.
  public let refusal: String
  public let target: String
  public let endings: [Ending: Distribution]
}

/// A connection that began before the newcomer's own rules were in place, and was tested again afterwards.
public struct Survivor: Sendable {
  public let what: String
  public let stillWorks: Int
  public let asked: Int
}
