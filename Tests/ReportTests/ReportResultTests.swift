// Not covered: what real packets did. The kernel's answers are made by hand, or none are asked.
import Enforcement
import EngineComparison
import Foundation
import Lint
import Lowering
import Manifests
import NetpolModel
import Path
import PolicyDiff
import Run
import TestSupport
import Testing
import Verdicts

@testable import Documents
@testable import DumpDiff
@testable import Lag
@testable import Proof
@testable import Report

@Suite("Results of reports") struct ReportResultTests {
  private func levels(_ document: Document) -> [Document.Result.Level] { document.results.compactMap(\.level) }

  // MARK: - Runs

  @Test(
    "a run has an error exactly if it is not as expected",
    arguments: [(strict: false, lies: false), (false, true), (true, false), (true, true)])
  func run(strict: Bool, lies: Bool) throws {
    let report = try HandMadeReport.make(
      HandMadeReport.pods + HandMadeReport.policy, HandMadeReport.toNodePort, strict: strict,
      kernel: { lies ? .silent(after: .seconds(1)) : $1 == .allow ? .delivered : .refused(.reset) })
    let document = report.document
    #expect(levels(document).contains(.error) == !report.isAsExpected)
    #expect(document.has(atLeast: .error) == !report.isAsExpected)
    let result = try #require(document.results.first)
    #expect(result.object == "app/web -> node/node1 TCP/30000")
    #expect(result.rule.id == (lies ? "kernel-disagrees" : "D8"))
    #expect(result.level == (strict || lies ? .error : .note))
  }

  @Test("each flow of a small run is a test case, and one without a verdict is skipped") func cases() throws {
    let report = try HandMadeReport.make(HandMadeReport.pods + HandMadeReport.policy)
    let results = report.document.results.filter { $0.group == "Flows" }
    #expect(results.count == ServiceAnswer.all(report.comparisons).flatMap(\.shown).count)
    #expect(Set(results.map(\.name)).count == results.count)
    for (comparison, result) in zip(report.comparisons, results) {
      switch comparison.finding {
      case .agreement: #expect(result.outcome == .passed)
      case .deviation: #expect(result.level == .note && result.location?.file == "world.yaml")
      case .noRoute, .notModelled: if case .skipped = result.outcome {} else { Issue.record("\(result)") }
      default: Issue.record("\(comparison.finding)")
      }
    }
  }

  @Test("a warning in one line has a place and an object, if it names them")
  func warning() {
    let result = { (text: String) in
      Document.Result(warning: text, .inputWarning, in: "Input")
    }
    let placed = result("a: b.yaml:12: Pod shop/web: hostIP 1.2.3.4: is odd")
    #expect(placed.location == nil && placed.object == "the input")
    let usual = result("b.yaml:12: Pod shop/web: hostIP 1.2.3.4: is odd")
    #expect(usual.location == SourceLocation(file: "b.yaml", line: 12))
    #expect(usual.object == "Pod shop/web" && usual.message == "hostIP 1.2.3.4: is odd")
    #expect(result("something: else").object == "the input")
    #expect(result("something: else").level == .warning)
  }

  // MARK: - Lint

  private static let bad =
    podText("shop/db", on: "node1", labels: "app: db")
      + """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {namespace: shop, name: db}
      spec:
        podSelector: {matchLabels: {app: database}}
        ingress:
        - from: [{podSelector: {matchLabels: {app: web}}}]
      """

  private func lint(_ text: String) throws -> Document {
    LintReport(Linter(try readWorld(text)).findings, suppressed: 0, policies: 1, version: "test").document
  }

  private func log(_ document: Document) throws -> [[String: Any]] {
    let data = try DocumentSARIF(document, of: "lint", version: "test").data()
    let log = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    return try #require((log["runs"] as? [[String: Any]])?.first?["results"] as? [[String: Any]])
  }

  @Test("fingerprints survive a shift of lines") func shift() throws {
    let (before, after) = (try log(lint(Self.bad)), try log(lint("# a comment\n\n# another\n" + Self.bad)))
    let marks = { (results: [[String: Any]]) in results.compactMap { $0["partialFingerprints"] as? [String: String] } }
    let lines = { (results: [[String: Any]]) in
      results.compactMap { result -> Int? in
        let place = (result["locations"] as? [[String: Any]])?.first?["physicalLocation"] as? [String: Any]
        return (place?["region"] as? [String: Any])?["startLine"] as? Int
      }
    }
    #expect(!before.isEmpty && marks(before) == marks(after))
    #expect(lines(before).map { $0 + 3 } == lines(after) && !lines(before).isEmpty)
  }

