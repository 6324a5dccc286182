// What this does not show: services, IPv6 and host-network pods, which the tables don't have, and the kernel.
import Enforcement
import EngineComparison
import Lowering
import NetpolModel
import Oracle
import Path
import TestSupport
import Testing

@Suite("Verdict tables of cyclonus and the Kubernetes e2e suite") struct ConformanceTests {
  @Test(
    "the oracle agrees with every cell of a table", .enabled(if: ConformanceCase.areThere, ConformanceCase.absent),
    arguments: ConformanceCase.all)
  func oracle(conformance: ConformanceCase) throws {
    try #require(!conformance.steps.isEmpty, "the case must be readable")
    for step in conformance.steps {
      let topology = Topology(step.cluster)
      let oracle = Oracle(step.cluster)
      for cell in step.cells(topology) {
        let sides = cell.table.direction.map { [$0] } ?? [.egress, .ingress]
        let verdict = sides.allSatisfy { oracle.judge(cell.flow, $0).verdict == .allow } ? Verdict.allow : .deny
        #expect(verdict == cell.expected, "\(cell.flow) \(cell.table.direction?.rawValue ?? "combined")")
        if cell.table.direction == nil, cell.flow.source != cell.flow.destination {
          #expect(oracle.judge(cell.flow).verdict == cell.expected)
        }
      }
    }
  }

  @Test(
    "every style's rules in the evaluator agree with every cell, or a deviation explains the difference",
    .enabled(if: ConformanceCase.areThere, ConformanceCase.absent), arguments: EnforcementStyle.all.map(\.name),
    ConformanceCase.all)
  func evaluator(style: String, conformance: ConformanceCase) throws {
    let style = try #require(EnforcementStyle.named(style))
    for step in conformance.steps {
      let enforced = try EnforcedCluster(step.cluster, Topology(step.cluster), style, versionStamp: "1")
      let comparer = Comparer(step.cluster, enforced)
      for cell in step.cells(enforced.topology) where cell.table.direction == nil && !cell.isDiagonal {
        let comparison = comparer.compare(cell.flow, nil)
        #expect(!comparison.isFailure(strict: false), "\(cell.flow) \(comparison.finding)")
        #expect(comparison.specified?.verdict == cell.expected)
      }
    }
  }
}
