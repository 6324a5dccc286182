internal import NetpolModel
public import StandingLab
public import Statistics
internal import Text

/// What packets cost under whose rules.
public struct PacketBenchReport: Sendable {
  /// A cell: nanoseconds of a packet.
  public struct Row: Hashable, Sendable {
    /// Rows of one batch were measured in the same rounds.
    public var batch: Int
    public var world: BenchWorld
    public var probe: BenchProbe
    public var rules: String
    public var packet: Estimate
    /// What it costs more than without rules, and than with the conntrack rule alone.
    public var overNothing, overConntrack: Estimate
    /// How many times what the reference costs over no rules; nil of the reference itself.
    public var timesReference: Estimate?
  }

  /// The same measured twice: what the method shows where there is nothing to see.
  public struct Resolution: Hashable, Sendable {
    public enum Pair: String, Hashable, Sendable {
      case sameNamespace = "the same namespace"
      case otherNamespace = "another namespace with the same rules"
    }
    public var batch: Int
    public var pair: Pair
    public var probe: BenchProbe
    /// What was sent, in words.
    public var what: String
    public var rules: String
    public var difference: Estimate
    /// Of a packet without rules, in nanoseconds.
    public var base: Double
    public var share: Double { abs(difference.value) / base }

    init(
      batch: Int, _ pair: Pair, _ probe: BenchProbe, what: String? = nil, _ rules: String, _ difference: Estimate,
      base: Double
    ) {
      self.batch = batch
      self.pair = pair
      self.probe = probe
      self.what = what ?? probe.name
      self.rules = rules
      self.difference = difference
      self.base = base
    }
  }

  /// How the cost over no rules changes from one world to another of the same run.
  public struct Growth: Hashable, Sendable {
    public var rules: String
    public var probe: BenchProbe
    public var from, to: BenchWorld
    public var times: Estimate
  }

  public struct Verdict: Hashable, Sendable {
    public var batch: Int
    public var world: BenchWorld
    public var probe: BenchProbe
    public var standing: Standing
  }

  public var environment: LabEnvironment
  public var machine: String
  /// What was planned: rounds of each batch.
  public var rounds: Int
  public var batches: Int
  /// Of each batch that was measured.
  public var measuredRounds: [Int] = []
  public var clock: BenchClock
  public var isRealTime: Bool
  /// Whose costs ratios are of.
  public var reference: String?
  public var rows: [Row] = []
  public var resolutions: [Resolution] = []
  public var growths: [Growth] = []
  public var verdicts: [Verdict] = []
  public var duration = Duration.zero

  /// Why these figures are not to be trusted; nil where they are.
  public var noise: String? { tooNoisy(resolutions) }
  /// How much of what was planned was measured; nil: all of it.
  public var interruption: String? {
    let last = measuredRounds.last ?? 0
    if measuredRounds.count == batches, last == rounds { return nil }
    let ofRounds = "\(last) of \(counted(rounds, "round"))"
    return batches == 1 ? ofRounds : "\(measuredRounds.count) of \(batches) batches, of the last one \(ofRounds)"
  }
}

/// A pair in one namespace must agree to half a percent of a packet's cost without rules, and be known to two either way.
func tooNoisy(_ resolutions: [PacketBenchReport.Resolution]) -> String? {
  let worst = resolutions.filter { $0.pair == .sameNamespace }.max { $0.share < $1.share }
  if let worst, worst.share > 0.005 {
    return
      "the same measured twice (\(worst.what)) differs by \(decimals(worst.share * 100, 1)) % of a packet's cost"
  }
  let width = { (pair: PacketBenchReport.Resolution) in (pair.difference.upper - pair.difference.lower) / pair.base }
  if let widest = resolutions.filter({ $0.pair == .sameNamespace }).max(by: { width($0) < width($1) }),
    width(widest) > 0.04
  {
    return
      "the interval of the same measured twice (\(widest.what)) is \(decimals(width(widest) * 100, 1)) % of a packet's cost wide"
  }
  return nil
}
