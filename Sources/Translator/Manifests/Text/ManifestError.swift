internal import Algorithms
public import NetpolModel
internal import Text

/// An error in the input: one line that says where it is, what is wrong and how to fix it.
public struct ManifestError: UserFacingError, Hashable, Sendable {
  public let location: SourceLocation?
  /// `Kind namespace/name`.
  public let object: String?
  /// Path below the object, as the API server writes it: `spec.ingress[0].ports[1].port`.
  public let field: String?
  public let problem: String
  public let remedy: String?

  public init(
    location: SourceLocation?, object: String? = nil, field: String? = nil, problem: String, remedy: String? = nil
  ) {
    self.location = location
    self.object = object
    self.field = field
    self.problem = problem
    self.remedy = remedy
  }

  public var exitStatus: ExitStatus { .badInput }

  /// `file:line: Kind ns/name: field.path: what is wrong; how to fix it`.
  public var description: String {
    let what = [problem, remedy].compacted().joined(separator: "; ")
    let parts = [location?.description, object, field].compacted().map { $0.cut(to: 200) }
    return (parts + [what.cut(to: 400)]).joined(separator: ": ").onOneLine
  }
}
