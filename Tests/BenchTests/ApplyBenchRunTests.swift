import Foundation
import Kernel
import Lowering
import NetpolModel
import RuleIR
import Statistics
import TestSupport
import Testing

@testable import Bench

extension Alone {
  @Suite("Benchmark of applying rules, measured") struct ApplyBenchRunTests {
    @Test("every part of the bench has results", .needsNamespaces)
    func smoke() async throws {
      let report = try await blocking {
        var options = ApplyBenchOptions()
        (options.policies, options.pods, options.rounds, options.updates, options.copies) = (6, 9, 2, 10, 1)
        return try ApplyBench(options).run(version: "test")
      }
      #expect(report.applies.count == 6 && report.applies.allSatisfy { $0.times.count == 2 })
      #expect(report.applies.count { $0.ratio != nil } == 3)
      #expect(
        report.updates.count == 18 && report.updates.allSatisfy { $0.backToBack.count == 10 && $0.spaced.count == 10 })
      #expect(report.newPods.count == 4 && report.newPods.allSatisfy { $0.replacing.count == 2 })
      #expect(report.memory.count == 3 && report.syncs.count == 3 && report.syncs.allSatisfy { $0.processes > 5 })
      let positive = report.applies.map(\.times) + report.newPods.flatMap { [$0.lowering, $0.replacing] }
      #expect(positive.allSatisfy { ($0.values.first ?? 0) > 0 })
    }
  }
}
