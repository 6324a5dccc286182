import Documents
// Not covered: services, VIPs and NodePorts of the examples, which are not modelled yet.
import EngineComparison
import Foundation
import Kernel
import Lowering
import Manifests
import NetpolModel
import Report
import Run
import TestSupport
import Testing
import Verdicts

/// An example directory: its manifests, and the table in its README.
struct Example: CustomTestStringConvertible, Sendable {
  let name: String
  /// Number of ordered pairs of pods with their own address that are open on the receiver's first container port.
  let openPairs: Int
  let pairs: Int
  /// The same for pairs between cardboard and trade-bot, in both directions.
  let openAcross: Int?
  var testDescription: String { name }

  static let all = [
    Example(name: "homelab", openPairs: 514, pairs: 812, openAcross: 8),
    Example(name: "homelab-podselector", openPairs: 52, pairs: 90, openAcross: 0),
    Example(name: "homelab-standard-everywhere", openPairs: 42, pairs: 42, openAcross: nil),
    Example(name: "icn", openPairs: 86, pairs: 240, openAcross: nil),
  ]

  var folder: URL { repository.appendingPathComponent("examples/\(name)") }

  func cluster() throws -> Cluster {
    let sources = try exampleManifests(name).map {
      ManifestSource(name: $0, text: try String(contentsOfFile: $0, encoding: .utf8))
    }
    return try readManifests(sources).cluster
  }

  struct Row { let from, to, port, predicted, packets: String }

  func rows() throws -> [Row] {
    let text = try String(contentsOf: folder.appendingPathComponent("README.md"), encoding: .utf8)
    var header: [String] = []
    return text.split(separator: "\n").compactMap { line in
      guard line.hasPrefix("| ") else { return nil }
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      if cells.contains("packets") { header = cells }
      guard let packets = header.firstIndex(of: "packets"), cells.count == header.count, cells != header else {
        return nil
      }
      return Row(from: cells[1], to: cells[2], port: cells[3], predicted: cells[4], packets: cells[packets])
    }
  }
}

@Suite("The examples", .serialized, .needsNamespaces) struct ExamplesTests {
  private func endpoint(_ text: String) -> Endpoint {
    let parts = text.split(separator: "/").map(String.init)
    if parts.count == 2 { return .pod(PodID(parts[0], parts[1])) }
    return text.hasPrefix("node") ? .node(text) : .external(text)
  }

  private func port(_ text: String) throws -> TransportPort {
    let number = try #require(UInt16(text.replacingOccurrences(of: "/UDP", with: "")))
    return TransportPort(text.hasSuffix("/UDP") ? .udp : .tcp, number)
  }

  @Test("packets do what the README's table says, and its predictions hold", arguments: Example.all)
  func table(example: Example) async throws {
    let rows = try example.rows()
    #expect(rows.count > 10)
    let cluster = try example.cluster()
    let ports = Set(try rows.map { try port($0.port) }).sorted()
    let report = try await blocking {
      try ClusterRun(style: .kubeRouterK3s, selection: .init(ports: ports)).run(cluster, version: "test")
    }
    #expect(report.failures.isEmpty)
    for row in rows {
      let wanted = try port(row.port)
      let found = report.comparisons.first {
        $0.flow.source == endpoint(row.from) && $0.flow.destination == endpoint(row.to)
          && $0.flow.transportPort == wanted
      }
      let comparison = try #require(found, "\(row)")
      var observed = try #require(comparison.observed).rawValue
      #expect(observed == row.predicted, "\(row)")
      if case .deviation(let numbers) = comparison.finding {
        observed += " (\(numbers.map(\.id).joined(separator: ", ")))"
      }
      #expect(observed == row.packets, "\(row)")
    }
  }

  @Test("the number of open pod pairs is the number in the README", arguments: Example.all)
  func pairs(example: Example) async throws {
    let cluster = try example.cluster()
    let report = try await blocking { try ClusterRun(style: .kubeRouterK3s).run(cluster, version: "test") }
    #expect(report.failures.isEmpty)
    var pairs = 0
    var open = 0
    var across = 0
    for comparison in report.comparisons {
      guard case .pod(let from) = comparison.flow.source, case .pod(let to) = comparison.flow.destination,
        let sender = cluster.pod(from), let receiver = cluster.pod(to), !sender.hostNetwork, !receiver.hostNetwork,
        let first = receiver.ports.first,
        TransportPort(first.transport, first.number) == comparison.flow.transportPort
      else { continue }
      pairs += 1
      guard comparison.observed == .allow else { continue }
      open += 1
      if Set([from.namespace, to.namespace]) == ["cardboard", "trade-bot"] { across += 1 }
    }
    #expect(pairs == example.pairs && open == example.openPairs)
    if let expected = example.openAcross { #expect(across == expected) }
  }

  static let dumpedWorlds = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: goldenFolder.path)) ?? []
    return names.filter { !$0.hasSuffix(".md") }.sorted()
  }()

  @Test("in every world of the dumps the three engines agree, or a deviation explains it", arguments: dumpedWorlds)
  func dumps(world: String) async throws {
    let cluster = try GoldenCase.of(world).cluster()
    let report = try await blocking { try ClusterRun(style: .kubeRouterK3s).run(cluster, version: "test") }
    #expect(report.failures.isEmpty, "\(report.document.text())")
    #expect(report.comparisons.contains { $0.observed == .allow })
  }
}
