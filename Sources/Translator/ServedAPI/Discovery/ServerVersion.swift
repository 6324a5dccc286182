public import Text

/// What a server says of itself at `/version` (`apimachinery/pkg/version`, `Info`).
public struct ServerVersion: Hashable, Sendable {
  /// The version of Kubernetes whose API is served.
  public let minor: Int
  /// When the server was built, as RFC 3339.
  public let buildDate: String

  public init(minor: Int = 33, buildDate: String = "1970-01-01T00:00:00Z") {
    self.minor = minor
    self.buildDate = buildDate
  }

  /// kubectl compares it with its own: more than one minor version between them is a warning.
  public var gitVersion: String { "v1.\(minor).0+netpol-lab" }

  public var json: JSON {
    [
      "major": "1", "minor": .string(String(minor)), "gitVersion": .string(gitVersion), "gitCommit": "",
      "gitTreeState": "clean", "buildDate": .string(buildDate), "goVersion": "", "compiler": "swiftc",
      "platform": .string(Self.platform),
    ]
  }

  private static var platform: String {
    #if arch(arm64)
      "linux/arm64"
    #else
      "linux/amd64"
    #endif
  }
}
