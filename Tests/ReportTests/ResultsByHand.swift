import NetpolModel

@testable import Documents

/// Results made by hand, for renderers.
enum ResultsByHand {
  static let rule = Document.Result.Rule("NPL-802", "The peer selects no pod", page: "docs/codes/NPL-802.md")

  static func found(
    _ level: Document.Result.Level, _ object: String = "shop/db", part: String = "", _ message: String = "mend it",
    at location: SourceLocation? = SourceLocation(file: "shop.yaml", line: 12), steps: Int = 0
  ) -> Document.Result {
    Document.Result(
      rule, .found(level), in: "Lint", object, part: part, message, at: location,
      journey: (0..<steps).map {
        Document.Result.Step(SourceLocation(file: "shop.yaml", line: 12 + $0), "step \($0)", depth: min($0, 2))
      })
  }

  static func document(_ results: [Document.Result]) -> Document { Document(results: results) }

  /// One of each outcome.
  static let all: [Document.Result] = [
    Document.Result(rule, .passed, in: "Lint", "shop/ok"), found(.note, "shop/noted"), found(.error, "shop/bad"),
    Document.Result(rule, .skipped("no such pod"), in: "Other", "shop/left"), found(.warning, "shop/odd"),
  ]

  /// What tries to end a line, a tag, a property or a string, and to act on a terminal.
  static let hostile =
    "a,b:c%d\r\n::error::x <b attr='1' other=\"2\">&]]>\u{1b}[31m\u{202e}\u{0}\u{fffe}\u{7f}`|*_[x](y)"
}
