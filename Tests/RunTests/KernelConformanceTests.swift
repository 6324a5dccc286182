// Not covered: more of an SCTP association than INIT and its answer.
import EngineComparison
import Foundation
import Lowering
import NetpolModel
import Path
import Run
import TestSupport
import Testing
import Verdicts

private let environment = ProcessInfo.processInfo.environment

@Suite("Verdict tables with real packets", .serialized, .needsNamespaces)
struct KernelConformanceTests {
  /// NETPOL_CONFORMANCE=all runs every case in every style of NETPOL_STYLES (all styles if it is unset). Otherwise 30
  /// cases spread over the tables run, with the styles in turn.
  static let runs: [Run] = {
    let styles =
      environment["NETPOL_STYLES"]?.split(separator: ",").map(String.init) ?? EnforcementStyle.all.map(\.name)
    let cases = ConformanceCase.all
    if environment["NETPOL_CONFORMANCE"] == "all" {
      return styles.flatMap { style in cases.map { Run(style: style, conformance: $0) } }
    }
    let count = min(30, cases.count)
    return (0..<count).map { Run(style: styles[$0 % styles.count], conformance: cases[$0 * cases.count / count]) }
  }()

  struct Run: CustomTestStringConvertible, Sendable {
    let style: String
    let conformance: ConformanceCase
    var testDescription: String { "\(style) \(conformance.name)" }
  }

  @Test(
    "the kernel agrees with every cell over TCP, UDP and SCTP, or a deviation explains it",
    .enabled(if: ConformanceCase.areThere, ConformanceCase.absent), arguments: runs)
  func kernel(run: Run) async throws {
    let style = try #require(EnforcementStyle.named(run.style), "a style of that name")
    try #require(!run.conformance.steps.isEmpty, "the case can be read")
    for step in run.conformance.steps {
      let asked = Set(
        step.tables.filter { $0.direction == nil }.map { TransportPort($0.transport, $0.port) }
      ).sorted()
      if asked.isEmpty { continue }
      let cluster = step.cluster
      let report = try await blocking {
        try ClusterRun(style: style, selection: .init(ports: asked)).run(cluster, version: "test")
      }
      let seen = Dictionary(report.comparisons.map { ($0.flow, $0) }) { first, _ in first }
      for cell in step.cells(Topology(cluster)) where cell.table.direction == nil && !cell.isDiagonal {
        let comparison = try #require(seen[cell.flow], "\(cell.flow)")
        #expect(comparison.observed != nil, "\(cell.flow) was probed")
        #expect(!comparison.isFailure(strict: false), "\(cell.flow) \(comparison.finding)")
        if comparison.finding == .agreement { #expect(comparison.observed == cell.expected, "\(cell.flow)") }
      }
    }
    if environment["NETPOL_CONFORMANCE"] == "all" { print("done: \(run.testDescription)") }
  }
}
