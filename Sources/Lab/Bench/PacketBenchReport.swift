internal import NetpolModel
public import StandingLab
public import Statistics
internal import Text

/// The cost of packets with each set of rules.
public struct PacketBenchReport: Sendable {
  /// A cell, in nanoseconds per packet.
  public struct Row: Hashable, Sendable {
    /// Rows of one batch were measured in the same rounds.
    public var batch: Int
    public var world: BenchWorld
    public var probe: BenchProbe
    public var rules: String
    public var packet: Estimate
    /// What the packet costs more than without rules, and more than with the conntrack rule alone.
    public var overNothing, overConntrack: Estimate
    /// The cost over no rules as a multiple of the reference's. `nil` for the reference itself, and for rules that are
    /// not a style's.
    public var timesReference: Estimate?
  }

  /// Two measurements of the same case. Their difference shows how precise the method is.
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
    /// The cost of a packet without rules, in nanoseconds.
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
  /// Planned rounds of each batch.
  public var rounds: Int
  public var batches: Int
  /// Measured rounds of each batch that was measured.
  public var measuredRounds: [Int] = []
  public var clock: BenchClock
  public var isRealTime: Bool
  /// The style that ratios refer to.
  public var reference: String?
  public var rows: [Row] = []
  public var resolutions: [Resolution] = []
  public var growths: [Growth] = []
  public var verdicts: [Verdict] = []
  public var duration = Duration.zero

  /// Why these figures can't be trusted. `nil` if they can.
  public var noise: String? { tooNoisy(resolutions) }
  /// How much of the plan was measured. `nil` if all of it was.
  public var interruption: String? {
    let last = measuredRounds.last ?? 0
    if measuredRounds.count == batches, last == rounds { return nil }
    let ofRounds = "\(last) of \(counted(rounds, "round"))"
    return batches == 1 ? ofRounds : "\(measuredRounds.count) of \(batches) batches, of the last one \(ofRounds)"
  }
}

/// Two measurements of the same case in one namespace must agree to 0.5 % of a packet's cost without rules, and the
/// interval of their difference must be at most 4 % wide.
func tooNoisy(_ resolutions: [PacketBenchReport.Resolution]) -> String? {
  let worst = resolutions.filter { $0.pair == .sameNamespace }.max { $0.share < $1.share }
  if let worst, worst.share > 0.005 {
    return
      "two measurements of the same case (\(worst.what)) differ by "
      + "\(decimals(worst.share * 100, 1)) % of a packet's cost"
  }
  let width = { (pair: PacketBenchReport.Resolution) in (pair.difference.upper - pair.difference.lower) / pair.base }
  if let widest = resolutions.filter({ $0.pair == .sameNamespace }).max(by: { width($0) < width($1) }),
    width(widest) > 0.04
  {
    return
      "the interval of the difference between two measurements of the same case (\(widest.what)) is "
      + "\(decimals(width(widest) * 100, 1)) % of a packet's cost wide"
  }
  return nil
}
