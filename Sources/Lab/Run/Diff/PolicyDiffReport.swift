public import PolicyDiff
public import StandingLab

/// What two policy sets judge differently, and what packets say about it.
public struct PolicyDiffReport: Sendable {
  public struct Side: Sendable {
    /// The files, as the user named them.
    public var name: String
    /// The number of its own policies.
    public var policies: Int

    public init(name: String, policies: Int) {
      self.name = name
      self.policies = policies
    }
  }

  public let difference: PolicyDifference
  public let old: Side
  public let new: Side
  /// Whether only new access counts.
  public let onlyNewAccess: Bool
  public let version: String
  public var notes: [String] = []
  public var warnings: [String] = []
  /// `nil` if no packets were sent.
  public var environment: LabEnvironment?
  /// One for each row. Empty if no packets were sent.
  public var packets: [DiffPacket] = []

  public init(_ difference: PolicyDifference, old: Side, new: Side, onlyNewAccess: Bool, version: String) {
    self.difference = difference
    self.old = old
    self.new = new
    self.onlyNewAccess = onlyNewAccess
    self.version = version
  }

  public var isEqual: Bool { difference.rows.isEmpty }
  public var hasFinding: Bool { packets.contains(where: \.isFinding) }

  /// Whether the command should succeed.
  public var isAsExpected: Bool {
    !hasFinding && (onlyNewAccess ? difference.opened.isEmpty : isEqual)
  }
}
