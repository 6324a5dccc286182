// Not covered: how fast an engine is. `netpol-lab bench engines` measures that.
import Bench
import Documents
import Foundation
import Lag
import Lowering
import NetpolModel
import Report
import StandingLab
import Testing

@Suite("Benches of the engines") struct EngineBenchTests {
  private static let world = LagWorld(policies: 50, pods: 60, local: 20).cluster

  @Test("every engine judges all flows, some are allowed, and batches agree with single verdicts")
  func rows() throws {
    let bench = EngineBench(styles: EnforcementStyle.all, flows: .some(5000), sample: 200, seed: 1)
    let report = try bench.run(Self.world, version: "test") { _ in }
    #expect(report.rows.count == EnforcementStyle.all.count + 1 && report.flows == 5000)
    for row in report.rows {
      #expect(row.verdicts == 5000 && row.compared == 200 && row.different == 0 && row.walked == 0)
      #expect((0.2...0.8).contains(row.allowedShare), "\(row.engine): \(row.allowedShare)")
    }
    #expect(
      report.document.text().contains("evaluator, compiled") && report.document.csv.split(separator: "\n").count == 6)
  }

  @Test("all pairs means every ordered pair of pods once")
  func pairs() throws {
    let bench = EngineBench(styles: [.compiled], flows: .allPairs, sample: 60 * 59, seed: 1)
    let report = try bench.run(Self.world, version: "test") { _ in }
    #expect(report.flows == 60 * 59)
    #expect(report.rows.allSatisfy { $0.verdicts == 60 * 59 && $0.compared == 60 * 59 && $0.different == 0 })
  }

  @Test("a cluster with one pod has nothing to ask")
  func lonely() {
    let bench = EngineBench(styles: [.compiled], flows: .some(10), sample: 1, seed: 1)
    #expect(throws: NothingToAsk.self) {
      try bench.run(LagWorld(policies: 1, pods: 1, local: 1).cluster, version: "test") { _ in }
    }
  }
}
