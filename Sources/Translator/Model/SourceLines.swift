/// The texts of the input, to quote lines of them.
public struct SourceLines: Sendable {
  /// A line and its number, counted from 1.
  public struct Line: Hashable, Sendable {
    public let number: Int
    public let text: String
  }

  private let texts: [String: String]

  /// `texts` by the name of the file, as in a `SourceLocation`.
  public init(_ texts: [String: String] = [:]) { self.texts = texts }

  /// The entry at each place: its first line, and those after it that are indented deeper, but no more than `limit`.
  /// Each text is read once. A place outside of the texts has no lines.
  public func entries(at places: Set<SourceLocation>, atMost limit: Int = 10) -> [SourceLocation: [Line]] {
    var found: [SourceLocation: [Line]] = [:]
    for (file, places) in Dictionary(grouping: places, by: \.file) {
      guard let text = texts[file] else { continue }
      let wanted = Set(places.map(\.line))
      guard let last = wanted.max() else { continue }
      // Entries whose lines are still being read, with their indentation.
      var open: [(place: SourceLocation, indent: Int)] = []
      var number = 0
      var rest = text.utf8[...]
      while !rest.isEmpty, number < last || !open.isEmpty {
        number += 1
        let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
        if wanted.contains(number) || !open.isEmpty {
          let line = String(decoding: rest[..<end], as: UTF8.self)
          let indent = line.prefix { $0 == " " }.count
          let isBlank = line.allSatisfy(\.isWhitespace)
          for (place, own) in open where !isBlank && indent > own && found[place, default: []].count < limit {
            found[place]?.append(Line(number: number, text: line))
          }
          open.removeAll { !isBlank && indent <= $0.indent || (found[$0.place]?.count ?? 0) >= limit }
          if wanted.contains(number) {
            let place = SourceLocation(file: file, line: number)
            found[place] = [Line(number: number, text: line)]
            open.append((place, indent))
          }
        }
        rest = end < rest.endIndex ? rest[rest.index(after: end)...] : rest[rest.endIndex...]
      }
    }
    return found
  }
}
