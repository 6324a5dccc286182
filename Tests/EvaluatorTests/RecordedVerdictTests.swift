// What this does not show: the service rows of the recordings, which need the data path, and what our kernel does with
// the same rules (RecordedPacketsTests).
import DumpDiff
import Dumps
import Evaluator
import Foundation
import Lowering
import Manifests
import NetpolModel
import RuleIR
import TestSupport
import Testing

@Suite("Packets on a real node") struct RecordedVerdictTests {
  /// node1's own addresses and that of its bridge.
  static let local = ["192.168.20.11", "10.42.0.1", "fd00:20::11", "2001:db8:20::11", "fc00:20::11", "fd00:42::1"]

  private static func evaluator(_ ruleset: Ruleset) throws -> Evaluator {
    try Evaluator(ruleset, localAddresses: Set(local.compactMap { IPAddress($0) }))
  }

  @Test("the evaluator allows exactly the packets that the real node allowed", arguments: GoldenCase.recorded)
  func agrees(recorded: GoldenCase) throws {
    let cluster = try recorded.cluster()
    let view = NodeView(of: Node(name: "node1", addresses: [IPAddress(v4: 0xc0a8_140b)]), in: cluster)
    try check(recorded, cluster, Self.evaluator(recorded.style.lower(view).ruleset))
  }

  @Test("the real controller's dump gives the same verdicts in the evaluator", arguments: GoldenCase.recorded)
  func dumps(recorded: GoldenCase) throws {
    try check(recorded, try recorded.cluster(), Self.evaluator(try recorded.nodeRules().ruleset))
  }

  private func check(_ recorded: GoldenCase, _ cluster: Cluster, _ evaluator: Evaluator) throws {
    let unknown = try recorded.probeAddresses()
    var compared = 0
    for row in try recorded.rows() where !row.src.contains("service") && !row.dst.contains("service") {
      let family: IPFamily =
        (row.src + row.dst).contains("v6") || row.src.contains("::") || row.dst.contains("::") ? .v6 : .v4
      let address = { (text: String) -> IPAddress? in
        if text.hasPrefix("(lan host ") { return IPAddress(String(text.dropFirst(10).dropLast())) }
        if text.hasPrefix("(node") { return IPAddress(family == .v4 ? "10.42.0.1" : "fd00:42::1") }
        let name = text.replacingOccurrences(of: " v6", with: "")
        let parts = name.split(separator: "/").map(String.init)
        return cluster.pod(PodID(parts[0], parts[1]))?.address(family) ?? unknown[name]
      }
      let from = try #require(address(row.src), "\(row)")
      let to = try #require(address(row.dst), "\(row)")
      let transport = try #require(Transport(rawValue: row.proto.uppercased()))
      let isBridged =
        row.src.contains("/") && row.dst.contains("/") && isLocal(row.src, cluster, unknown)
        && isLocal(row.dst, cluster, unknown)
      let packet = Packet(
        from: from, to: to, .transport(transport, source: 40000, destination: row.port), isBridged: isBridged)
      let outcome = evaluator.run(packet, at: row.src.hasPrefix("(node") ? .output : .forward)
      #expect((outcome.verdict == .accept) == (row.verdict == "open"), "\(row)")
      compared += 1
    }
    #expect(compared > 0)
  }

  private func isLocal(_ text: String, _ cluster: Cluster, _ unknown: [String: IPAddress]) -> Bool {
    let name = text.replacingOccurrences(of: " v6", with: "")
    let parts = name.split(separator: "/").map(String.init)
    return unknown[name] != nil || cluster.pod(PodID(parts[0], parts[1]))?.node == "node1"
  }
}
