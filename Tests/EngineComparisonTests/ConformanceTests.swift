// What this does not show: services, IPv6 and host-network pods, which the tables don't have; and the kernel.
import EngineComparison
import Lowering
import NetpolModel
import Oracle
import Path
import Testing

@Suite("Verdict tables of cyclonus and the Kubernetes e2e suite") struct ConformanceTests {
  static let present = !ConformanceCase.all.isEmpty
  static let absent: Comment = "no conformance tables in ../shared/conformance or $NETPOL_CASES"

  @Test("the oracle agrees with every cell", .enabled(if: present, absent), arguments: ConformanceCase.all)
  func oracle(conformance: ConformanceCase) throws {
    try #require(!conformance.steps.isEmpty, "the case can be read")
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
    "the rules of every style in the evaluator agree with every cell, or a deviation says why not",
    .enabled(if: present, absent), arguments: EnforcementStyle.all.map(\.name), ConformanceCase.all)
  func evaluator(style: String, conformance: ConformanceCase) throws {
    let style = try #require(EnforcementStyle.named(style))
    for step in conformance.steps {
      let enforced = try EnforcedCluster(step.cluster, Topology(step.cluster), style, versionStamp: "1")
      let comparer = Comparer(step.cluster, enforced)
      for cell in step.cells(enforced.topology) where cell.table.direction == nil && !cell.isDiagonal {
        let comparison = comparer.compare(cell.flow, kernel: .notAsked)
        #expect(!comparison.isFailure(strict: false), "\(cell.flow) \(comparison.finding)")
        #expect(comparison.specified.verdict == cell.expected)
      }
    }
  }
}

extension ConformanceCase.Step {
  struct Cell {
    let flow: Flow
    let expected: Verdict
    let table: ConformanceCase.Table
    var isDiagonal: Bool { flow.source == flow.destination }
  }

  /// Every cell that the tables ask.
  func cells(_ topology: Topology) -> [Cell] {
    let endpoint = { (name: String) -> (Endpoint, IPAddress)? in
      let parts = name.split(separator: "/").map(String.init)
      let id = PodID(parts[0], parts[1])
      return cluster.pod(id)?.podIP.map { (.pod(id), $0) }
    }
    return tables.flatMap { table in
      table.rows.flatMap { source, row in
        zip(columns, row).compactMap { destination, character -> Cell? in
          guard character != "-", let from = endpoint(source), let to = endpoint(destination) else { return nil }
          return Cell(
            flow: Flow(from: from.0, from.1, to: to.0, to.1, table.transport, table.port),
            expected: character == "." ? .allow : .deny, table: table)
        }
      }
    }
  }
}
