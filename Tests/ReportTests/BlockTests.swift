import Foundation
import NetpolModel
import Statistics
import Testing

@testable import Documents
@testable import Report

/// The kinds of blocks. A new kind does not compile here until it has a name, and has no test until it has a row in the
/// table below.
private enum Kind: CaseIterable {
  case heading, paragraph, table, grid, code, plot, note

  init(_ block: Block) {
    self =
      switch block {
      case .heading: .heading
      case .paragraph: .paragraph
      case .table: .table
      case .grid: .grid
      case .code: .code
      case .plot: .plot
      case .note: .note
      }
  }
}

/// The same for the content of paragraphs and plots.
private enum Content: CaseIterable {
  case words, pieces, names, bars, strips, lines

  init?(_ block: Block) {
    switch block {
    case .paragraph(let paragraph):
      switch paragraph.content {
      case .words: self = .words
      case .pieces: self = .pieces
      case .names: self = .names
      }
    case .plot(let plot):
      switch plot {
      case .bars: self = .bars
      case .strips: self = .strips
      case .lines: self = .lines
      }
    case .heading, .table, .grid, .code, .note: return nil
    }
  }
}

@Suite("A document's blocks") struct BlockTests {
  struct Example {
    var block: Block
    /// In a line of 60 characters.
    var lines: [String]
    var pictures = 0
  }

  private static let long = "one two three four five six seven eight nine ten eleven twelve thirteen"

  private static let pods = [Endpoint.pod(PodID("app", "a")), .pod(PodID("app", "b"))]

  static var examples: [Example] {
    [
      Example(
        block: .heading(long),
        lines: ["one two three four five six seven eight nine ten eleven", "twelve thirteen"]),
      Example(
        block: .paragraph(long, first: "  - ", indent: 4),
        lines: ["  - one two three four five six seven eight nine ten eleven", "    twelve thirteen"]),
      Example(
        block: .pieces(["one two three four five six,", "seven eight nine ten eleven,", "twelve"], indent: 2),
        lines: ["one two three four five six, seven eight nine ten eleven,", "  twelve"]),
      Example(
        block: .paragraph(Paragraph(.names(["app/a", "app/b", "node/n"]), indent: 4)), lines: ["    app/{a,b} node/n"]),
      Example(
        block: .table(
          Table([Table.Column(title: "who"), Table.Column(title: "how many")], indent: 2, [[.text("a"), .count(3)]])),
        lines: ["  who  how many", "  a           3"]),
      Example(
        block: .grid(
          Grid(
            grid: Matrix.Grid(
              family: .v6, ports: [.port(TransportPort(.tcp, 80))], portsAtSome: [],
              columns: [0: [.nothing, .denied], 1: [.allowed, .nothing]]), endpoints: pods, showsFamily: true)),
        lines: ["IPv6 TCP 80", "   1 2", "1    .  app/a", "2  X    app/b"]),
      Example(block: .code(long, indent: 2), lines: ["  " + long]),
      Example(
        block: .note("Too noisy", long, indent: 2),
        lines: ["Too noisy: one two three four five six seven eight nine ten", "  eleven twelve thirteen"]),
      Example(
        block: .plot(.bars(Distribution([1e6, 1e6, 5e6]))),
        lines: HistogramText(Distribution([1e6, 1e6, 5e6]), width: 60).lines),
      Example(
        block: .plot(
          .strips(
            Strips(
              names: ["to a"],
              streams: [[(at: -5e5, passed: false), (at: 5e5, passed: false), (at: 15e5, passed: true)]])
          )),
        lines: [
          "One trial, 1.00 ms per character: x lost, . passed, / both; the container starts at ^", "  to a  xx.",
          "         ^",
        ]),
      Example(
        block: .plot(
          .lines(
            LogPlot(
              title: "t", horizontal: "x", vertical: "y",
              series: [(name: "one", points: [LogPlot.Point(x: 10, y: Estimate(20, 10, 30))])]), name: "cost")),
        lines: [], pictures: 1),
    ]
  }

  @Test("each kind of block has its lines in text", arguments: examples.indices)
  func text(index: Int) {
    let example = Self.examples[index]
    #expect(DocumentText.lines(example.block, width: 60) == example.lines)
  }

  @Test("programs get only facts and rows, whatever blocks there are", arguments: examples.indices)
  func others(index: Int) throws {
    let example = Self.examples[index]
    let document = Document(schema: "s", facts: [Fact("one", 1)], sections: [Section([example.block])])
    #expect(String(decoding: try document.json(), as: UTF8.self) == #"{"one":1,"schema":"s"}"#)
    #expect(document.csv == "")
    #expect(DocumentPictures(document).files.count == example.pictures)
  }

  @Test("a picture has its name and the extension svg") func picture() {
    let files = DocumentPictures(Document(sections: [Section(Self.examples.map(\.block))])).files
    #expect(files.map(\.name) == ["cost.svg"])
    #expect(files.allSatisfy { $0.svg.hasPrefix("<svg ") && $0.svg.contains("polyline") })
  }

  @Test("every kind of block, paragraph and plot is among the examples") func completeness() {
    #expect(Set(Self.examples.map { Kind($0.block) }) == Set(Kind.allCases))
    #expect(Set(Self.examples.compactMap { Content($0.block) }) == Set(Content.allCases))
  }
}

@Suite("A document") struct DocumentTests {
  @Test("sections are separated by an empty line, and an empty section leaves none") func sections() {
    let document = Document(sections: [
      Section([.heading("a"), .code("b")]), Section([]), Section([.table(Table([], [[Table.Cell]]()))]),
      Section([.paragraph("c")]),
    ])
    #expect(document.text() == "a\nb\n\nc\n")
  }

  @Test("lines have the requested width, but at least 60") func width() {
    let document = Document(sections: [Section([.paragraph(String(repeating: "word ", count: 40))])])
    for (width, longest) in [(80, 79), (60, 59), (20, 59)] {
      #expect(document.text(width: width).split(separator: "\n").map(\.count).max() == longest, "\(width)")
    }
  }

  @Test("a fact that is nil is absent, and what is not needed is not computed") func laziness() throws {
    var asked: [String] = []
    func work(_ name: String) -> String {
      asked.append(name)
      return name
    }
    let document = Document(
      schema: "s", facts: [Fact("absent", nil as String?), Fact("list", [1, 2]), Fact("n", work("fact"))],
      sections: [Section([.heading(work("section"))])])
    #expect(document.text() == "section\n")
    #expect(asked == ["section"])
    #expect(String(decoding: try document.json(), as: UTF8.self) == #"{"list":[1,2],"n":"fact","schema":"s"}"#)
    #expect(asked == ["section", "fact"])
  }
}
