internal import NetpolModel
internal import Text
internal import Yams

/// The documents of one source in order, without empty ones.
///
/// Yams' sequence ends silently at a syntax error and only stores the error. `next` checks for it.
struct Documents {
  private let source: ManifestSource
  private var roots: YamlSequence<Yams.Node>

  /// `source` must be normalized. Throws if Yams can't begin to read it.
  init(_ source: ManifestSource) throws(ManifestError) {
    self.source = source
    do {
      // The basic resolver compares keys as text. The default one runs seven regular expressions on every key. An own
      // one for each text: threads that count references to the same one wait for each other.
      roots = try compose_all(yaml: source.text, Resolver.basic.removing(.null), .default, .utf8)
    } catch {
      throw Self.syntaxError(error, in: source)
    }
  }

  mutating func next() throws(ManifestError) -> Yams.Node? {
    while let root = roots.next() {
      if case .scalar(let scalar) = root, Scalar(scalar) == .null { continue }
      return root
    }
    if let error = roots.error { throw Self.syntaxError(error, in: source) }
    return nil
  }

  private static func syntaxError(_ error: any Error, in source: ManifestSource) -> ManifestError {
    func failure(line: Int, _ problem: String, _ remedy: String? = nil) -> ManifestError {
      ManifestError(
        location: SourceLocation(file: source.name, line: max(line, 1)), problem: problem,
        remedy: remedy ?? source.syntaxRemedy(problem, line: line))
    }
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      if problem.hasPrefix("Maximum nesting level") {
        return failure(line: mark.line, "lists and mappings are nested deeper than 1000 levels", "flatten them")
      }
      return failure(line: mark.line, "syntax error: \(problem)")
    case .duplicatedKeysInMapping(let keys, let context):
      let key = keys.first ?? ""
      let remedy = ["apiVersion", "kind"].contains(key) ? "put --- between the two objects" : "keep one of them"
      return failure(line: context.mark.line, "the key \(key.quoted) appears twice in one mapping", remedy)
    case .reader(let problem, let offset, _, let yaml):
      let line = 1 + yaml.prefix(offset ?? 0).reduce(0) { $0 + ($1.isNewline ? 1 : 0) }
      return failure(line: line, "unreadable character: \(problem)", "remove it, or write it as an escape in quotes")
    default:
      return failure(line: 1, "not YAML: \(error)")
    }
  }
}

extension ManifestSource {
  /// The text as Yams reads it: without byte order marks, and JSON as YAML. Throws if there are too many anchors.
  func normalized() throws(ManifestError) -> ManifestSource {
    var text = text
    text.makeContiguousUTF8()
    if text.unicodeScalars.first == "\u{feff}" { text.unicodeScalars.removeFirst() }
    // Several files one after the other, each with a byte order mark.
    if text.utf8.contains(0xef), text.contains("\n\u{feff}") { text = text.replacing("\n\u{feff}", with: "\n") }
    if text.startsAsJSON { text = text.jsonAsYAML.separatingObjects }
    text.makeContiguousUTF8()
    guard text.usedAnchorCount <= String.anchorLimit else {
      throw ManifestError(
        location: SourceLocation(file: name, line: 1), problem: "more than \(String.anchorLimit) anchors in use",
        remedy: "write the values out")
    }
    return ManifestSource(name: name, text: text, fromDirectory: fromDirectory)
  }

  fileprivate func syntaxRemedy(_ problem: String, line: Int) -> String {
    let lines = text.split(separator: "\n", maxSplits: max(line, 1), omittingEmptySubsequences: false)
    let wrong = lines.indices.contains(line - 1) ? lines[line - 1] : ""
    if text.contains("{{") {
      return ForeignFile(template: name)?.remedy ?? "render the template first (helm template)"
    }
    if text.startsAsJSON {
      return problem.contains("<document start>")
        ? "start each JSON object on a line of its own, without a comma between them"
        : "fix the JSON at this line or the one above"
    }
    if wrong.prefix(while: \.isWhitespace).contains("\t") { return "indent with spaces, not with tabs" }
    return "fix the YAML at this line or the one above"
  }
}
