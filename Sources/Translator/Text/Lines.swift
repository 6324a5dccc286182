/// Joins pieces into lines of at most `width` characters. Breaks a piece only if it is longer than a whole line.
///
/// The first line starts with `first`, every other line with `indent` spaces.
public func filled(
  _ pieces: [String], separator: String = " ", width: Int, first: String = "", indent: Int = 0
) -> [String] {
  var lines = Lines(width: width, indent: indent, first: first)
  for piece in pieces { lines.add(piece, separator) }
  return lines.text
}

/// Wraps text between words.
public func wrapped(_ text: String, width: Int, first: String = "", indent: Int = 0) -> [String] {
  filled(text.split(separator: " ").map(String.init), width: width, first: first, indent: indent)
}

private struct Lines {
  private let width: Int
  private let margin: String
  private(set) var text: [String]
  /// `true` while the last line holds only its beginning.
  private var isFresh = true

  init(width: Int, indent: Int, first: String) {
    self.width = width
    margin = String(repeating: " ", count: indent)
    text = [first]
  }

  mutating func add(_ piece: String, _ separator: String) {
    let gap = isFresh ? "" : separator
    if text[text.count - 1].count + gap.count + piece.count <= width {
      text[text.count - 1] += gap + piece
      isFresh = false
    } else if margin.count + piece.count <= width {
      begin(piece)
    } else if piece.contains(" ") {
      // The piece needs several lines anyway, so its words go on lines of their own.
      let words = piece.split(separator: " ").map(String.init)
      for (index, word) in words.enumerated() {
        if index == 0, !isFresh, margin.count + word.count <= width { begin(word) } else { add(word, " ") }
      }
    } else {
      for part in parts(piece) { begin(part) }
    }
  }

  private mutating func begin(_ piece: String) {
    // Don't leave an empty first line.
    if isFresh, text[text.count - 1].isEmpty { text.removeLast() }
    text.append(margin + piece)
    isFresh = false
  }

  /// Breaks a word that is longer than a line: after a comma, else after a slash, else anywhere.
  private func parts(_ word: String) -> [String] {
    var parts: [String] = []
    var rest = Substring(word)
    let room = max(1, width - margin.count)
    while rest.count > room {
      let head = rest.prefix(room)
      let last = head.lastIndex(of: ",") ?? head.lastIndex(of: "/")
      let end = last.map(head.index(after:)) ?? head.endIndex
      parts.append(String(rest[..<end]))
      rest = rest[end...]
    }
    return rest.isEmpty ? parts : parts + [String(rest)]
  }
}

/// `1 pod`, `2 pods`.
public func counted(_ number: Int, _ noun: String, _ plural: String? = nil) -> String {
  "\(number) \(number == 1 ? noun : plural ?? noun + "s")"
}

/// `1,234,567`.
public func grouped(_ number: Int) -> String {
  var digits = String(abs(number))
  var groups: [String] = []
  while digits.count > 3 {
    groups.insert(String(digits.suffix(3)), at: 0)
    digits = String(digits.dropLast(3))
  }
  return (number < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
}
