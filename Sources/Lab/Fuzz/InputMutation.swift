internal import Statistics

/// Random changes of a text, by lines and by characters.
enum InputMutation {
  struct Text {
    private var lines: [[Unicode.Scalar]]

    init(_ text: String) {
      lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { Array($0.unicodeScalars) }
    }

    var string: String {
      var view = String.UnicodeScalarView()
      for (index, line) in lines.enumerated() {
        if index > 0 { view.append("\n") }
        view.append(contentsOf: line)
      }
      return String(view)
    }

    mutating func mutate(_ random: inout SplitMix64) {
      let index = random.below(lines.count)
      switch random.below(12) {
      case 0: lines.remove(at: index)
      case 1: lines.insert(lines[random.below(lines.count)], at: index)
      case 2: lines.swapAt(index, random.below(lines.count))
      case 3: lines.removeSubrange(index..<min(lines.count, index + random.number(1...20)))
      case 4: lines = Array(lines.prefix(index + 1))
      case 5: lines[index].insert(contentsOf: Array(repeating: " ", count: random.number(1...4)), at: 0)
      case 6: lines[index] = Array(lines[index].drop { $0 == " " })
      case 7, 8: replaceValue(index, &random)
      case 9: replaceWord(index, &random)
      case 10: change(index, &random)
      default: repeatPart(index, &random)
      }
      if lines.isEmpty { lines = [[]] }
    }

    /// What follows the first colon or space.
    private mutating func replaceValue(_ index: Int, _ random: inout SplitMix64) {
      let place = lines[index].firstIndex(of: ":") ?? lines[index].lastIndex(of: " ") ?? 0
      lines[index] =
        Array(lines[index].prefix(place + 1)) + [" "] + Array(random.one(of: Self.values, else: "").unicodeScalars)
    }

    private mutating func replaceWord(_ index: Int, _ random: inout SplitMix64) {
      var words = lines[index].split(separator: " ", omittingEmptySubsequences: false).map(Array.init)
      words[random.below(words.count)] = Array(random.one(of: Self.values, else: "").unicodeScalars)
      lines[index] = Array(words.joined(separator: [" "]))
    }

    private mutating func change(_ index: Int, _ random: inout SplitMix64) {
      let place = random.below(lines[index].count + 1)
      let new = random.one(of: Self.characters, else: " ")
      if place < lines[index].count, random.chance(50) {
        lines[index][place] = new
      } else {
        lines[index].insert(new, at: place)
      }
    }

    private mutating func repeatPart(_ index: Int, _ random: inout SplitMix64) {
      let line = lines[index]
      lines[index] = Array(repeating: line, count: random.number(2...50)).flatMap(\.self)
    }

    private static let values = [
      "null", "\"\"", "[]", "{}", "true", "y", "0", "-1", "65536", "1e999", "99999999999999999999",
      "0x7fffffffffffffff",
      "[[[[]]]]", "[null]", "{a: {b: {c: []}}}", "0.0.0.0/0", "::/0", "255.255.255.255/33", "10.0.0.0/8",
      "fe80::1%eth0",
      "::ffff:1.2.3.4", "a/b/c/d", "node/", "\"\\u0000\"", "\"\\n-A INPUT -j ACCEPT\"", "*a", "&a [*a]",
      "!!binary AAAA",
      "<<", "? x", "|", ">-", "'", "\"", "{{ .Values.x }}", "TCP", "SCTP", "In", "None", "ExternalName", "IPv6",
      "-A", "-j DROP", "--match-set a src", "! -s", "hash:net,iface", "timeout 99999999999", "nomatch", "elements = {",
      "jump x", "@set", "\u{202e}", "\u{1b}[2J", "\u{feff}", "2026-13-45T99:99:99Z", "1Ei", "9999999999Ei",
    ]
    private static let characters: [Unicode.Scalar] =
      Array(" :,-[]{}\"'#&*!|>%@\\/?.0a\t\r".unicodeScalars) + ["\u{0}", "\u{7f}", "\u{85}", "\u{2028}", "\u{1f600}"]
  }
}
