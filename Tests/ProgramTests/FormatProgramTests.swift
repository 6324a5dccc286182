// Not covered: bytes of the formats (see ReportTests), and what a CI system makes of them.
import Foundation
import FoundationXML
import Kernel
import TestSupport
import Testing

@Suite("Formats of reports, and --fail-on") struct FormatProgramTests {
  private static let formats = ["junit", "sarif", "github", "markdown"]
  private static let podCIDR = repository.appendingPathComponent("examples/pod-cidr").standardized.path
  private static let codes = repository.appendingPathComponent("examples/codes").standardized.path
  private static let golden = goldenFolder.path

  struct Command: CustomTestStringConvertible, Sendable {
    let arguments: [String]
    let status: Int32
    /// With `--fail-on warning`.
    let fromWarning: Int32
    /// What is in every format.
    let says: String
    var testDescription: String { arguments.joined(separator: " ") }
  }

  private static let rootless = [
    Command(
      arguments: ["lint", "-f", "\(codes)/NPL-802.yaml"], status: 0, fromWarning: 1,
      says: "no namespace matches name=shop"),
    Command(
      arguments: ["lint", "-f", "\(codes)/NPL-805.yaml"], status: 1, fromWarning: 1, says: "ipBlock"),
    Command(
      arguments: ["explain", "--no-packets", "-f", "\(codes)/NPL-304.yaml", "ops/web", "shop/db:5432"], status: 0,
      fromWarning: 0, says: "no namespace has label name=ops"),
    Command(
      arguments: ["diff", "\(podCIDR)/cluster.yaml", "\(podCIDR)/workaround.yaml"], status: 1, fromWarning: 1,
      says: "shop/StatefulSet/db x1"),
    Command(
      arguments: ["diff", "\(podCIDR)/cluster.yaml", "\(podCIDR)/cluster.yaml"], status: 0, fromWarning: 0, says: ""),
    Command(
      arguments: ["prove", "--no-packet", "-f", "\(podCIDR)/cluster.yaml"], status: 0, fromWarning: 0, says: "D25"),
    Command(
      arguments: [
        "compare", "-f", "\(golden)/no-policy/manifests.yaml", "--nft",
        "\(golden)/no-policy/v2.11.1-nft-default-deny/ruleset.nft",
      ], status: 1, fromWarning: 1, says: "chain KUBE-NWPLCY-TAIL"),
    Command(arguments: ["compare", "--golden", "\(golden)/no-policy"], status: 0, fromWarning: 0, says: ""),
  ]

