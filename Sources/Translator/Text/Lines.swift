/// Fills lines of at most `width` characters with pieces that are broken only where one alone is longer than a line.
///
/// The first line begins with `first`, every other with `indent` spaces.
public func filled(
  _ pieces: [String], separator: String = " ", width: Int, first: String = "", indent: Int = 0
) -> [String] {
  var lines = Lines(width: width, indent: indent, first: first)
  for piece in pieces { lines.add(piece, separator) }
  return lines.text
}

/// Breaks a text between its words.
public func wrapped(_ text: String, width: Int, first: String = "", indent: Int = 0) -> [String] {
  filled(text.split(separator: " ").map(String.init), width: width, first: first, indent: indent)
}

private struct Lines {
  private let width: Int
  private let margin: String
  private(set) var text: [String]
  /// Nothing stands on the last line but its beginning.
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
      // It needs several lines in any case: its words stay together on lines of their own.
      let words = piece.split(separator: " ").map(String.init)
      for (index, word) in words.enumerated() {
        if index == 0, !isFresh, margin.count + word.count <= width { begin(word) } else { add(word, " ") }
      }
    } else {
      for part in parts(piece) { begin(part) }
    }
  }

  private mutating func begin(_ piece: String) {
    // A first line that has nothing to begin with is not left empty.
    if isFresh, text[text.count - 1].isEmpty { text.removeLast() }
    text.append(margin + piece)
    isFresh = false
  }

  /// A word longer than a line: broken behind a comma, else behind a slash, else anywhere.
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
