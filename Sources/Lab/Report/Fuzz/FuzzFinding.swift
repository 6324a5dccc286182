public import Documents
public import Fuzz

/// A failure with its manifest.
public struct FuzzFinding: Encodable {
  public let seed: UInt64
  public let style: String
  let kind: String
  /// One line about the world as its seed makes it.
  let what: String
  /// Shrunk, with a comment that says what it shows.
  public let manifest: String

  /// `state` is the place in a sequence. `smallest` says what the shrunk manifest shows, and is `nil` if it is not
  /// shrunk.
  public init(
    seed: UInt64, style: String, failure: FuzzFailure, of count: Int, at state: String? = nil, smallest: String?,
    manifest: String
  ) {
    self.seed = seed
    self.style = style
    kind = failure.kind.rawValue
    let place = state.map { "\($0): " } ?? ""
    what = "\(place)\(failure.text) (\(count) in total)"
    self.manifest = "# seed \(seed), style \(style)\n# \(smallest ?? place + failure.text)\n" + manifest
  }

  /// What was found, and the manifest to copy. Printed while the search goes on.
  public var document: Document {
    let lines = manifest.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let isEnded = lines.last == ""
    return Document(sections: [
      Section([.code("seed \(seed), style \(style): \(what)"), .code(Code(isEnded ? lines.dropLast() : lines))])
    ])
  }
}