  private func check(_ text: String, _ format: String) throws {
    switch format {
    case "sarif":
      let own = try #require(SARIFSchema.own)
      #expect(own.problems(text) == [])
      if let published = SARIFSchema.published { #expect(published.problems(text) == []) }
    case "junit":
      #expect(XMLParser(data: Data(text.utf8)).parse(), "\(text)")
      #expect(text.contains("<testcase "))
    case "github":
      #expect(text.split(separator: "\n").allSatisfy { $0.contains(/^::(error|warning|notice) (file|title)=/) })
    default: #expect(text.hasSuffix("\n"))
    }
  }

  @Test("every format has what was found, and the exit code is that of text", arguments: rootless)
  func everyFormat(command: Command) async throws {
    for format in ["text"] + Self.formats {
      let result = try await Program.run(command.arguments + ["-o", format])
      #expect(result.status == .exited(command.status), "\(format): \(result.errors)\(result.output)")
      let words = result.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      #expect(command.says.isEmpty || words.contains(command.says), "\(format): \(result.output)")
      if format != "text" { try check(result.output, format) }
    }
  }

  @Test("--fail-on decides what ends with exit code 1", arguments: rootless)
  func failOn(command: Command) async throws {
    for (severity, status) in [("never", 0), ("error", command.status), ("warning", command.fromWarning)] {
      let result = try await Program.run(command.arguments + ["--fail-on", severity])
      #expect(result.status == .exited(status), "\(severity): \(result.errors)")
    }
  }

  @Test("what is closed is a warning where only new access counts")
  func closed() async throws {
    let arguments = ["diff", "\(Self.podCIDR)/cluster.yaml", "-", "--no-new-access"]
    let policy = policyText("shop/all", "podSelector: {}")
    #expect(try await Program.run(arguments, input: policy).status == .exited(0))
    #expect(try await Program.run(arguments + ["--fail-on", "warning"], input: policy).status == .exited(1))
    let annotations = try await Program.run(arguments + ["-o", "github"], input: policy)
    #expect(annotations.output.hasPrefix("::warning file="), "\(annotations.output)")
  }

  @Test("bad input keeps exit code 2 in every format, and prints no report", arguments: formats)
  func badInput(format: String) async throws {
    for command in ["lint", "run", "prove"] {
      let result = try await Program.run(
        [command, "-f", "-", "-o", format, "--fail-on", "never"], input: "kind: Pod\napiVersion: v1\n")
      #expect(result.status == .exited(2) && result.output.isEmpty, "\(command): \(result)")
    }
  }

  @Test(
    "other commands have text and JSON only",
    arguments: [["doctor"], ["bench", "engines"], ["equal", "-f", podCIDR, "--style", "compiled", "--specification"]])
  func others(arguments: [String]) async throws {
    let result = try await Program.run(arguments + ["-o", "sarif"])
    #expect(result.status == .exited(2), "\(result)")
    #expect(result.errors.contains("sarif"))
  }

  @Test("a refused flow's journey leads through the lines of both ends' policies, in a test report too")
  func journey() async throws {
    let path = "\(Self.codes)/NPL-304.yaml"
    let arguments = ["explain", "--no-packets", "-f", path, "ops/web", "shop/db:5432", "-o"]
    let log = try await Program.run(arguments + ["sarif"])
    let object = try #require(try JSONSerialization.jsonObject(with: Data(log.output.utf8)) as? [String: Any])
    let run = try #require((object["runs"] as? [[String: Any]])?.first)
    let result = try #require((run["results"] as? [[String: Any]])?.first)
    #expect(result["ruleId"] as? String == "NPL-105" && result["level"] as? String == "note")
    let flows = try #require((result["codeFlows"] as? [[String: Any]])?.first?["threadFlows"] as? [[String: Any]])
    let steps = try #require(flows.first?["locations"] as? [[String: Any]])
    let lines = steps.compactMap { step -> Int? in
      let place = (step["location"] as? [String: Any])?["physicalLocation"] as? [String: Any]
      return (place?["region"] as? [String: Any])?["startLine"] as? Int
    }
    let source = try String(contentsOfFile: path, encoding: .utf8).components(separatedBy: "\n")
    let quoted = lines.map { source[$0 - 1].trimmingCharacters(in: .whitespaces) }
    #expect(quoted.count == 3 && steps.compactMap { $0["nestingLevel"] as? Int } == [0, 1, 2])
    #expect(quoted.first?.hasPrefix("apiVersion: networking.k8s.io/v1") == true, "\(quoted)")
    #expect(quoted.last == "- namespaceSelector: {matchLabels: {name: ops}}")
    let report = try await Program.run(arguments + ["junit"])
    #expect(report.output.contains("ingress rule 0: does not admit it\n"), "\(report.output)")
  }

  @Test("places are relative to the folder in which the program runs, and standard input has none")
  func places() async throws {
    let path = "\(Self.codes)/NPL-802.yaml"
    let folder = repository.appendingPathComponent("examples").standardized.path
    let here = try await Program.start(
      ["sh", "-c", "cd \"$0\" && exec \"$@\"", folder, Program.path, "lint", "-f", path, "-o", "github"])
    #expect(here.text.hasPrefix("::warning file=codes/NPL-802.yaml,line=28,title="), "\(here.text)")
    let input = try String(contentsOfFile: path, encoding: .utf8)
    let piped = try await Program.run(["lint", "-f", "-", "-o", "github"], input: input)
    #expect(piped.output.hasPrefix("::warning title="), "\(piped.output)")
  }

  // MARK: - With packets

  private static let expectations =
    webAndClient + policyText("app/silence", "podSelector: {matchLabels: {app: web}}")
      + """
      apiVersion: netpol-lab/v1alpha1
      kind: Expectations
      groups:
      - name: web
        flows:
        - {from: app/client, to: app/web, port: 8080, expect: denied}
        - {from: app/client, to: app/web, port: 81, expect: allowed}

      """

  @Test("an expectation is a test case; one that is missed is a failure with its line", .needsNamespaces)
  func missed() async throws {
    let arguments = ["run", "-f", "-", "--expectations-only", "-o"]
    let junit = try await Program.run(arguments + ["junit"], input: Self.expectations)
    #expect(junit.status == .exited(1), "\(junit)")
    try check(junit.output, "junit")
    #expect(junit.output.contains(#"<testsuite name="Expectations: web" tests="2" failures="1""#), "\(junit.output)")
    #expect(
      junit.output.contains(
        #"<testcase classname="Expectations: web" name="app/client -&gt; app/web TCP/8080"/>"#))
    let never = try await Program.run(arguments + ["github", "--fail-on", "never"], input: Self.expectations)
    #expect(never.status == .exited(0))
    #expect(
      never.output.hasPrefix("::error title=expectation app/client -> app/web TCP/81::expected allowed, rejected"))
  }

  @Test("a run's known deviation is a note, and an error with --strict", .needsNamespaces)
  func deviation() async throws {
    let arguments = ["run", "-f", repository.appendingPathComponent("examples/nodeport").standardized.path]
    for format in Self.formats {
      let result = try await Program.run(arguments + ["-o", format])
      #expect(result.status == .exited(0), "\(format): \(result.errors)")
      try check(result.output, format)
    }
    let strict = try await Program.run(arguments + ["--strict", "-o", "github"])
    let isDeviating = strict.status == .exited(1)
    #expect(strict.output.contains("::error ") == isDeviating, "\(strict)")
    #expect(try await Program.run(arguments + ["--strict", "--fail-on", "never"]).status == .exited(0))
  }
}
