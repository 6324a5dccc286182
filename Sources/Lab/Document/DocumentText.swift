internal import Text

/// A document as text, in characters of equal width.
public struct DocumentText {
  private let document: Document
  private let width: Int

  /// `width` is the terminal's width in characters. Less than 60 is taken as 60.
  public init(_ document: Document, width: Int = 100) {
    self.document = document
    self.width = max(width, 60)
  }

  /// Sections are separated by an empty line. Only lines of code and of tables can be longer than the width. Text of
  /// others in a line can't end it, and can't act on a terminal.
  public var text: String {
    document.sections.map { $0.blocks.flatMap { Self.lines($0, width: width) } }.filter { !$0.isEmpty }
      .map { $0.map(\.onOneLine).joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
  }

  static func lines(_ block: Block, width: Int) -> [String] {
    switch block {
    case .heading(let text): wrapped(text, width: width)
    case .paragraph(let paragraph): lines(paragraph, width: width)
    case .table(let table): TableText(table, width: width).lines
    case .grid(let grid): GridText(grid, width: width).lines
    case .code(let code): code.lines.map { String(repeating: " ", count: code.indent) + $0 }
    case .plot(let plot): lines(plot, width: width)
    case .note(let note): wrapped("\(note.label): \(note.text)", width: width, indent: note.indent)
    }
  }

  private static func lines(_ paragraph: Paragraph, width: Int) -> [String] {
    switch paragraph.content {
    case .words(let text): wrapped(text, width: width, first: paragraph.first, indent: paragraph.indent)
    case .pieces(let pieces, let separator):
      filled(pieces, separator: separator, width: width, first: paragraph.first, indent: paragraph.indent)
    case .names(let names):
      namesLines(names, width: width - paragraph.indent)
        .map { String(repeating: " ", count: paragraph.indent) + $0 }
    }
  }

  private static func lines(_ plot: Plot, width: Int) -> [String] {
    switch plot {
    case .bars(let values): HistogramText(values, width: width).lines
    case .strips(let strips): StripText(strips, width: width).lines
    // Tables have the same figures, and characters are too coarse for a plot. `DocumentPictures` draws it.
    case .lines: []
    }
  }
}

extension Document {
  public func text(width: Int = 100) -> String { DocumentText(self, width: width).text }
}
