public import NetpolModel
public import StandingLab
public import Statistics

/// All that a lag run found out. Times are nanoseconds on one clock.
public struct LagReport: Sendable {
  public let environment: LabEnvironment
  public let options: LagOptions
  /// The world in words: its size, and what happens in it.
  public let world: World
  public let streams: [StreamResult]
  public let timeline: [TimelineRow]
  /// Programs that enforcers start, and how long they take.
  public let processes: [ProcessRow]
  public let resolution: Resolution
  public var requests: [RequestResult] = []
  public var survivors: [Survivor] = []
  public let example: LagExample?
  public let opened: OpenedPairs?
  /// What can't be seen in this world, or could not be had on this machine.
  public let notes: [String]
  /// What should not be: packets lost where nothing should lose one.
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

  /// A moment of a newcomer's life, counted from the start of its container.
  public struct TimelineRow: Sendable {
    public let name: String
    public let times: Distribution
  }

  public struct ProcessRow: Sendable {
    public let name: String
    /// How many one sync starts.
    public let perSync: Double
    public let times: Distribution
    /// Of all of one sync together, nanoseconds.
    public var inSync: Double { perSync * (times.median ?? 0) }
  }

  /// What became of one stream in all trials.
  public struct StreamResult: Sendable {
    public let stream: LagStream
    /// From the start of the container to the change: until the first datagram that passed, or the first that did not.
    public let windows: Distribution
    /// From the event to the change.
    public let fromEvent: Distribution
    /// Error bars: how far apart the two datagrams are between which the change happened.
    public let brackets: Distribution
    /// Datagrams within the window of one trial: lost where it opens, passed where it closes.
    public let inWindow: Distribution
    public let sent: Int
    /// Datagrams lost of all that were sent: of a stream that stays open none should be.
    public let lost: Int
    /// Of a stream that stays open: how long it was closed in a trial where it was.
    public let gaps: Distribution
    /// Between two datagrams of this stream.
    public let spacing: Duration
    /// Trials that can't tell, by the reason.
    public let undecided: [String: Int]
  }

  /// What the method can tell apart: error bars in units of the spacing.
  public struct Resolution: Sendable {
    public let spacing: Duration
    /// Of all brackets of all streams, each divided by its stream's spacing.
    public let brackets: Distribution
    /// Beats that the sender was late for and left out, of all.
    public let skipped: Int
    public let beats: Int
    /// Whether the sender runs before all others (SCHED_FIFO).
    public let isRealTime: Bool
  }

  /// Windows of all streams that change.
  public var longestWindow: Double? {
    streams.filter { $0.stream.change != .staysOpen }.compactMap(\.windows.largest).max()
  }

  public var exceedsGate: Bool {
    guard let gate = options.maxGap, let longest = longestWindow else { return false }
    return longest > gate / .nanoseconds(1)
  }

  /// Whether the run was as it should be: no packet lost without a reason, and no window longer than allowed.
  public var isAsExpected: Bool { findings.isEmpty && !exceedsGate }
}

/// One trial, packet by packet.
public struct LagExample: Sendable {
  /// For each stream, for each datagram: nanoseconds since the start of the container, and whether it passed.
  public let streams: [[(at: Double, passed: Bool)]]
}

/// What an ipBlock over the pod CIDR would open that the selectors keep closed.
public struct OpenedPairs: Sendable {
  public let policies: [PolicyID]
  /// Ordered pairs of sender and receiver, all pods that the policies select being receivers: those that their ingress
  /// admits, those that it would admit, and all.
  public let open, openWithBlock, all: Int
  public let block: CIDR
}

/// What one kind of request cost.
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
  /// How the node refuses, and how many ICMP errors it has left.
  public let refusal: String
  public let target: String
  public let endings: [Ending: Distribution]
}

/// A connection made before the newcomer's own rules stood, asked again afterwards.
public struct Survivor: Sendable {
  public let what: String
  public let stillWorks: Int
  public let asked: Int
}
