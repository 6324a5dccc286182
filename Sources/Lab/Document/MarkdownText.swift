internal import Text

extension String {
  /// Text that GitHub-flavoured Markdown shows as it is, on one line: no markup, no HTML, no links, and nobody is
  /// notified.
  var asMarkdown: String {
    let scalars = Array(onOneLine.unicodeScalars)
    var result = String.UnicodeScalarView()
    // Whether only digits stand before, so that the next character could begin a list or a heading.
    var isStart = true
    for (index, scalar) in scalars.enumerated() {
      let next = index + 1 < scalars.count ? scalars[index + 1] : nil
      switch scalar {
      // Two spaces at the end of a line would break it, and several would be one.
      case " ": result.append(scalar)
      case "&": result.append(contentsOf: "&amp;".unicodeScalars)
      case "<": result.append(contentsOf: "&lt;".unicodeScalars)
      case ">": result.append(contentsOf: "&gt;".unicodeScalars)
      case "\\", "`", "*", "_", "[", "]", "|", "~", "$":
        result.append("\\")
        result.append(scalar)
      // At the start of a line: a heading, a list, a quote, a rule.
      case "#", "+", "-", "=", ".", ")":
        if isStart { result.append("\\") }
        // A host's name would become a link.
        if scalar == ".", index >= 3, scalars[(index - 3)..<index].allSatisfy({ $0 == "w" || $0 == "W" }) {
          result.append(contentsOf: Self.nothing)
        }
        result.append(scalar)
        if scalar == "#", next.map({ "0"..."9" ~= $0 }) ?? false { result.append(contentsOf: Self.nothing) }
      // An account or a team, an address, an emoji.
      case "@":
        result.append(scalar)
        result.append(contentsOf: Self.nothing)
      case ":":
        result.append(scalar)
        if next == "/" || Self.namesEmoji(scalars, index) { result.append(contentsOf: Self.nothing) }
      default: result.append(scalar)
      }
      isStart = isStart && ("0"..."9" ~= scalar || scalar == " " || scalar == "#")
    }
    return String(result)
  }

  /// A line of code within text. `isInTable`: a bar would end the cell.
  func asMarkdownCode(isInTable: Bool = false) -> String {
    let text = isInTable ? onOneLine.replacing("|", with: "\\|") : onOneLine
    let fence = String(repeating: "`", count: longestRunOfBackticks + 1)
    let space = text.hasPrefix("`") || text.hasSuffix("`") || text.isEmpty ? " " : ""
    return fence + space + text + space + fence
  }

  var longestRunOfBackticks: Int { split { $0 != "`" }.map(\.count).max() ?? 0 }

  /// A comment keeps two characters apart that GitHub would take together, and is not shown.
  private static let nothing = "<!-- -->".unicodeScalars

  /// `:web:`, and `:100:`, which places in files look like.
  private static func namesEmoji(_ scalars: [Unicode.Scalar], _ index: Int) -> Bool {
    let name = scalars[(index + 1)...].prefix {
      "0"..."9" ~= $0 || "a"..."z" ~= $0 || $0 == "_" || $0 == "+" || $0 == "-"
    }
    let end = index + 1 + name.count
    guard !name.isEmpty, end < scalars.count, scalars[end] == ":" else { return false }
    let text = String(String.UnicodeScalarView(name))
    return ["100", "1234"].contains(text) || !text.allSatisfy(\.isNumber)
  }
}
