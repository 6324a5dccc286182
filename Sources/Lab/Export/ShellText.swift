internal import Text

extension String {
  /// The text as one word of a shell: nothing in it is expanded.
  var shellQuoted: String {
    "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }

  /// Text of others for a comment or a message of the script: on one line, and not too long to read.
  var remark: String { cut(to: 300).onOneLine }

  /// Whether nothing in the text means something to a shell, to ip, ipset, iptables-restore or nft.
  var isPlain: Bool {
    let isWord = { (byte: UInt8) in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
    guard let first = utf8.first, isWord(first) else { return false }
    return utf8.allSatisfy { isWord($0) || [UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/")].contains($0) }
  }
}

/// Lines of a script.
struct ScriptText {
  private(set) var lines: [String] = []
  private var indent = ""

  var text: String { lines.joined(separator: "\n") + "\n" }

  /// Adds lines of the script itself.
  mutating func add(_ text: String) {
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      lines.append(line.isEmpty ? "" : indent + line)
    }
  }

  /// Adds a comment.
  mutating func comment(_ text: String) { add("# \(text.remark)") }

  /// Adds a command with its standard input, in which nothing is expanded.
  mutating func add(_ command: String, input: String, orElse other: String? = nil) {
    let input = input.split(separator: "\n", omittingEmptySubsequences: false)
    var end = "END"
    while input.contains(where: { $0 == end }) { end += "_" }
    add("\(command) <<'\(end)'\(other.map { " || \($0)" } ?? "")")
    // Without an indent: it is text.
    lines += input.last == "" ? input.dropLast().map(String.init) : input.map(String.init)
    lines.append(end)
  }

  /// Adds what `body` adds, inside of `open` and `close`.
  mutating func block(_ open: String, _ close: String, _ body: (inout ScriptText) throws -> Void) rethrows {
    add(open)
    indent += "  "
    try body(&self)
    indent.removeLast(2)
    add(close)
  }
}
