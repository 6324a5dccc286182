public import NetpolModel
public import StandingLab
public import Statistics

/// What packets to Services cost in kube-proxy's modes, and how long its syncs take.
public struct ServiceBenchReport: Sendable {
  /// The names of rules that are no mode's.
  public static let noRules = "no rules"
  public static let natOnly = "conntrack and nat only"

  /// A cell, in nanoseconds per packet.
  public struct Row: Hashable, Sendable {
    public var world: ServiceWorld
    public var probe: ServiceProbe
    public var rules: String
    public var packet: Estimate
    /// What the packet costs more than without rules, and more than with conntrack and nat that change nothing.
    public var overNothing, overNat: Estimate
    /// The cost over no rules as a multiple of nftables mode's. Only of iptables mode.
    public var timesNftables: Estimate?
  }

  /// How the cost over no rules changes from one number of Services to another.
  public struct Growth: Hashable, Sendable {
    public var rules: String
    public var probe: ServiceProbe
    public var from, to: ServiceWorld
    public var times: Estimate
  }

  public struct Verdict: Hashable, Sendable {
    public var world: ServiceWorld
    public var probe: ServiceProbe
    public var standing: Standing
  }

  /// One way to sync one number of Services.
  public struct Sync: Sendable {
    public var world: ServiceWorld
    public var rules: String
    public var way: String
    public var objects: ApplyBenchReport.RuleCount
    /// Everything, into a namespace without kube-proxy's rules; and one endpoint more for one Service.
    public var full, change: Distribution
    /// Bytes of text or messages of each.
    public var fullBytes, changeBytes: Int
  }

  public var environment: LabEnvironment
  public var machine: String
  public var release: KubeProxyRelease
  public var options: ServiceBenchOptions
  public var measuredRounds = 0
  public var clock = BenchClock.processor
  public var isRealTime = true
  public var rows: [Row] = []
  public var resolutions: [PacketBenchReport.Resolution] = []
  public var growths: [Growth] = []
  public var verdicts: [Verdict] = []
  public var syncs: [Sync] = []
  /// Numbers of Services whose syncs were all measured.
  public var syncedWorlds = 0
  public var duration = Duration.zero

  /// Why the costs of packets can't be trusted. `nil` if they can.
  public var noise: String? { tooNoisy(resolutions) }
  /// How much of the plan was measured. `nil` if all of it was.
  public var interruption: String? {
    if measuredRounds < options.rounds { return "\(measuredRounds) of \(options.rounds) rounds, and no syncs" }
    let all = options.syncs > 0 ? options.worlds.count : 0
    return syncedWorlds < all ? "all packets, and all syncs of \(syncedWorlds) of \(all) numbers of Services" : nil
  }
}
