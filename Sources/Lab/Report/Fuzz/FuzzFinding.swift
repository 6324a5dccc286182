public import Fuzz

/// A failure with its manifest.
public struct FuzzFinding: Encodable {
  public let seed: UInt64
  public let style: String
  let kind: String
  /// One line, of the world as its seed makes it.
  let what: String
  /// Shrunk, with a comment that says what it shows.
  public let manifest: String

  /// `state` says where in a sequence it was; `smallest` what the manifest shows, nil where it is not shrunk.
  public init(
    seed: UInt64, style: String, failure: FuzzFailure, of count: Int, at state: String? = nil, smallest: String?,
    manifest: String
  ) {
    self.seed = seed
    self.style = style
    kind = failure.kind.rawValue
    let place = state.map { "\($0): " } ?? ""
    what = "\(place)\(failure.text) (\(count) in all)"
    self.manifest = "# seed \(seed), style \(style)\n# \(smallest ?? place + failure.text)\n" + manifest
  }

  /// While others are still looked for: what was found, and the manifest, to be copied.
  public var document: Document {
    let lines = manifest.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let isEnded = lines.last == ""
    return Document(sections: [
      Section([.code("seed \(seed), style \(style): \(what)"), .code(Code(isEnded ? lines.dropLast() : lines))])
    ])
  }
}
