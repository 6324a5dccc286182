public import Enforcement
public import EngineComparison
public import NetpolModel
public import StandingLab
public import Verdicts

/// A flow with everything that explains it: what the policies say, entry by entry, and what its packet meets, rule by
/// rule.
public struct ExplainedFlow: Sendable {
  /// Where the list of met rules comes from, besides the evaluator.
  public enum Trace: Sendable {
    /// The kernel's own. `differences` is empty if it names the same rules in the same order as the evaluator.
    case kernel(KernelTrace, differences: [TraceDifference])
    case none(Untraced)
  }

  /// Why the kernel's own list of rules is missing.
  public enum Untraced: Hashable, Sendable {
    case notSent
    /// Packets to a multicast group are not traced.
    case group
    /// Some of the kernel's messages were lost.
    case busy
    /// The user wants no packets.
    case unwanted
    /// This machine can't send packets.
    case noLab(String)

    public var code: Code {
      switch self {
      case .notSent, .group, .unwanted: .notTraced
      case .busy: .traceLost
      case .noLab: .noPackets
      }
    }
  }

  public let comparison: Comparison
  public let parts: [PartExplanation]
  public let record: PacketRecord
  public let trace: Trace
  /// Flows with the same answer for the same reasons, if too many were asked about to explain each.
  public var alike: [Flow] = []
  /// What would turn the verdict. `nil` if nobody asked.
  public var advice: Advice?

  /// Whether the kernel met other rules than the evaluator.
  public var disagrees: Bool {
    if case .kernel(_, let differences) = trace { !differences.isEmpty } else { false }
  }
}
