public import NetpolModel

/// Reads a NetworkPolicy from YAML or JSON text that may lack `apiVersion`, `kind` and metadata, as in tables of test
/// cases. `name` is the source in errors, and the policy's name if the text has none.
public func readPolicy(_ text: String, name: String, validation: Validation = .apiServer) throws(ManifestError)
  -> NetworkPolicy
{
  var documents = try Documents(ManifestSource(name: name, text: text).normalized())
  guard let node = try documents.next() else {
    throw ManifestError(
      location: SourceLocation(file: name, line: 1), problem: "no document", remedy: "give one NetworkPolicy")
  }
  let field = Field(node, path: "", subject: Subject(file: name, object: "NetworkPolicy"))
  if let second = try documents.next() {
    throw Field(second, path: "", subject: field.subject).error("a second document", "give one NetworkPolicy")
  }
  let metadata = try field.fields()["metadata"]?.fields()
  let id = PolicyID(
    try metadata?["namespace"]?.string() ?? "default", try metadata?["name"]?.string() ?? name)
  let subject = Subject(file: name, object: "NetworkPolicy \(id)")
  let root = Field(node, path: "", subject: subject)
  var budget = text.utf8.count + 1_000_000
  let check = try SchemaCheck(
    root, "NetworkPolicy", "networking.k8s.io/v1", isStored: false, validation, budget: &budget)
  try check?.refuseUnknown()
  var decoder = PolicyDecoder(validation)
  let policy = try decoder.policy(root.fields(), id: id, metadata: metadata)
  try check?.refuseOthers()
  return policy
}
