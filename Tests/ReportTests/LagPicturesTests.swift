import Statistics
import Testing

@testable import Documents
@testable import Lag
@testable import Report

@Suite("Pictures of lag") struct LagPicturesTests {
  @Test("a histogram counts every value once, in ranges with round limits") func histogram() {
    let values = (0..<200).map { 28e6 + Double($0 % 20) * 1e6 } + [900e6]
    let lines = HistogramText(Distribution(values), width: 80).lines
    let counts = lines.compactMap { line in
      line.split(separator: "#").first.flatMap { $0.split(separator: " ").last.flatMap { Int($0) } }
    }
    #expect(counts.reduce(0, +) == values.count, "\(lines)")
    #expect(lines.count == 12 && lines.last?.contains("from ") == true, "\(lines)")
    #expect(lines.allSatisfy { $0.count <= 80 })
    #expect(HistogramText(Distribution([]), width: 80).lines == [])
    #expect(HistogramText(Distribution([5e6]), width: 80).lines.count == 1)
  }

  @Test("a strip shows what was lost and what passed, per millisecond or more") func strip() {
    let millisecond = { (number: Int, passed: Bool) in (at: Double(number) * 1e6 + 5e5, passed: passed) }
    let example = LagExample(streams: [
      (-2..<8).map { millisecond($0, $0 >= 3) }, (-2..<8).map { millisecond($0, true) },
      [(at: 1e5, passed: false), (at: 2e5, passed: true)],
    ])
    let text = StripText(Strips(names: [], streams: example.streams), width: 44)
    #expect(text.step == 1e6)
    #expect(text.strips == ["xxxxx.....", "..........", "  /"])
    #expect(text.start == 2)
    let long = LagExample(streams: [(0..<1000).map { millisecond($0, $0 >= 500) }])
    #expect(StripText(Strips(names: [], streams: long.streams), width: 54).step == 20e6)
    #expect(
      StripText(Strips(names: [], streams: long.streams), width: 54).strips == [
        String(repeating: "x", count: 25) + String(repeating: ".", count: 25)
      ])
  }
}
