/// The text of one file, and the name that messages give it: the path as the user wrote it, or `-`.
public struct ManifestSource: Hashable, Sendable {
  public let name: String
  public let text: String
  /// Whether the user named the directory and not the file: then documents without `apiVersion` and `kind` are skipped.
  public let fromDirectory: Bool
  public init(name: String, text: String, fromDirectory: Bool = false) {
    self.name = name
    self.text = text
    self.fromDirectory = fromDirectory
  }
}

/// How much of an object is checked.
public enum Validation: Hashable, Sendable, CaseIterable {
  /// What an API server refuses is refused here.
  case apiServer
  /// The object was taken by some API server, and is read as it stands: a captured dump.
  /// What the model can't hold (a CIDR that is none, a list where a mapping belongs) is still an error.
  case asStored
}

public struct ReadOptions: Hashable, Sendable {
  /// The most pods that one workload expands to; DaemonSets have one on every node.
  public var maxReplicas = 2
  public var validation: Validation = .apiServer
  /// Those that obey `defaultDeny`, to be named where a document asks for it; empty: nothing is said.
  public var stylesWithDefaultDeny: [String] = []
  public init() {}
  public init(maxReplicas: Int = 2, validation: Validation = .apiServer) {
    self.maxReplicas = maxReplicas
    self.validation = validation
  }
}
