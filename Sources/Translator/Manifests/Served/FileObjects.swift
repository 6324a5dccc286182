public import NetpolModel
public import Text

/// An object of the input as it stands there.
public struct FileObject: Hashable, Sendable {
  /// As a value it takes ten times as much memory.
  private let bytes: [UInt8]
  public let kind: String
  public let location: SourceLocation

  init(_ json: JSON, _ location: SourceLocation) {
    bytes = json.bytes
    kind = json["kind"]?.string ?? ""
    self.location = location
  }

  public var json: JSON { (try? JSON(parsing: bytes)) ?? .empty }
}

/// The API objects of manifests in order, without defaults: those of Lists one by one, and neither a Cluster nor
/// Expectations. Throws for what is no object.
public func fileObjects(_ sources: [ManifestSource]) throws(ManifestError) -> [FileObject] {
  var objects: [FileObject] = []
  for source in sources {
    let source = try source.normalized()
    var documents = try Documents(source)
    var budget = source.text.utf8.count + 1_000_000
    while let root = try documents.next() {
      let document = Field(root, path: "", subject: Subject(file: source.name))
      if source.fromDirectory, document.isTypeless { continue }
      for object in try ManifestObject(document).flattened()
      where object.group != "netpol-lab" && !object.isKustomization {
        var json = try JSON(object.root.mapping, &budget)
        json["kind"] = .string(object.kind)
        json["apiVersion"] = .string(object.apiVersion)
        objects.append(FileObject(json, object.location))
      }
    }
  }
  return objects
}
