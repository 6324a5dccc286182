internal import Text

/// A document as GitHub-flavoured Markdown, for a comment or a job's summary. The input's text in it stays text.
public struct DocumentMarkdown {
  private let document: Document

  public init(_ document: Document) { self.document = document }

  public var text: String {
    let sections = document.sections.map { MarkdownSection($0.blocks).text }.filter { !$0.isEmpty }
    return sections.joined(separator: "\n\n") + "\n"
  }
}

extension Document {
  public var markdown: String { DocumentMarkdown(self).text }
}

/// Blocks one after the other. Indented ones become lists within lists.
private struct MarkdownSection {
  /// Lines, and whether they continue the list above.
  private struct Part {
    var lines: [String]
    var isItem = false
    /// Lines in a fence of their own, which is drawn last: adjacent ones share it.
    var code: (lines: [String], indent: String)?
  }

  private var parts: [Part] = []
  /// The margins of the list items that are open, each within the one before.
  private var margins: [Int] = []

  init(_ blocks: [Block]) { for block in blocks { add(block) } }

  var text: String {
    var lines: [String] = []
    for (index, part) in parts.enumerated() {
      if index > 0, !(part.isItem && parts[index - 1].isItem) { lines.append("") }
      lines += part.code.map(Self.fenced) ?? part.lines
    }
    return lines.joined(separator: "\n")
  }

  private mutating func add(_ block: Block) {
    switch block {
    case .heading(let text): add(["### \(text.asMarkdown)"])
    case .paragraph(let paragraph): add(paragraph)
    case .table(let table): if !table.rows.isEmpty { add(TableMarkdown(table).lines) }
    case .grid(let grid): addCode(GridText(grid, width: Self.codeWidth).lines)
    case .code(let code): addCode(code.lines, isWithin: code.indent > 0)
    case .plot: addCode(DocumentText.lines(block, width: Self.codeWidth))
    case .note(let note): add(["> **\(note.label.asMarkdown):** \(note.text.asMarkdown)"])
    }
  }

  /// As in a pipe.
  private static let codeWidth = 100

  private mutating func add(_ lines: [String]) {
    margins = []
    parts.append(Part(lines: lines))
  }

  private mutating func add(_ paragraph: Paragraph) {
    let margin = paragraph.first.prefix { $0 == " " }.count
    let label = paragraph.first.drop { $0 == " " }.trimmingEnd
    let text = paragraph.content.text.asMarkdown
    let isWord = label.contains { $0.isLetter || $0.isNumber }
    let start = label.isEmpty ? "" : isWord ? "**\(label.asMarkdown)** " : "\(label.asMarkdown) "
    if margin == 0, label.isEmpty {
      add([text])
      return
    }
    while let last = margins.last, last >= margin { margins.removeLast() }
    let indent = String(repeating: "  ", count: margins.count)
    margins.append(margin)
    parts.append(Part(lines: ["\(indent)- \(start)\(text)"], isItem: true))
  }

  /// `isWithin`: it belongs to the list item before it.
  private mutating func addCode(_ lines: [String], isWithin: Bool = false) {
    if lines.isEmpty { return }
    if !isWithin { margins = [] }
    let indent = String(repeating: "  ", count: margins.count)
    let safe = lines.map(\.onOneLine)
    if let last = parts.last?.code, last.indent == indent {
      parts[parts.count - 1].code = (last.lines + safe, indent)
    } else {
      parts.append(Part(lines: [], isItem: !margins.isEmpty, code: (safe, indent)))
    }
  }

  /// The fence is longer than any run of backticks within.
  private static func fenced(_ code: (lines: [String], indent: String)) -> [String] {
    let longest = code.lines.map(\.longestRunOfBackticks).max() ?? 0
    let fence = String(repeating: "`", count: max(3, longest + 1))
    return (["\(fence)text"] + code.lines + [fence]).map { code.indent + $0 }
  }
}

extension Paragraph.Content {
  /// On one line.
  fileprivate var text: String {
    switch self {
    case .words(let text): text.split(separator: " ").joined(separator: " ")
    case .pieces(let pieces, let separator): pieces.joined(separator: separator)
    case .names(let names): namesText(of: names)
    }
  }
}

extension Substring {
  fileprivate var trimmingEnd: String { String(self).trimmingEnd }
}
