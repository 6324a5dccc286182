public import NetpolModel
public import StandingLab
public import Statistics

/// What packets of a user's flows cost on a node, in every style.
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

  /// Where the flows are from.
  public struct Origin: Hashable, Sendable {
    /// Whose rules stand, and how many pods with addresses of their own it has.
    public var node: String
    public var pods: Int
    /// Of the cluster.
    public var policies: Int
    /// All flows to those pods that policies and ports tell apart.
    public var flows: Int
    /// Of the chosen ones, those with which a style does not do what the specification says: they are left out.
    public var unequal: Int
  }

  public var environment: LabEnvironment
  public var machine: String
  public var origin: Origin
  public var sent: [SentFlow]
  /// What was planned, and what was measured.
  public var rounds, measuredRounds: Int
  public var clock: BenchClock
  public var isRealTime: Bool
  public var rows: [Row] = []
  public var resolutions: [PacketBenchReport.Resolution] = []
  public var verdicts: [Verdict] = []
  public var duration = Duration.zero

  /// Why these figures are not to be trusted; nil where they are.
  public var noise: String? { tooNoisy(resolutions) }
  /// How much of what was planned was measured; nil: all of it.
  public var interruption: String? { measuredRounds < rounds ? "\(measuredRounds) of \(rounds) rounds" : nil }
}
