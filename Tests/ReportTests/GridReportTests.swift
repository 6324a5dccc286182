// Not covered: that the symbols are those of real packets. ThreeEnginesTests cover that.
import EngineComparison
import Lowering
import NetpolModel
import Path
import Testing
import Text

@testable import Documents
@testable import Enforcement
@testable import Report

@Suite("Grids in terminals of any width") struct GridReportTests {
  static let widths = [60, 80, 100, 200]

  private func grid(_ endpoints: [Endpoint], port: UInt16 = 80, _ symbol: (Int, Int) -> Matrix.Symbol) -> Matrix {
    var cells: [(flow: Flow, symbol: Matrix.Symbol)] = []
    for (to, destination) in endpoints.enumerated() {
      for (from, source) in endpoints.enumerated() where from != to {
        let address = IPAddress(v4: 1)
        cells.append((Flow(from: source, address, to: destination, address, .tcp, port), symbol(from, to)))
      }
    }
    return Matrix(endpoints: endpoints, cells: cells)
  }

  /// Some of one namespace, and some whose names have the maximum length.
  private func endpoints(_ count: Int) -> [Endpoint] {
    (0..<count).map { index in
      switch index % 5 {
      case 0: .node("node\(index)")
      case 1: .external("a-machine-in-the-cellar-\(index)")
      case 2 where index % 10 == 2:
        .pod(PodID(String(repeating: "n", count: 63), String(repeating: "p", count: 240) + "\(index)"))
      default: .pod(PodID("monitoring", "prometheus-\(index)"))
      }
    }
  }

  @Test("no line is longer than the width, with many groups, two, or one", arguments: widths)
  func width(width: Int) {
    for count in [3, 20, 70, 130] {
      let endpoints = endpoints(count)
      for kinds in [1, 2, count] {
        let matrix = grid(endpoints) { from, to in from % kinds < to % kinds ? .denied : .allowed }
        for line in GridText(Grid(grid: matrix.grids[0], endpoints: endpoints, showsFamily: true), width: width).lines {
          #expect(line.count <= width, "\(count) endpoints of \(kinds) kinds: \(line)")
        }
      }
    }
  }

  @Test(
    "a grid wider than the terminal is split into blocks that have every cell, with the names below",
    arguments: [60, 80])
  func blocks(width: Int) throws {
    let endpoints = (0..<50).map { Endpoint.pod(PodID("ns", "p\($0)")) }
    let matrix = grid(endpoints) { from, to in from < to ? .denied : .allowed }
    let groups = matrix.grids[0].groups(count: endpoints.count)
    let lines = GridText(Grid(grid: matrix.grids[0], endpoints: endpoints, showsFamily: false), width: width).lines
      .dropFirst()
    let parts = lines.split(separator: "").map(Array.init)
    let names = try #require(parts.last)
    #expect(names.map { String($0.drop { $0 == " " }) } == groups.indices.map { "\($0 + 1)  ns/p\($0)" })
    var shown: [Int] = []
    for block in parts.dropLast() {
      #expect(block.count == groups.count + 1)
      let columns = block[0].split(separator: " ").compactMap { Int($0) }
      shown += columns
      for (row, line) in block.dropFirst().enumerated() {
        // Cells are 3 wide: a space and two digits.
        let cells = columns.indices.map { index in Array(line).dropFirst(3 + index * 3 + 2).first ?? " " }
        let expected = columns.map { matrix.grids[0].symbol(from: groups[row], to: groups[$0 - 1]).rawValue }
        #expect(cells == expected, "row \(row + 1)")
      }
    }
    #expect(shown == Array(1...groups.count))
  }

  @Test("names are beside their row if 24 characters are left for them")
  func beside() {
    let endpoints = (0..<6).map { Endpoint.pod(PodID("ns", "p\($0)")) }
    let matrix = grid(endpoints) { from, to in from < to ? .denied : .allowed }
    let lines = GridText(Grid(grid: matrix.grids[0], endpoints: endpoints, showsFamily: false), width: 60).lines
    #expect(lines[2] == "1    X X X X X  ns/p0")
    #expect(lines.count == 8)
  }

