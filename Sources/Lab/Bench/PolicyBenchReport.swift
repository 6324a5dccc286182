public import NetpolModel
public import StandingLab
public import Statistics

/// The cost of packets of a user's flows on a node, in every style.
public struct PolicyBenchReport: Sendable {
  public struct Row: Hashable, Sendable {
    public var flows: String
    public var family: IPFamily
    public var phase: BenchProbe.Phase
    public var isAllowed: Bool
    public var rules: String
    public var packet, overNothing: Estimate
  }

  public struct Verdict: Hashable, Sendable {
    public var flows: String
    public var phase: BenchProbe.Phase
    public var standing: Standing
  }

  /// A flow that was sent.
  public struct SentFlow: Hashable, Sendable {
    public var flow: String
    public var family: IPFamily
    public var way: BenchProbe.Way
    public var isAllowed: Bool
  }

  /// Where the flows come from.
  public struct Origin: Hashable, Sendable {
    /// The node whose rules are loaded, and its number of pods with addresses of their own.
    public var node: String
    public var pods: Int
    /// Number of policies of the cluster.
    public var policies: Int
    /// Number of flows to those pods that differ in policy or port.
    public var flows: Int
    /// Number of chosen flows that are left out because a style does not do what the specification says.
    public var unequal: Int
  }

  public var environment: LabEnvironment
  public var machine: String
  public var origin: Origin
  public var sent: [SentFlow]
  /// Number of planned and of measured rounds.
  public var rounds, measuredRounds: Int
  public var clock: BenchClock
  public var isRealTime: Bool
  public var rows: [Row] = []
  public var resolutions: [PacketBenchReport.Resolution] = []
  public var verdicts: [Verdict] = []
  public var duration = Duration.zero

  /// Why these figures can't be trusted. `nil` if they can.
  public var noise: String? { tooNoisy(resolutions) }
  /// How much of the plan was measured. `nil` if all of it was.
  public var interruption: String? { measuredRounds < rounds ? "\(measuredRounds) of \(rounds) rounds" : nil }
}
