public import Kernel
public import Lowering
public import NetpolModel

/// The record of one sync. Times are nanoseconds on `MonotonicClock`.
public struct SyncRecord: Sendable {
  /// When the first of the events that this sync covers requested it.
  public let requested: UInt64
  public let started: UInt64
  public internal(set) var ended: UInt64
  /// In the order in which they ended.
  public internal(set) var steps: [Step] = []
  /// In the order in which they started. No two ran at the same time.
  public internal(set) var processes: [Process] = []
  /// What the node knew, with the stamp used in chain names; `nil` if the sync was aborted before that.
  public internal(set) var view: NodeView?
  /// Why it was aborted. There is no retry: the rules stay as they are until the next event.
  public internal(set) var failure: (any Error)?

  public struct Step: Hashable, Sendable {
    public let kind: SyncStep
    /// `nil` if the step covers all families.
    public let family: IPFamily?
    public let began: UInt64
    public let returned: UInt64
  }

  public struct Process: Hashable, Sendable {
    public let arguments: [String]
    public let started: UInt64
    /// From before its start to the end of its output.
    public let duration: Duration
    public let ending: CommandEnding

    public var name: String { arguments.first ?? "" }
  }

  /// The last step of this kind that returned.
  public func step(_ kind: SyncStep, _ family: IPFamily? = nil) -> Step? {
    steps.last { $0.kind == kind && (family == nil || $0.family == family) }
  }
}

/// A sync's progress, reported on the agent's thread.
public enum SyncMoment: Sendable {
  case began(SyncStep, IPFamily?, at: UInt64)
  case returned(SyncStep, IPFamily?, at: UInt64)
  case ended(SyncRecord)
}
