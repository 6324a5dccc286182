/// The text of one file, and its name in messages: the path as the user wrote it, or `-`.
public struct ManifestSource: Hashable, Sendable {
  public let name: String
  public let text: String
  /// Whether the user named the directory instead of the file. Then documents without `apiVersion` and `kind` are
  /// skipped.
  public let fromDirectory: Bool
  public init(name: String, text: String, fromDirectory: Bool = false) {
    self.name = name
    self.text = text
    self.fromDirectory = fromDirectory
  }
}

/// How strictly objects are checked.
public enum Validation: Hashable, Sendable, CaseIterable {
  /// Applies the checks of an API server.
  case apiServer
  /// For captured dumps. Some API server accepted the object, so it is read as it is. Throws only for values that the
  /// model can't represent, such as an invalid CIDR, a list in place of a mapping, or several unnamed service ports.
  case asStored
}

public struct ReadOptions: Hashable, Sendable {
  /// The maximum number of pods created per workload. A DaemonSet gets one per node instead.
  public var maxReplicas = 2
  public var validation: Validation = .apiServer
  /// The styles that support `defaultDeny`, named in a note if a document sets it. Empty: no note.
  public var stylesWithDefaultDeny: [String] = []
  /// Whether policies without any pod get stand-in pods, made from their selectors.
  public var standsIn = false
  /// Parts of a long source are about this long, in bytes, or a 32nd of the source if that is more.
  var partSize = 500_000
  public init() {}
  public init(maxReplicas: Int = 2, validation: Validation = .apiServer) {
    self.maxReplicas = maxReplicas
    self.validation = validation
  }
}
