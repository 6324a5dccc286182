import Testing
import Text

@Suite("Text of others") struct ForeignTextTests {
  @Test(
    "nothing that a terminal acts on, and nothing that nobody sees, is printed as it is",
    arguments: [
      ("a\u{1b}[2J", "a\\x1b[2J"), ("a\nb", "a\\nb"), ("\u{85}", "\\x85"), ("\u{202e}x", "\\u202ex"),
      ("\u{200b}\u{ad}\u{feff}", "\\u200b\\xad\\ufeff"), ("\u{e0041}", "\\udb40\\udc41"), ("\u{2028}", "\\u2028"),
      ("Grüße, 漢字 🚀", "Grüße, 漢字 🚀"),
    ])
  func onOneLine(text: String, printed: String) { #expect(text.onOneLine == printed) }
}
