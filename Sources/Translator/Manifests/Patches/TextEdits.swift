internal import NetpolModel
internal import YAMLText
internal import Yams

/// The text of a YAML or JSON document, and changes of it that leave everything else as it is written.
///
/// A place comes from Yams, which tells where a value begins. Where it ends is read off the text: in block style by the
/// indentation of lines, in flow style by brackets. Each function returns `nil` where the text is written in a way that
/// it doesn't know. Whoever changes a text reads it again to see that it means what it should.
struct EditedText {
  private(set) var bytes: [UInt8]
  /// The offsets of the lines, and that of the end.
  private var lineStarts: [Int] = []
  private let isJSON: Bool

  init(_ text: String) {
    bytes = Array(text.utf8)
    isJSON = text.first { !$0.isWhitespace }.map { "{[".contains($0) } ?? false
    countLines()
  }

  var text: String { String(decoding: bytes, as: UTF8.self) }

  private mutating func countLines() {
    lineStarts = [0] + bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
    if lineStarts.last != bytes.count { lineStarts.append(bytes.count) }
  }

  private mutating func replace(_ range: Range<Int>, by text: String) {
    bytes.replaceSubrange(range, with: Array(text.utf8))
    countLines()
  }

  // MARK: - Lines

  private var lineCount: Int { lineStarts.count - 1 }
  /// With its line break.
  private func line(_ number: Int) -> ArraySlice<UInt8> { bytes[lineStarts[number]..<lineStarts[number + 1]] }

  private var lineBreak: String { lineCount > 0 && line(0).suffix(2).elementsEqual("\r\n".utf8) ? "\r\n" : "\n" }

  /// The number of spaces before the first other character. `nil`: nothing but white space.
  private func indent(_ number: Int) -> Int? {
    let line = line(number)
    let spaces = line.prefix { $0 == UInt8(ascii: " ") }.count
    return line.dropFirst(spaces).allSatisfy { [0x20, 0x09, 0x0d, 0x0a].contains($0) } ? nil : spaces
  }

  private func starts(_ number: Int, at column: Int, with text: String) -> Bool {
    line(number).dropFirst(column).starts(with: text.utf8)
  }

  private func isDash(_ number: Int, at column: Int) -> Bool {
    let rest = line(number).dropFirst(column)
    return rest.first == UInt8(ascii: "-") && [nil, 0x20, 0x0a, 0x0d].contains(rest.dropFirst().first)
  }

  private func beginsDocument(_ number: Int) -> Bool {
    starts(number, at: 0, with: "---") || starts(number, at: 0, with: "...")
  }

  /// The last line of what begins on a line and goes on as long as `belongs` holds for lines that say something.
  private func lastLine(from first: Int, while belongs: (_ line: Int, _ indent: Int) -> Bool) -> Int {
    var (last, number) = (first, first + 1)
    while number < lineCount, !beginsDocument(number) {
      defer { number += 1 }
      guard let indent = indent(number), !starts(number, at: indent, with: "#") else { continue }
      guard belongs(number, indent) else { break }
      last = number
    }
    return last
  }

  // MARK: - Places

  /// The line and the column of a value, from 0. The column is in bytes.
  private func place(_ node: Yams.Node) -> (line: Int, column: Int, offset: Int)? {
    guard let mark = node.mark, (1...max(lineCount, 1)).contains(mark.line), lineCount > 0 else { return nil }
    let number = mark.line - 1
    // Yams counts Unicode scalars.
    var (column, scalars) = (0, 0)
    for byte in line(number) {
      if byte & 0xc0 != 0x80 {
        if scalars == mark.column - 1 { break }
        scalars += 1
      }
      column += 1
    }
    let offset = lineStarts[number] + column
    return offset < bytes.count ? (number, column, offset) : nil
  }

  private enum Style {
    case block(line: Int, column: Int)
    /// The offsets of both brackets.
    case flow(open: Int, close: Int)
  }

