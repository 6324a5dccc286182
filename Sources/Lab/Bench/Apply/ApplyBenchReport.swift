public import StandingLab
public import Statistics

/// What applying rules, changing them and keeping them costs. Times are nanoseconds.
public struct ApplyBenchReport: Sendable {
  public let environment: LabEnvironment
  public let options: ApplyBenchOptions
  /// In the order of rules and ways.
  public internal(set) var applies: [Apply] = []
  public internal(set) var syncs: [Sync] = []
  public internal(set) var updates: [Update] = []
  public internal(set) var newPods: [NewPod] = []
  public internal(set) var memory: [Memory] = []
  /// Whether updates ran before all other processes.
  public internal(set) var isRealTime = false
  public internal(set) var duration = Duration.zero

  /// One way to bring the rules of one style into an empty namespace.
  public struct Apply: Sendable {
    public let style: String
    public let way: String
    public let times: Distribution
    /// Parts of the whole in their order.
    public let parts: [(name: String, times: Distribution)]
    /// To the style's first way in the same round; nil for that way itself.
    public let ratio: Distribution?
    public let objects: RuleCount
  }

  public struct RuleCount: Hashable, Sendable {
    public let rules, chains, sets, elements: Int
  }

  /// A whole sync of kube-router's on an empty node.
  public struct Sync: Sendable {
    public let style: String
    public let times: Distribution
    /// In one sync.
    public let processes: Int
  }

  /// One element, from its value to the kernel's answer, over a socket that stays open.
  public struct Update: Sendable {
    public let rules: String
    public let what: String
    public let backToBack: Distribution
    /// With a pause of `ApplyBench.pause` before each.
    public let spaced: Distribution
  }

  /// The change that a new pod makes, as one transaction.
  public struct NewPod: Sendable {
    public let style: String
    public let what: String
    /// From the changes to the kernel's answer, over a socket that stays open.
    public let backToBack, spaced: Distribution
    /// From the cluster's objects on: rules are made of all of them, and compared with the old ones.
    public let lowering, comparing: Distribution
    /// Between two rulesets, with a socket of its own.
    public let replacing: Distribution
  }

  /// Of the kernel, for the rules of one node, in bytes; without what a namespace takes that has none.
  public struct Memory: Sendable {
    public let style: String
    public let bytes: Distribution
  }
}

extension ApplyBenchReport.Memory {
  /// To the memory of another's rules.
  public func ratio(to other: Self) -> Double? {
    guard let own = bytes.median, let others = other.bytes.median, others > 0 else { return nil }
    return own / others
  }
}
