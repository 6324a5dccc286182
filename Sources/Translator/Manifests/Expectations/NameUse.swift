internal import NetpolModel
internal import Text

/// A name in an Expectations document: the object that it should refer to, and where it is written.
struct NameUse: Hashable, Sendable {
  enum Name: Hashable, Sendable {
    case end(EndpointReference)
    case policy(PolicyID)
    case subject(Expectations.LabelChange.Subject)
    case file(String)
  }

  let name: Name
  let text: String
  private let location: SourceLocation
  private let object: String?
  private let path: String

  init(_ name: Name, _ text: String, _ field: Field) {
    self.name = name
    self.text = text
    location = field.location
    object = field.subject.object
    path = field.path
  }

  func error(_ problem: String, _ remedy: String?) -> ManifestError {
    ManifestError(location: location, object: object, field: path, problem: problem, remedy: remedy)
  }

  /// Throws if the cluster has no object of this name.
  func check(in cluster: ClusterNames) throws(ManifestError) {
    do throws(UnknownName) {
      switch name {
      case .file: break
      case .policy(let id): try cluster.check(id)
      case .subject(.namespace(let name)): try cluster.check(namespace: name)
      case .subject(.pod(let id)): try cluster.check(.pod(id))
      case .end(let end): try cluster.check(end)
      }
    } catch { throw self.error("\(text.quoted) \(error.problem)", error.remedy) }
  }
}