  @Test("grids and groups distinguish a verdict by a deviation from the same verdict as specified")
  func deviations() {
    let endpoints = (0..<3).map { Endpoint.pod(PodID("ns", "p\($0)")) }
    let usual = grid(endpoints, port: 80) { _, _ in .allowed }
    #expect(usual.grids[0].groups(count: 3) == [[0, 1, 2]])
    let one = grid(endpoints, port: 80) { from, to in from == 0 && to == 1 ? .allowedByDeviation : .allowed }
    #expect(one.grids[0].groups(count: 3) == [[0], [1], [2]])
    var cells: [(flow: Flow, symbol: Matrix.Symbol)] = []
    for port: UInt16 in [80, 443, 30000] {
      let flow = Flow(from: endpoints[0], IPAddress(v4: 1), to: endpoints[1], IPAddress(v4: 2), .tcp, port)
      cells.append((flow, port == 30000 ? .allowedByDeviation : .allowed))
    }
    let both = Matrix(endpoints: endpoints, cells: cells)
    #expect(both.grids.map { portsText($0.ports) } == ["TCP 80 443", "TCP 30000"])
  }

  @Test("the legend has . and X, and those of the other symbols that occur")
  func legend() {
    let endpoints = (0..<3).map { Endpoint.pod(PodID("ns", "p\($0)")) }
    #expect(grid(endpoints) { _, _ in .allowed }.legend == [". allowed", "X denied"])
    let some = grid(endpoints) { from, to in from == 0 ? .allowedByDeviation : to == 0 ? .failure : .denied }
    #expect(some.legend == [". allowed", "X denied", "o allowed by a deviation", "! disagreement"])
    for symbol in Matrix.Symbol.allCases where symbol != .nothing {
      #expect(grid(endpoints) { _, _ in symbol }.legend.contains { $0.first == symbol.rawValue })
    }
  }

  @Test("the symbol shows the verdict, a known deviation, or a disagreement of the engines")
  func symbols() {
    let symbol = { (finding: Comparison.Finding, verdict: Verdict?) in
      let end: Walk.End =
        switch verdict {
        case .allow: .delivered(to: .node("b"))
        case .deny: .stopped(at: Position(node: "b", hook: .input))
        case nil: .noRoute(.loop)
        }
      return Matrix.Symbol(
        Comparison(
          flow: Flow(from: .node("a"), IPAddress(v4: 1), to: .node("b"), IPAddress(v4: 2), .tcp, 80),
          specified: Judgement(.allow, because: []),
          journey: Journey(hops: [], end: end, stop: nil, steps: [], deciding: []), observation: nil, finding: finding)
      ).rawValue
    }
    #expect(symbol(.agreement, .allow) == "." && symbol(.agreement, .deny) == "X")
    #expect(symbol(.deviation([.ownNodePorts]), .allow) == "o" && symbol(.deviation([.ownNodePorts]), .deny) == "x")
    #expect(symbol(.kernelDisagrees, .allow) == "!" && symbol(.unexplained, .deny) == "!")
    #expect(symbol(.deviationMissing([.ownNodePorts]), .deny) == "!")
    #expect(symbol(.undecided("why"), .allow) == "?" && symbol(.noRoute(.loop), nil) == "-")
  }

  @Test("names that need several lines repeat their namespace on each, and none is lost")
  func names() {
    let pods = ["a", "b", "c", "d"].map { Endpoint.pod(PodID("media", $0)) }
    #expect(namesLines(pods + [.node("n")], width: 12) == ["media/{a,b}", "media/{c,d}", "node/n"])
    #expect(namesLines(pods, width: 13) == ["media/{a,b,c}", "media/d"])
    #expect(namesLines([pods[0]], width: 4) == ["medi", "a/a"])
  }

  @Test("text is broken between words, and a long word after a comma or slash")
  func words() {
    #expect(wrapped("one two three", width: 9, first: "> ", indent: 2) == ["> one two", "  three"])
    #expect(wrapped("x a/{b,c,d}", width: 7) == ["x", "a/{b,c,", "d}"])
    #expect(filled(["a b,", "c d"], width: 7) == ["a b,", "c d"])
    #expect(filled(["a", "bbb ccc ddd", "e"], width: 8) == ["a", "bbb ccc", "ddd e"])
    #expect(wrapped("", width: 5) == [""])
  }

  @Test("a count of one is singular")
  func counts() {
    #expect(counted(1, "pod") == "1 pod" && counted(0, "pod") == "0 pods")
    #expect(counted(1, "policy", "policies") == "1 policy" && counted(2, "policy", "policies") == "2 policies")
  }
}
