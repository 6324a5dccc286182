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
  public init(cluster: Cluster, notes: [Note], objectCount: Int) {
    self.cluster = cluster
    self.notes = notes
    self.objectCount = objectCount
  }
}

extension [String] {
  /// `a, b, c and 12 more`.
  func abridged(to count: Int = 3) -> String {
    let shown = prefix(count).joined(separator: ", ")
    return self.count > count ? "\(shown) and \(self.count - count) more" : shown
  }
}

extension Int {
  /// `1 pod`, `2 pods`.
  func of(_ noun: String) -> String { self == 1 ? "1 \(noun)" : "\(self) \(noun)s" }
}
