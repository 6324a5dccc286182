internal import NetpolModel

/// A part of a source that can be read by itself: some of its documents, or some items of a List.
struct SourcePart: Sendable {
  /// Line breaks stand for what is left out, so that every line keeps its number.
  let text: String
  /// Whether the document is a list of a List's items.
  let isItems: Bool
}

/// Cuts a long text into parts. They hold the same objects as the whole, in order, if each can be parsed.
///
/// A cut is at a line that begins a document, or an item of a List that is laid out as kubectl does it. Where such a
/// line is inside a quoted text or a flow collection, the part before it has no end, so it can't be parsed.
struct SourceParts {
  private let bytes: [UInt8]
  private let size: Int
  private(set) var parts: [SourcePart] = []
  /// Where the documents begin that are not part of `parts` yet.
  private var pending = Place(offset: 0, line: 0)
  /// Whether a line says something about the whole stream.
  private var isIndivisible = false

  private struct Place: Hashable {
    var offset: Int
    /// From 0.
    var line: Int
  }

  /// The document that is being looked at.
  private struct Document {
    let start: Place
    var isList = false
    var layout: Layout?
    var isInItems = false
    var items: [Place] = []
    var end: Place?
  }

  /// How a List's items are laid out.
  private enum Layout: Hashable {
    /// `- ` after this many spaces.
    case block(Int)
    /// JSON, as kubectl prints it.
    case json
  }

  /// `size`: of a part, in bytes. Empty if the text can't be cut.
  static func parts(of text: String, size: Int) -> [SourcePart] {
    var parts = SourceParts(bytes: Array(text.utf8), size: size)
    parts.cut()
    return parts.isIndivisible || parts.parts.count < 2 ? [] : parts.parts
  }

  private init(bytes: [UInt8], size: Int) {
    self.bytes = bytes
    self.size = size
  }

  private mutating func cut() {
    var place = Place(offset: 0, line: 0)
    var document = Document(start: place)
    while place.offset < bytes.count, !isIndivisible {
      let end = bytes[place.offset...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      let line = bytes[place.offset..<end]
      if beginsDocument(line) {
        finish(document, before: place)
        document = Document(start: place)
      } else if begins(line, "%") || begins(line, "...") {
        isIndivisible = true
      } else {
        look(at: line, place, &document)
      }
      place = Place(offset: end + 1, line: place.line + 1)
    }
    place.offset = min(place.offset, bytes.count)
    finish(document, before: place)
    if pending.offset < place.offset { parts.append(SourcePart(text: text([(pending, place)]), isItems: false)) }
  }

  /// `---`, alone or before a space. A key may begin with it too.
  private func beginsDocument(_ line: ArraySlice<UInt8>) -> Bool {
    begins(line, "---") && (line.count == 3 || [0x20, 0x09, 0x0d].contains(line[line.startIndex + 3]))
  }

  private func begins(_ line: ArraySlice<UInt8>, _ text: StaticString) -> Bool {
    line.count >= text.utf8CodeUnitCount && text.withUTF8Buffer { line.starts(with: $0) }
  }

  private func isExactly(_ line: ArraySlice<UInt8>, _ text: StaticString) -> Bool {
    line.count == text.utf8CodeUnitCount && begins(line, text)
  }

  private func look(at line: ArraySlice<UInt8>, _ place: Place, _ document: inout Document) {
    if document.isInItems {
      lookAtItems(line, place, &document)
    } else if isExactly(line, "kind: List") || begins(line, "    \"kind\": \"List\"") {
      document.isList = true
    } else if isExactly(line, "items:") {
      // A second list of items is an error, which reading the whole explains.
      document.isInItems = document.items.isEmpty
    } else if isExactly(line, "    \"items\": [") {
      document.isInItems = document.items.isEmpty
      document.layout = .json
    }
  }

  private func lookAtItems(_ line: ArraySlice<UInt8>, _ place: Place, _ document: inout Document) {
    let indent = line.prefix { $0 == UInt8(ascii: " ") }.count
    guard line.count > indent, line[line.startIndex + indent] != UInt8(ascii: "#") else { return }
    switch document.layout {
    case .json?:
      if isExactly(line, "        {") {
        document.items.append(place)
      } else if indent < 8 {
        document.isInItems = false
        document.end = place
      }
    case .block(let own)?:
      if indent == own, isItem(line.dropFirst(indent)) {
        document.items.append(place)
      } else if indent <= own {
        document.isInItems = false
        document.end = place
        // The line may be the kind.
        look(at: line, place, &document)
      }
    case nil:
      guard isItem(line.dropFirst(indent)) else {
        document.isInItems = false
        return look(at: line, place, &document)
      }
      document.layout = .block(indent)
      document.items.append(place)
    }
  }

  private func isItem(_ line: ArraySlice<UInt8>) -> Bool {
    line.first == UInt8(ascii: "-") && (line.count == 1 || [0x20, 0x0d].contains(line[line.startIndex + 1]))
  }

  private mutating func finish(_ document: Document, before next: Place) {
    let end = document.end ?? next
    if document.isList, let layout = document.layout, (end.offset - document.start.offset) / 2 > size {
      var cuts: [Place] = []
      var last = document.items.first ?? end
      for item in document.items where item.offset - last.offset >= size {
        cuts.append(item)
        last = item
      }
      if let first = cuts.first {
        if pending != document.start {
          parts.append(SourcePart(text: text([(pending, document.start)]), isItems: false))
        }
        // What is around the items, with the first of them.
        parts.append(SourcePart(text: text([(document.start, first), (end, next)]), isItems: false))
        for (from, to) in zip(cuts, cuts.dropFirst() + [end]) {
          let items = text([(from, to)])
          parts.append(SourcePart(text: layout == .json ? "[\(items)]" : items, isItems: true))
        }
        pending = next
        return
      }
    }
    if next.offset - pending.offset >= size {
      parts.append(SourcePart(text: text([(pending, next)]), isItems: false))
      pending = next
    }
  }

  private func text(_ ranges: [(from: Place, to: Place)]) -> String {
    var result: [UInt8] = []
    var line = 0
    for (from, to) in ranges {
      result += repeatElement(UInt8(ascii: "\n"), count: from.line - line)
      result += bytes[from.offset..<to.offset]
      line = to.line
    }
    return String(decoding: result, as: UTF8.self)
  }
}
