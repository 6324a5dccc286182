import Bench
import Documents
import Foundation
import Kernel
import NetpolModel
import Report
import StandingLab
import Statistics
import Testing

@Suite("Bench: conclusions of a report") struct BenchReportTests {
  private func json(_ report: PacketBenchReport) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: try report.document.json()) as? [String: Any])
  }

  private func cheapest(_ report: PacketBenchReport) throws -> [String?] {
    try #require(try json(report)["winners"] as? [[String: Any]]).map { $0["cheapest"] as? String }
  }

  @Test("styles that differ by more than the resolution have a winner, in text and JSON") func winner() throws {
    let report = try HandMadeBench.packets(one: 900, two: 300)
    #expect(report.document.text().contains("cheapest: two"))
    #expect(!report.document.text().contains("no winner"))
    #expect(try cheapest(report) == ["two", "two"])
  }

  @Test("if intervals overlap, no style is called the cheapest") func overlap() throws {
    let report = try HandMadeBench.packets(one: 300, two: 301, noise: 40)
    #expect(report.verdicts[0].standing == .undecided(["one", "two"]))
    #expect(report.document.text().contains("no winner: one, two can't be distinguished"))
    #expect(try cheapest(report)[0] == nil)
  }

  @Test("if equal cases differ by more than styles do, there is no winner but a warning")
  func resolution() throws {
    // The intervals don't overlap: only the pair shows that 20 ns mean nothing.
    let report = try HandMadeBench.packets(one: 320, two: 300, pair: 25)
    #expect(report.verdicts[0].standing == .undecided(["one", "two"]))
    let quiet = try HandMadeBench.packets(one: 320, two: 300)
    #expect(quiet.verdicts[0].standing == .cheapest("two"))
    #expect(report.document.text().contains("Too noisy: two measurements of the same case"))
    #expect(!quiet.document.text().contains("Too noisy"))
    #expect(try json(report)["tooNoisy"] != nil)
    #expect(try json(quiet)["tooNoisy"] == nil)
  }

  @Test("noise is also reported for a user's own flows and for single rules") func others() throws {
    #expect((try HandMadeBench.policies()).document.text().contains("Too noisy"))
    #expect((try HandMadeBench.micro()).document.text().contains("Too noisy"))
  }

  @Test("an incomplete report says how much it covers") func interruption() throws {
    var report = try HandMadeBench.packets(one: 900, two: 300)
    #expect(report.interruption == nil && !report.document.text().contains("Interrupted"))
    report.measuredRounds = [12]
    #expect(report.document.text().contains("Interrupted: the report covers 12 of 40 rounds."))
    report.batches = 3
    report.measuredRounds = [40, 12]
    #expect(report.interruption == "2 of 3 batches, of the last one 12 of 40 rounds")
    report.measuredRounds = [40, 40]
    #expect(report.interruption == "2 of 3 batches, of the last one 40 of 40 rounds")
    #expect((try HandMadeBench.policies()).document.text().contains("12 of 40 rounds"))
    #expect((try HandMadeBench.micro()).document.text().contains("12 of 40 rounds"))
  }

  @Test("the report describes the selection of a user's flows") func origin() throws {
    let text = (try HandMadeBench.policies()).document.text(width: 1000)
    #expect(text.contains("Rules of node1, which has 3 pods, for 2 policies of the cluster. To these pods go 9 flows"))
    #expect(text.contains("Sent: 1 (0 allowed, 1 denied; 0 routed, 1 bridged)."))
    #expect(text.contains("Left out: 1 flow for which a style does not do what the specification says"))
  }
}
