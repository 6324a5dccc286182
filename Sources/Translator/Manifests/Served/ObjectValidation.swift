internal import NetpolModel
public import Text
internal import Yams

extension JSON {
  /// Whether an API server would store the object: throws what its validation refuses. The object must have its name, and
  /// the types that the schema says.
  public func validate() throws(ManifestError) {
    var own = self
    // What has these came out of an API server, and is judged less strictly.
    for name in ["uid", "resourceVersion", "managedFields"] { own["metadata"]?[name] = nil }
    let source = try ManifestSource(name: "object", text: own.text).normalized()
    var documents = try Documents(source)
    guard let root = try documents.next() else { return }
    var budget = source.text.utf8.count + 1000
    _ = try DecodedObject(
      ManifestObject(Field(root, path: "", subject: Subject(file: source.name))), .apiServer, budget: &budget)
  }
}