  @Test("a lint has each finding as severe as it is, and one test case if it found nothing") func lintLevels() throws {
    let findings = Linter(try readWorld(Self.bad)).findings
    let document = try lint(Self.bad)
    #expect(document.results.map(\.level?.rawValue) == findings.map(\.severity.rawValue))
    #expect(document.results.map(\.rule.id) == findings.map(\.code.rawValue))
    let none = LintReport([], suppressed: 0, policies: 3, version: "test").document
    #expect(none.results.map(\.outcome) == [.passed] && none.results.map(\.object) == ["3 policies"])
  }

  // MARK: - Differences

  @Test(
    "what is closed is an error, unless only new access counts",
    arguments: [(onlyNew: false, levels: [Document.Result.Level.error]), (true, [.warning])])
  func closed(onlyNew: Bool, levels: [Document.Result.Level]) throws {
    let pods = podText("shop/db", on: "node1", labels: "app: db") + podText("shop/web", on: "node1")
    let deny = policyText("shop/deny", "podSelector: {matchLabels: {app: db}}")
    let clusters = try #require(ComparedClusters(old: try readWorld(pods), new: try readWorld(pods + deny)))
    let report = PolicyDiffReport(
      PolicyDifference(clusters), old: .init(name: "old", policies: 0), new: .init(name: "new", policies: 1),
      onlyNewAccess: onlyNew, version: "test")
    let document = report.document
    #expect(Set(self.levels(document)) == Set(levels))
    #expect(self.levels(document).contains(.error) == !report.isAsExpected)
    #expect(document.results.map(\.rule.id) == ["closed"])
    #expect(document.results.first?.location?.file == "world.yaml")
  }

  // MARK: - Lag

  @Test("a window longer than --max-gap is an error, and one without a result may be") func lag() throws {
    let report = try HandMade.lag()
    #expect(levels(report.document) == [])
    #expect(report.document.results.count == 2)
    for (gap, isError) in [(Duration.milliseconds(1), true), (.seconds(1), false)] {
      var options = report.options
      options.maxGap = gap
      let gated = report.with(options)
      #expect(levels(gated.document) == (isError ? [.error] : []))
      #expect(gated.isAsExpected == !isError)
    }
  }

  // MARK: - Proofs and dumps

  @Test("a packet that no deviation explains is an error, and a deviation a note") func proof() throws {
    let cluster = try readWorld(webAndClient)
    let style = EnforcementStyle.kubeRouterK3s
    let enforced = try EnforcedCluster(cluster, Topology(cluster), style, versionStamp: "1")
    var proof = Proof(cluster, Comparer(cluster, enforced))
    let before = ProofReport(proof, style, [], version: "test").document
    #expect(proof.isProved && Set(levels(before)) == [.note])
    let packet = try #require(proof.differing.values.first?.example)
    proof.counterexamples = [Counterexample(packet: packet, rules: .allow, specification: .deny, predicted: .deny)]
    let results = ProofReport(proof, style, [], version: "test").document.results
    #expect(results.filter { $0.level == .error }.map(\.rule.id) == ["unexplained"])
    #expect(results.first?.message == "the rules say allowed, the specification denied, with all deviations denied")
  }

  @Test("a chain that differs is an error, unless the rules mean the same") func dump() throws {
    let cluster = try readWorld(webAndClient)
    let enforced = try EnforcedCluster(cluster, Topology(cluster), .kubeRouterK3s, versionStamp: "1")
    let same = EqualityReport(RulesComparison(cluster, enforced, enforced), "the dump", "a style", version: "test")
    var comparison = DumpComparison()
    let results = { (meaning: EqualityReport?) in
      comparison.document(style: "a style", node: "node1", meaning: meaning, version: "test").results
    }
    #expect(results(nil).map(\.outcome) == [.passed])
    comparison.differences = [
      DumpDiff.Difference(
        subject: "chain KUBE-POD-FW-X of pod app/web (filter, IPv4)", problem: "differs",
        lines: [.onlyOnNode("-j DROP")])
    ]
    #expect(results(nil).map(\.level) == [.error])
    #expect(results(same).map(\.level) == [.note])
    #expect(results(nil).map(\.object) == ["chain of pod app/web (filter, IPv4)"])
    #expect(
      results(nil).first?.message
        == "chain KUBE-POD-FW-X of pod app/web (filter, IPv4) differs; on the node: -j DROP")
  }

  @Test("each code's summary is that of the index") func summaries() throws {
    let index = try String(contentsOf: repository.appendingPathComponent("docs/codes/README.md"), encoding: .utf8)
    for code in Code.allCases { #expect(index.contains("| [\(code)](\(code).md) | \(code.summary) |")) }
  }
}

extension LagReport {
  fileprivate func with(_ options: LagOptions) -> LagReport {
    LagReport(
      environment: environment, options: options, world: world, streams: streams, betweenWindows: betweenWindows,
      timeline: timeline, processes: processes, resolution: resolution, example: example, opened: opened, notes: notes,
      findings: findings, duration: duration)
  }
}
