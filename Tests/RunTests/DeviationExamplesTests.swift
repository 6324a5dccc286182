// Not covered: deviations that first packets over TCP, UDP and SCTP can't show (D5, D6, D7, D9, D13, D14).
import EngineComparison
import Foundation
import Lowering
import NetpolModel
import Run
import TestSupport
import Testing
import Verdicts

/// A file of examples/deviations: a world, a flow that shows the deviation, and a similar one that does not.
struct DeviationExample: CustomTestStringConvertible, Sendable {
  let file: URL
  var testDescription: String { file.deletingPathExtension().lastPathComponent }

  static let folder = repository.appendingPathComponent("examples/deviations")
  static let all: [DeviationExample] =
    ((try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? [])
    .filter { $0.pathExtension == "yaml" }.sorted { $0.path < $1.path }.map(DeviationExample.init)
    // The others are shown in steps (StepExamplesTests).
    .filter { (try? String(contentsOf: $0.file, encoding: .utf8).contains("# shows:")) ?? true }

  var deviation: Deviation? { Deviation.allCases.first { $0.id == testDescription } }

  struct Wanted {
    let from, to: Endpoint
    let port: TransportPort
    let family: IPFamily
    /// `# group 224.0.0.251`
    let group: IPAddress?
  }

  /// The flow of a head line, such as `# shows:  app/web -> node/node1 TCP/30000`.
  func flow(_ label: String, _ text: String) throws -> Wanted {
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("# \(label):") })
    let words = line.split(separator: " ").dropFirst(2).map(String.init)
    let endpoint = { (name: String) in try #require(Endpoint(EndpointReference(name))) }
    let port = try #require(words[3].split(separator: "/").last.flatMap { UInt16($0) })
    return Wanted(
      from: try endpoint(words[0]), to: try endpoint(words[2]),
      port: TransportPort(words[3].hasPrefix("UDP") ? .udp : .tcp, port), family: words.count > 4 ? .v6 : .v4,
      group: text.split(separator: "\n").first { $0.hasPrefix("# group ") }.flatMap {
        IPAddress(String($0.dropFirst(8)))
      })
  }
}

@Suite("Deviations, one world each", .serialized, .needsNamespaces)
struct DeviationExamplesTests {
  /// D14's example is one of two steps.
  @Test("every deviation that a run can predict has an example")
  func complete() {
    let shown = Set(DeviationExample.all.compactMap(\.deviation)).union([.refusesStrangers])
    #expect(shown == Set(Deviation.allCases))
    #expect(DeviationExample.all.allSatisfy { $0.deviation != nil })
  }

  @Test(
    "packets show the deviation only in the styles that have it, and never for the similar flow",
    arguments: EnforcementStyle.all.map(\.name), DeviationExample.all)
  func shows(style: String, example: DeviationExample) async throws {
    let text = try String(contentsOf: example.file, encoding: .utf8)
    let cluster = try readWorld(text, asStored: true)
    let style = try #require(EnforcementStyle.named(style))
    let deviation = try #require(example.deviation)
    for label in ["shows", "beside"] {
      let wanted = try example.flow(label, text)
      let selection = ProbePlan.Selection(
        source: wanted.from, destination: wanted.to, destinationAddress: wanted.group, ports: [wanted.port])
      let report = try await blocking {
        try ClusterRun(style: style, selection: selection).run(cluster, version: "test")
      }
      let comparison = try #require(report.comparisons.first { $0.flow.family == wanted.family })
      let isMade = label == "shows" && style.traits.deviations.contains(deviation)
      #expect(comparison.finding == (isMade ? .deviation([deviation]) : .agreement), "\(label) \(comparison.flow)")
      #expect(comparison.observed != nil)
    }
  }
}
