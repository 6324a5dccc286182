import Bench
import Foundation
import Kernel
import NetpolModel
import Report
import StandingLab
import Statistics
import Testing

@Suite("Bench: what a report dares to say") struct BenchReportTests {
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

  @Test("where intervals overlap nobody is called the cheapest") func overlap() throws {
    let report = try HandMadeBench.packets(one: 300, two: 301, noise: 40)
    #expect(report.verdicts[0].standing == .undecided(["one", "two"]))
    #expect(report.document.text().contains("no winner: one, two can't be told apart"))
    #expect(try cheapest(report)[0] == nil)
  }

  @Test("where the same differs from itself by more than styles do, there is no winner either, but a remark")
  func resolution() throws {
    // Clear intervals: the pair alone says that 20 ns mean nothing.
    let report = try HandMadeBench.packets(one: 320, two: 300, pair: 25)
    #expect(report.verdicts[0].standing == .undecided(["one", "two"]))
    let quiet = try HandMadeBench.packets(one: 320, two: 300)
    #expect(quiet.verdicts[0].standing == .cheapest("two"))
    #expect(report.document.text().contains("Too noisy: the same measured twice"))
    #expect(!quiet.document.text().contains("Too noisy"))
    #expect(try json(report)["tooNoisy"] != nil)
    #expect(try json(quiet)["tooNoisy"] == nil)
  }

  @Test("noise is remarked of a user's own flows and of single rules too") func others() throws {
    #expect((try HandMadeBench.policies()).document.text().contains("Too noisy"))
    #expect((try HandMadeBench.micro()).document.text().contains("Too noisy"))
  }

  @Test("a report of less than was planned says of how much it is") func interruption() throws {
    var report = try HandMadeBench.packets(one: 900, two: 300)
    #expect(report.interruption == nil && !report.document.text().contains("Interrupted"))
    report.measuredRounds = [12]
    #expect(report.document.text().contains("Interrupted: this is of 12 of 40 rounds."))
    report.batches = 3
    report.measuredRounds = [40, 12]
    #expect(report.interruption == "2 of 3 batches, of the last one 12 of 40 rounds")
    report.measuredRounds = [40, 40]
    #expect(report.interruption == "2 of 3 batches, of the last one 40 of 40 rounds")
    #expect((try HandMadeBench.policies()).document.text().contains("12 of 40 rounds"))
    #expect((try HandMadeBench.micro()).document.text().contains("12 of 40 rounds"))
  }

  @Test("what was chosen of a user's flows is said") func origin() throws {
    let text = (try HandMadeBench.policies()).document.text(width: 1000)
    #expect(text.contains("The rules of node1, with 3 pods, for 2 policies of the cluster. Of 9 flows to those pods"))
    #expect(text.contains("1 are sent: 0 allowed, 1 denied; 0 routed, 1 bridged"))
    #expect(text.contains("Left out: 1 flow with which a style does not do what the specification says"))
  }
}
