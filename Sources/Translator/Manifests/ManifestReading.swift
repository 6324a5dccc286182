public import NetpolModel

/// A remark for the user that stops nothing.
public struct Note: Hashable, Sendable {
  public enum Severity: String, Hashable, Sendable, CaseIterable {
    /// What the reader assumed.
    case note
    /// What may make a verdict differ from the cluster's.
    case warning
  }
  public let severity: Severity
  public let text: String
  public init(_ severity: Severity, _ text: String) {
    self.severity = severity
    self.text = text.onOneLine
  }
}

/// What the manifests say, with every default applied.
public struct ManifestReading: Hashable, Sendable {
  public var cluster: Cluster
  public var notes: [Note]
  /// Objects in the input, those that were skipped included; the items of a List count, the List doesn't.
  public var objectCount: Int
  /// The groups of all Expectations documents, in the order of the input.
  public var expectations: [Expectations.Group]
  /// What variants are read from.
  var sources: [ManifestSource] = []
  var options = ReadOptions()
  /// The names that each group uses, by the group's own.
  var names: [String: [NameUse]] = [:]

  public init(cluster: Cluster, notes: [Note], objectCount: Int, expectations: [Expectations.Group] = []) {
    self.cluster = cluster
    self.notes = notes
    self.objectCount = objectCount
    self.expectations = expectations
  }
}

extension [String] {
  /// `a, b or c`.
  var alternatives: String {
    count < 2 ? joined() : "\(dropLast().joined(separator: ", ")) or \(self[count - 1])"
  }
}

extension Int {
  /// `1 pod`, `2 pods`.
  func of(_ noun: String) -> String { self == 1 ? "1 \(noun)" : "\(self) \(noun)s" }
}
