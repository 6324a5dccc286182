internal import NetpolModel
internal import Yams

extension ManifestSource {
  /// The objects of the source in order, each checked and decoded by itself. Those of a long text are read in parts, on
  /// all processors.
  func decoded(_ options: ReadOptions) throws(ManifestError) -> [DecodedPart] {
    let normalized = try normalized()
    let validation = options.validation
    let parts = SourceParts.parts(of: normalized.text, size: max(options.partSize, normalized.text.utf8.count / 32))
    // What an alias means can be said in another part.
    if parts.count > 1, normalized.text.usedAnchorCount == 0 {
      let read = concurrentMap(parts.count) { index in
        let part = ManifestSource(name: name, text: parts[index].text, fromDirectory: fromDirectory)
        return try? DecodedPart(part, isItems: parts[index].isItems, validation)
      }
      if read.allSatisfy({ $0 != nil }) { return read.compactMap(\.self) }
      // Whatever is wrong, the whole text shows it best.
    }
    return [try DecodedPart(normalized, isItems: false, validation)]
  }
}

/// The objects of a part of a source.
///
/// Sendable because one thread makes it and another uses it later: no two have it at the same time.
struct DecodedPart: @unchecked Sendable {
  private(set) var objects: [DecodedObject] = []
  /// Documents of a directory that are no objects.
  private(set) var typelessCount = 0

  /// `source` must be normalized. `isItems`: whether its document is a list of a List's items.
  init(_ source: ManifestSource, isItems: Bool, _ validation: Validation) throws(ManifestError) {
    var documents = try Documents(source)
    // Without aliases, there are fewer values than bytes.
    var budget = source.text.utf8.count + 1_000_000
    while let root = try documents.next() {
      let document = Field(root, path: "", subject: Subject(file: source.name))
      if isItems {
        for item in try document.list() { try add(ManifestObject(item), source, validation, &budget) }
      } else if source.fromDirectory, document.isTypeless {
        typelessCount += 1
      } else {
        try add(ManifestObject(document), source, validation, &budget)
      }
    }
  }

  private mutating func add(
    _ object: ManifestObject, _ source: ManifestSource, _ validation: Validation, _ budget: inout Int
  ) throws(ManifestError) {
    for object in try object.flattened() {
      if object.isKustomization, !source.fromDirectory { throw object.kustomizationError }
      objects.append(try DecodedObject(object, validation, budget: &budget))
    }
  }
}
