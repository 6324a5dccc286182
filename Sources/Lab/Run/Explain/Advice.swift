public import EngineComparison
public import Lowering
public import NetpolModel
public import Remedies

/// What would turn a flow's verdict.
public enum Advice: Sendable {
  /// Changes that let a refused flow through, cheapest first. `others`: how many more were found.
  case allowing([CheckedRemedy], others: Int)
  /// Single removals that stop an allowed flow. Those that close fewest other flows come first. Empty: none does.
  case closing([CheckedRemedy], others: Int)
  /// No change of policies or labels helps.
  case hopeless(Hopeless)
  /// Nobody looked, since there are so many pods.
  case notSought(pods: Int)

  /// Why no policy can let a flow through.
  public enum Hopeless: Sendable {
    case noRoute(NoRoute)
    case notModelled(Unmodelled)
    /// What refuses the flow besides policies.
    case refused([Reason])
    /// The style does something else than the specification says. With what it does.
    case deviation([Deviation], Verdict?)
    /// Policies refuse it, and no change was found.
    case nothingFound
  }
}

/// Changes that were made and judged again.
public struct CheckedRemedy: Sendable {
  public let remedy: Remedy
  /// What changes in the user's files. Empty if these are written in a way that leaves no place for the changes.
  public let files: [FileChange]
  /// The flow with the changes. With a packet, if packets are sent.
  public let after: Comparison
  /// What the specification says of the flow with the changes.
  public let specified: Verdict
  /// Flows with the same answer that the changes don't turn.
  public let unchanged: [Flow]
}

/// What to look for besides the reasons.
public struct AdviceRequest: Sendable {
  /// How many changes are made and judged for each flow.
  public var most: Int
  /// Pods above which nobody looks. `nil`: whatever their number.
  public var mostPods: Int?
  /// Whether to look for changes for all refused flows together, if there are several.
  public var togetherToo = false
  /// The user's files with changes, and the cluster that they describe. `nil`: they leave no place for these.
  public var patch: @Sendable ([UnitEdit]) -> (files: [FileChange], cluster: Cluster)?

  public init(
    most: Int, mostPods: Int?, patch: @escaping @Sendable ([UnitEdit]) -> (files: [FileChange], cluster: Cluster)?
  ) {
    self.most = most
    self.mostPods = mostPods
    self.patch = patch
  }
}
