import Foundation
import Statistics
import Testing

@testable import Bench
@testable import Documents
@testable import Report

@Suite("Benchmark of applying rules, reports") struct ApplyBenchReportTests {
  private func report() -> ApplyBenchReport {
    var report = ApplyBenchReport(environment: .handMade("all"), options: ApplyBenchOptions())
    let objects = ApplyBenchReport.RuleCount(rules: 1, chains: 2, sets: 3, elements: 4)
    report.applies = [
      .init(
        style: "s", way: "slow, \"old\"", times: Distribution([4e6, 5e6]), parts: [], ratio: nil, objects: objects),
      .init(
        style: "s", way: "fast", times: Distribution([1e6, 2e6]), parts: [("kernel", Distribution([5e5, 6e5]))],
        ratio: Distribution([0.25, 0.4]), objects: objects),
    ]
    report.memory = [
      .init(style: "s", bytes: Distribution([2 * 1_048_576])), .init(style: "t", bytes: Distribution([1_048_576 / 2])),
    ]
    return report
  }

  @Test("reports have the same figures as text, JSON and CSV")
  func reports() throws {
    let report = report()
    let text = report.document.text()
    for part in ["4.00 ms", "0.250 (? to ?)", "500 us", "2.00", "0.25"] {
      #expect(text.contains(part), "\(part) in \(text)")
    }
    let csv = report.document.csv.split(separator: "\n")
    #expect(csv.contains { $0.hasPrefix("apply,s,\"slow, \"\"old\"\"\",us,2,4000.0000,4000.0000,5000.0000,5000.0000") })
    #expect(csv.contains { $0.hasPrefix("apply,s,fast,ratio,2,0.2500,0.2500,0.4000,0.4000") })
    let data = try report.document.json()
    let json = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(json["schema"] as? String == "netpol-lab/bench-apply/v1")
    #expect((json["rows"] as? [Any])?.count == csv.count - 1)
  }
}
