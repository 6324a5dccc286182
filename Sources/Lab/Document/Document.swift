package import NetpolModel
package import Statistics

/// The content of a result, independent of the output format. Reports make documents, and renderers read them.
///
/// A document has three parts. Sections are for people and don't depend on width or output. Facts and rows are for
/// programs. Results are for what collects the results of many programs: test reports, code scanning, annotations.
public struct Document {
  /// Such as `netpol-lab/run/v3`. `nil` if the document is for people only.
  package let schema: String?
  package let facts: [Fact]
  /// Measured values in one shape: `rows` in JSON, and everything that CSV has.
  package let rows: Table?
  /// Computed only when a renderer asks for them, like facts.
  package var sections: [Section] { told() }
  private let told: () -> [Section]
  /// Computed only when a renderer asks for them. Not in the order of importance.
  package var results: [Result] { checked() }
  private let checked: () -> [Result]

  package init(
    schema: String? = nil, facts: [Fact] = [], rows: Table? = nil,
    sections: @autoclosure @escaping () -> [Section] = [], results: @autoclosure @escaping () -> [Result] = []
  ) {
    self.schema = schema
    self.facts = facts
    self.rows = rows
    told = sections
    checked = results
  }
}

/// Blocks that belong together. A section without blocks is not shown.
package struct Section {
  package var blocks: [Block]

  package init(_ blocks: [Block]) { self.blocks = blocks }
}

/// A key of the half for programs.
package struct Fact {
  package let key: String
  /// Computed only when a renderer asks: for a big run this is most of the work. `nil` is left out.
  package let value: () -> (any Encodable)?

  package init<Value: Encodable>(_ key: String, _ value: @autoclosure @escaping () -> Value?) {
    self.key = key
    self.value = { value().map { $0 } }
  }
}

package enum Block {
  /// The title of what follows.
  case heading(String)
  case paragraph(Paragraph)
  case table(Table)
  case grid(Grid)
  case code(Code)
  case plot(Plot)
  /// What a reader should know before trusting the rest.
  case note(Note)
}

extension Block {
  package static func paragraph(_ text: String, first: String = "", indent: Int = 0) -> Block {
    .paragraph(Paragraph(.words(text), first: first, indent: indent))
  }

  /// Lines break between pieces only, unless a piece alone is longer than a line.
  package static func pieces(_ pieces: [String], separator: String = " ", first: String = "", indent: Int = 0) -> Block
  {
    .paragraph(Paragraph(.pieces(pieces, separator: separator), first: first, indent: indent))
  }

  package static func code(_ line: String, indent: Int = 0) -> Block { .code(Code([line], indent: indent)) }

  package static func note(_ label: String, _ text: String, indent: Int = 2) -> Block {
    .note(Note(label: label, text: text, indent: indent))
  }
}

package struct Paragraph {
  package enum Content {
    case words(String)
    case pieces([String], separator: String)
    /// Anything that is written with slashes. Names of one namespace are shown together.
    case names([String])
  }

  package var content: Content
  /// The start of the first line, and the number of characters by which all other lines are indented.
  package var first: String
  package var indent: Int

  package init(_ content: Content, first: String = "", indent: Int = 0) {
    self.content = content
    self.first = first
    self.indent = indent
  }
}

/// Lines to be copied or searched. They are never broken.
package struct Code {
  package var lines: [String]
  package var indent: Int

  package init(_ lines: [String], indent: Int = 0) {
    self.lines = lines
    self.indent = indent
  }
}

/// The verdicts of all endpoints with all others.
package struct Grid {
  package var grid: Matrix.Grid
  package var endpoints: [Endpoint]
  /// True if the cluster has two families.
  package var showsFamily: Bool

  package init(grid: Matrix.Grid, endpoints: [Endpoint], showsFamily: Bool) {
    self.grid = grid
    self.endpoints = endpoints
    self.showsFamily = showsFamily
  }
}

package enum Plot {
  /// A distribution of times.
  case bars(Distribution)
  case strips(Strips)
  /// `name` is a file name without its extension.
  case lines(LogPlot, name: String)
}

/// `label` is the kind of note, such as `Note` or `Too noisy`.
package struct Note {
  package var label, text: String
  package var indent: Int

  package init(label: String, text: String, indent: Int) {
    self.label = label
    self.text = text
    self.indent = indent
  }
}
