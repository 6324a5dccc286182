import DumpDiff
import Dumps
import Foundation
import Lowering
import Manifests
import NetpolModel
import Rendering
import RuleIR
import Testing

@testable import Documents
@testable import Fuzz
@testable import Report

@Suite("Reports of compare and fuzz") struct ProgramReportTests {
  /// A node's rules as its style writes them, without the lines for which `isGone` returns true.
  private func comparison(without isGone: (String) -> Bool) throws -> DumpComparison {
    let cluster = try readManifests([ManifestSource(name: "world.yaml", text: HandMade.world)]).cluster
    let style = EnforcementStyle.kubeRouterK3s
    var view = NodeView(of: try #require(cluster.nodes.first), in: cluster)
    view.families = [.v4]
    let ruleset = style.lower(view).ruleset
    let lines = try iptablesRestoreText(try #require(ruleset.table("filter", .v4))).split(separator: "\n").map(
      String.init)
    let dump = try readIptablesSave(
      lines.filter { !isGone($0) }.joined(separator: "\n") + "\n", family: .v4, file: "v4")
    let sets = try readIpsetSave(try ipsetRestoreText(ruleset.sets), file: "sets")
    return try DumpComparison(
      NodeRules([dump], sets), expected: ruleset, traces: style.traces(on: view), namesHold: true)
  }

  @Test("a node with its style's rules is equal, in text and in JSON") func equal() throws {
    let document = try comparison { _ in false }.document(style: "s", node: "n", version: "v")
    let text = document.text()
    #expect(text.hasPrefix("s on n: ") && text.hasSuffix("equal: the node has what s writes\n"), "\(text)")
    #expect(String(decoding: try document.json(), as: UTF8.self).contains(#""equal":true"#))
  }

  @Test("a missing rule is shown as the style writes it, on one line") func differing() throws {
    let comparison = try comparison { $0.contains("REJECT") }
    let text = comparison.document(style: "s", node: "n", version: "v").text(width: 60)
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("  + expected:    ") })
    #expect(line.contains("-j REJECT"), "\(text)")
    #expect(line.count > 60)
    #expect(
      text.hasSuffix(
        comparison.differences.count == 1 ? "1 difference\n" : "\(comparison.differences.count) differences\n"))
  }

  @Test("a golden case is a line with its differences below it, and all cases are counted") func golden() throws {
    let results = [
      GoldenResult(dump: "one", style: "s", try comparison { _ in false }),
      GoldenResult(dump: "two", style: "s", try comparison { $0.contains("REJECT") }),
    ]
    #expect(results[0].document.text().hasPrefix("one  s  ") && results[0].document.text().hasSuffix("  equal\n"))
    #expect(results[1].document.text().split(separator: "\n").dropFirst().allSatisfy { $0.hasPrefix("  ") })
    let summary = GoldenSummary(results, version: "v")
    #expect(summary.document.text() == "2 dumps, 1 equal, 1 with differences\n")
    #expect(summary.hasDifferences)
  }

  @Test("a finding shows its seed and its unchanged manifest") func finding() throws {
    let failure = FuzzFailure(.unexplained, "s", "what  was seen")
    let manifest = "kind: Pod\n" + String(repeating: "x", count: 120) + "\n"
    let finding = FuzzFinding(seed: 3, style: "s", failure: failure, of: 2, smallest: nil, manifest: manifest)
    #expect(
      finding.document.text()
        == "seed 3, style s: what  was seen (2 in total)\n# seed 3, style s\n# what  was seen\n" + manifest)
    var summary = FuzzSummary()
    summary.clusters = 1
    summary.findings = [finding]
    let text = summary.document.text()
    #expect(text.hasPrefix("1 cluster in 0 cases (a case is a cluster in a style), 1 case with a finding\n"))
    #expect(text.contains("\nflows by deviation: none\n"))
    let json = try #require(try JSONSerialization.jsonObject(with: try summary.document.json()) as? [String: Any])
    #expect(json["schema"] as? String == "netpol-lab/fuzz/v1")
    #expect((json["findings"] as? [[String: Any]])?.first?["manifest"] as? String == finding.manifest)
  }

  @Test("without mutants there are no mistakes, and JSON has all fields") func mutants() throws {
    let document = MutantSummary(worlds: 7).document
    #expect(document.text().hasPrefix("0 of 0 mutants noticed in 7 worlds, plus 0 equivalent mutants; 0 s\n"))
    let json = try #require(try JSONSerialization.jsonObject(with: try document.json()) as? [String: Any])
    #expect(
      Set(json.keys) == [
        "schema", "worlds", "noticed", "mistakes", "unnoticed", "equivalent", "disproved", "kinds", "killed",
        "provedEquivalent", "seconds",
      ])
  }
}
