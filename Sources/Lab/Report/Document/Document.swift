internal import NetpolModel
internal import Statistics

/// The content of a result, independent of the output format. Reports make documents, and renderers read them.
///
/// A document has two halves. Sections are for people and don't depend on width or output. Facts and rows are for
/// programs.
public struct Document {
  /// Such as `netpol-lab/run/v2`. `nil` if the document is for people only.
  let schema: String?
  let facts: [Fact]
  /// Measured values in one shape: `rows` in JSON, and everything that CSV has.
  let rows: Table?
  /// Computed only when a renderer asks for them, like facts.
  var sections: [Section] { told() }
  private let told: () -> [Section]

  init(
    schema: String? = nil, facts: [Fact] = [], rows: Table? = nil, sections: @autoclosure @escaping () -> [Section] = []
  ) {
    self.schema = schema
    self.facts = facts
    self.rows = rows
    told = sections
  }
}

/// Blocks that belong together. A section without blocks is not shown.
struct Section {
  var blocks: [Block]

  init(_ blocks: [Block]) { self.blocks = blocks }
}

/// A key of the half for programs.
struct Fact {
  let key: String
  /// Computed only when a renderer asks: for a big run this is most of the work. `nil` is left out.
  let value: () -> (any Encodable)?

  init<Value: Encodable>(_ key: String, _ value: @autoclosure @escaping () -> Value?) {
    self.key = key
    self.value = { value().map { $0 } }
  }
}

enum Block {
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
  static func paragraph(_ text: String, first: String = "", indent: Int = 0) -> Block {
    .paragraph(Paragraph(.words(text), first: first, indent: indent))
  }

  /// Lines break between pieces only, unless a piece alone is longer than a line.
  static func pieces(_ pieces: [String], separator: String = " ", first: String = "", indent: Int = 0) -> Block {
    .paragraph(Paragraph(.pieces(pieces, separator: separator), first: first, indent: indent))
  }

  static func code(_ line: String, indent: Int = 0) -> Block { .code(Code([line], indent: indent)) }

  static func note(_ label: String, _ text: String, indent: Int = 2) -> Block {
    .note(Note(label: label, text: text, indent: indent))
  }
}

struct Paragraph {
  enum Content {
    case words(String)
    case pieces([String], separator: String)
    /// Anything that is written with slashes. Names of one namespace are shown together.
    case names([String])
  }

  var content: Content
  /// The start of the first line, and the number of characters by which all other lines are indented.
  var first: String
  var indent: Int

  init(_ content: Content, first: String = "", indent: Int = 0) {
    self.content = content
    self.first = first
    self.indent = indent
  }
}

/// Lines to be copied or searched. They are never broken.
struct Code {
  var lines: [String]
  var indent: Int

  init(_ lines: [String], indent: Int = 0) {
    self.lines = lines
    self.indent = indent
  }
}

/// The verdicts of all endpoints with all others.
struct Grid {
  var grid: Matrix.Grid
  var endpoints: [Endpoint]
  /// True if the cluster has two families.
  var showsFamily: Bool
}

enum Plot {
  /// A distribution of times.
  case bars(Distribution)
  case strips(Strips)
  /// `name` is a file name without its extension.
  case lines(LogPlot, name: String)
}

/// `label` is the kind of note, such as `Note` or `Too noisy`.
struct Note {
  var label, text: String
  var indent: Int
}
