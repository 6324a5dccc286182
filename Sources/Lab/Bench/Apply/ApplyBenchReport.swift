public import StandingLab
public import Statistics

/// The cost of loading rules, changing them and keeping them. Times are nanoseconds.
public struct ApplyBenchReport: Sendable {
  public let environment: LabEnvironment
  public let options: ApplyBenchOptions
  /// In the order of styles and ways.
  public internal(set) var applies: [Apply] = []
  public internal(set) var syncs: [Sync] = []
  public internal(set) var updates: [Update] = []
  public internal(set) var newPods: [NewPod] = []
  public internal(set) var memory: [Memory] = []
  /// Whether updates ran before all other processes.
  public internal(set) var isRealTime = false
  public internal(set) var duration = Duration.zero

  /// One way to load the rules of a style into an empty namespace.
  public struct Apply: Sendable {
    public let style: String
    public let way: String
    public let times: Distribution
    /// The parts of the whole, in their order.
    public let parts: [(name: String, times: Distribution)]
    /// Ratio to the style's first way in the same round. `nil` for that way itself.
    public let ratio: Distribution?
    public let objects: RuleCount
  }

  public struct RuleCount: Hashable, Sendable {
    public let rules, chains, sets, elements: Int
  }

  /// A whole sync of kube-router on an empty node.
  public struct Sync: Sendable {
    public let style: String
    public let times: Distribution
    /// Number of processes in one sync.
    public let processes: Int
  }

  /// The change of one element: from its value to the kernel's answer, over a socket that stays open.
  public struct Update: Sendable {
    public let rules: String
    public let what: String
    public let backToBack: Distribution
    /// With a pause of `ApplyBench.pause` before each.
    public let spaced: Distribution
  }

  /// The change for a new pod, as one transaction.
  public struct NewPod: Sendable {
    public let style: String
    public let what: String
    /// From the changes to the kernel's answer, over a socket that stays open.
    public let backToBack, spaced: Distribution
    /// Time to make all rules from the cluster's objects, and to compare them with the old ones.
    public let lowering, comparing: Distribution
    /// Time to replace one ruleset by the other, over a socket of its own.
    public let replacing: Distribution
  }

  /// Kernel memory for the rules of one node, in bytes. The memory of a namespace with empty tables is subtracted.
  public struct Memory: Sendable {
    public let style: String
    public let bytes: Distribution
  }
}

extension ApplyBenchReport.Memory {
  /// Ratio to the memory of other rules.
  public func ratio(to other: Self) -> Double? {
    guard let own = bytes.median, let others = other.bytes.median, others > 0 else { return nil }
    return own / others
  }
}
