internal import Text

/// What a document found, as commands that a GitHub workflow turns into annotations, one a line, the most severe first.
public struct DocumentGitHub {
  private let document: Document
  private let places: FilePlaces

  public init(_ document: Document, _ places: FilePlaces = FilePlaces()) {
    self.document = document
    self.places = places
  }

  /// Empty if nothing was found.
  public var text: String { document.findings.map { line($0.level, $0.result) + "\n" }.joined() }

  private func line(_ level: Document.Result.Level, _ result: Document.Result) -> String {
    let command =
      switch level {
      case .error: "error"
      case .warning: "warning"
      case .note: "notice"
      }
    let place = places.place(of: result.location)
    let properties = [
      place.map { "file=\($0.path.asProperty)" }, place.map { "line=\($0.line)" },
      "title=\(title(result).cut(to: Self.longestTitle).asProperty)",
    ].compactMap(\.self)
    let part = result.part.isEmpty ? "" : "\(result.part): "
    return
      "::\(command) \(properties.joined(separator: ","))::\((part + result.message).cut(to: Self.longestMessage).asMessage)"
  }

  private func title(_ result: Document.Result) -> String {
    result.object.hasSuffix(" \(result.rule.id)") ? result.object : "\(result.rule.id) \(result.object)"
  }

  /// In characters. GitHub shows no more of a title, and nobody reads more of a message.
  private static let longestTitle = 200
  private static let longestMessage = 4000
}

extension String {
  /// As the runner reads it back: a message may have several lines.
  fileprivate var asMessage: String {
    printable.replacing("%", with: "%25").replacing("\r", with: "%0D").replacing("\n", with: "%0A")
  }

  /// A property also ends at a comma or a colon.
  fileprivate var asProperty: String { asMessage.replacing(":", with: "%3A").replacing(",", with: "%2C") }
}
