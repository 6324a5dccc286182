internal import NetpolModel
internal import Statistics

/// What a result says, before anybody has chosen how it is shown: the one thing that reports make, and renderers read.
///
/// It has two halves. Sections are for people, and know no width and no output; facts and rows are for programs.
public struct Document {
  /// As `netpol-lab/run/v1`. Where a document is for people alone it has none.
  let schema: String?
  let facts: [Fact]
  /// What was measured, in one shape for all who read figures: `rows` in JSON, and all that CSV has.
  let rows: Table?
  /// Worked out only where a renderer asks, as facts are.
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

/// Blocks that stand together. One without blocks is none.
struct Section {
  var blocks: [Block]

  init(_ blocks: [Block]) { self.blocks = blocks }
}

/// A key of the half for programs.
struct Fact {
  let key: String
  /// Worked out only where a renderer asks: of a big run it is most of the work. Nil is absent.
  let value: () -> (any Encodable)?

  init<Value: Encodable>(_ key: String, _ value: @autoclosure @escaping () -> Value?) {
    self.key = key
    self.value = { value().map { $0 } }
  }
}

enum Block {
  /// The name of what follows.
  case heading(String)
  case paragraph(Paragraph)
  case table(Table)
  case grid(Grid)
  case code(Code)
  case plot(Plot)
  /// What a reader should know before believing the rest.
  case note(Note)
}

extension Block {
  static func paragraph(_ text: String, first: String = "", indent: Int = 0) -> Block {
    .paragraph(Paragraph(.words(text), first: first, indent: indent))
  }

  /// Pieces that belong together are broken only where one alone is longer than a line.
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
    /// Whatever is written with slashes: names of one namespace are told together.
    case names([String])
  }

  var content: Content
  /// What the first line begins with, and by how many characters all others stand to the right.
  var first: String
  var indent: Int

  init(_ content: Content, first: String = "", indent: Int = 0) {
    self.content = content
    self.first = first
    self.indent = indent
  }
}

/// Lines that are there to be copied or searched: nobody breaks them.
struct Code {
  var lines: [String]
  var indent: Int

  init(_ lines: [String], indent: Int = 0) {
    self.lines = lines
    self.indent = indent
  }
}

/// Verdicts of all with all.
struct Grid {
  var grid: Matrix.Grid
  var endpoints: [Endpoint]
  /// Where the cluster has two.
  var showsFamily: Bool
}

enum Plot {
  /// A distribution of times.
  case bars(Distribution)
  case strips(Strips)
  /// `name` is that of a file, without its ending.
  case lines(LogPlot, name: String)
}

/// `label` says what kind of note it is: `Note`, `Too noisy`.
struct Note {
  var label, text: String
  var indent: Int
}