  private func style(_ node: Yams.Node) -> Style? {
    guard let place = place(node) else { return nil }
    switch (node, bytes[place.offset]) {
    case (.sequence, UInt8(ascii: "[")), (.mapping, UInt8(ascii: "{")):
      return flowEnd(from: place.offset).map { .flow(open: place.offset, close: $0) }
    case (.sequence, UInt8(ascii: "-")), (.mapping, _): return .block(line: place.line, column: place.column)
    case (.sequence, _), (.scalar, _), (.alias, _): return nil
    }
  }

  /// The offset of the bracket that closes the one at an offset.
  private func flowEnd(from open: Int) -> Int? {
    var depth = 0
    var index = open
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        depth -= 1
        if depth == 0 { return index }
      case UInt8(ascii: "\""), UInt8(ascii: "'"):
        guard let end = quoteEnd(from: index) else { return nil }
        index = end
      case UInt8(ascii: "#") where index > 0 && [0x20, 0x09, 0x0a].contains(bytes[index - 1]):
        while index + 1 < bytes.count, bytes[index + 1] != UInt8(ascii: "\n") { index += 1 }
      default: break
      }
      index += 1
    }
    return nil
  }

  /// The offset of the quote that ends a quoted text.
  private func quoteEnd(from open: Int) -> Int? {
    let quote = bytes[open]
    // An apostrophe inside a plain word opens nothing.
    if open > 0, !([0x20, 0x09, 0x0a] + Array("[{,:".utf8)).contains(bytes[open - 1]) { return open }
    var index = open + 1
    while index < bytes.count {
      if quote == UInt8(ascii: "\""), bytes[index] == UInt8(ascii: "\\") {
        index += 2
      } else if bytes[index] == quote {
        if quote == UInt8(ascii: "'"), index + 1 < bytes.count, bytes[index + 1] == quote {
          index += 2
        } else {
          return index
        }
      } else {
        index += 1
      }
    }
    return nil
  }

  /// The offset behind a value in flow style: of its comma, or of the bracket that closes its collection.
  private func flowValueEnd(from start: Int) -> Int? {
    var index = start
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"): return index
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        guard let end = flowEnd(from: index) else { return nil }
        index = end
      case UInt8(ascii: "\""), UInt8(ascii: "'"):
        guard let end = quoteEnd(from: index) else { return nil }
        index = end
      default: break
      }
      index += 1
    }
    return nil
  }

  // MARK: - Changes

  private func flowText(_ value: YAML) -> String { isJSON ? value.json : value.text }

  /// Adds an item at the end of a list.
  mutating func append(_ value: YAML, to list: Yams.Node) -> Bool {
    switch style(list) {
    case .flow(let open, let close)?: return insert(flowText(value), open: open, close: close)
    case .block(let first, let column)?:
      let last = lastLine(from: first) { line, indent in indent > column || indent == column && isDash(line, at: column)
      }
      return insert(value.lines.asItem, after: last, column: column)
    case nil: return false
    }
  }

  /// Adds an entry at the end of a mapping.
  mutating func append(_ key: String, _ value: YAML, to mapping: Yams.Node) -> Bool {
    switch style(mapping) {
    case .flow(let open, let close)?:
      let name = isJSON ? YAML.string(key).json : YAML.string(key).text
      return insert("\(name): \(flowText(value))", open: open, close: close)
    case .block(let first, let column)?:
      let last = lastLine(from: first) { _, indent in indent >= column }
      return insert(YAML.mapping([(key, value)]).lines, after: last, column: column)
    case nil: return false
    }
  }

  private mutating func insert(_ item: String, open: Int, close: Int) -> Bool {
    var end = close
    while end > open + 1, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[end - 1]) { end -= 1 }
    let separator = end == open + 1 ? "" : bytes[end - 1] == UInt8(ascii: ",") ? " " : ", "
    replace(end..<end, by: separator + item)
    return true
  }

  private mutating func insert(_ lines: [String], after last: Int, column: Int) -> Bool {
    let lineBreak = lineBreak
    let text = lines.map { String(repeating: " ", count: column) + $0 + lineBreak }.joined()
    let end = lineStarts[last + 1]
    let isOpen = bytes[..<end].last != UInt8(ascii: "\n")
    replace(end..<end, by: isOpen ? lineBreak + text : text)
    return true
  }

  /// Removes an item of a list.
  mutating func remove(_ index: Int, from list: Yams.Node) -> Bool {
    guard case .sequence(let items) = list, items.indices.contains(index), let item = place(items[index]) else {
      return false
    }
    switch style(list) {
    case .flow(let open, let close)?:
      if index + 1 < items.count, let next = place(items[index + 1]) {
        replace(item.offset..<next.offset, by: "")
      } else if index > 0, let before = place(items[index - 1]), let comma = flowValueEnd(from: before.offset) {
        replace(comma..<close, by: "")
      } else {
        replace(open + 1..<close, by: "")
      }
      return true
    case .block(_, let column)?:
      var first = item.line
      while first > 0, !(indent(first) == column && isDash(first, at: column)) {
        first -= 1
        if let own = indent(first), own < column { return false }
      }
      guard indent(first) == column, isDash(first, at: column) else { return false }
      let last = lastLine(from: max(first, item.line)) { _, indent in indent > column }
      replace(lineStarts[first]..<lineStarts[last + 1], by: "")
      return true
    case nil: return false
    }
  }

  /// Removes an entry of a mapping.
  mutating func remove(_ key: String, from mapping: Yams.Node) -> Bool {
    guard case .mapping(let entries) = mapping else { return false }
    let keys = entries.map(\.key)
    guard let index = keys.firstIndex(where: { $0.scalar?.string == key }), let own = place(keys[index]) else {
      return false
    }
    switch style(mapping) {
    case .flow(let open, let close)?:
      if index + 1 < keys.count, let next = place(keys[index + 1]) {
        replace(own.offset..<next.offset, by: "")
      } else if index > 0, let before = place(keys[index - 1]), let comma = flowValueEnd(from: before.offset) {
        replace(comma..<close, by: "")
      } else {
        replace(open + 1..<close, by: "")
      }
      return true
    case .block(_, let column)?:
      guard indent(own.line) == column else { return false }
      let last = lastLine(from: own.line) { line, indent in
        indent > column || indent == column && isDash(line, at: column)
      }
      replace(lineStarts[own.line]..<lineStarts[last + 1], by: "")
      return true
    case nil: return false
    }
  }

  /// Replaces a word, which must stand in one line.
  mutating func replace(_ scalar: Yams.Node, by value: YAML) -> Bool {
    guard let place = place(scalar), case .scalar(let old) = scalar else { return false }
    let line = line(place.line)
    var end = place.offset
    switch bytes[place.offset] {
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      guard let close = quoteEnd(from: place.offset), close < line.endIndex else { return false }
      end = close + 1
    default:
      let word = Array(old.string.utf8)
      guard !word.isEmpty, bytes[place.offset...].starts(with: word) else { return false }
      end = place.offset + word.count
    }
    replace(place.offset..<end, by: flowText(value))
    return true
  }

  /// Adds a document at the end.
  mutating func appendDocument(_ value: YAML) -> Bool {
    if isJSON { return false }
    let lineBreak = lineBreak
    var text = (["---"] + value.lines).map { $0 + lineBreak }.joined()
    if let last = bytes.last, last != UInt8(ascii: "\n") { text = lineBreak + text }
    let lastWords = (0..<lineCount).last { indent($0) != nil }
    if let lastWords, beginsDocument(lastWords) { return false }
    replace(bytes.count..<bytes.count, by: text)
    return true
  }

  /// Removes the document that a value is in.
  mutating func removeDocument(of root: Yams.Node) -> Bool {
    guard !isJSON, let place = place(root) else { return false }
    let marks = (0..<lineCount).filter { starts($0, at: 0, with: "---") }
    let before = marks.last { $0 <= place.line }
    let after = marks.first { $0 > place.line }
    switch (before, after) {
    case (nil, nil): return false
    // The first document of several, or one between others: with the mark that follows, or that stands before the last.
    case (nil, let after?): replace(0..<lineStarts[after + 1], by: "")
    case (let before?, let after?): replace(lineStarts[before]..<lineStarts[after], by: "")
    case (let before?, nil): replace(lineStarts[before]..<bytes.count, by: "")
    }
    return true
  }
}
