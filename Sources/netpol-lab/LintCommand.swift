import ArgumentParser
import Documents
import Lint
import Manifests
import NetpolModel
import Report
import Run

struct LintCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lint",
    abstract: "Find policies that probably don't do what their author thinks. Needs no root.",
    discussion: """
      Looks at the objects alone: selectors that select nothing, rules that are not in force, addresses that no policy \
      sees. A policy's annotation \(Linter.annotation) lists codes that are not told for it. Exit code 1 if something is \
      found that is as severe as --fail-on.

      lint -f DIR
      lint -f DIR --patch --prove
      lint -f DIR --fail-on warning --exceptions known.txt
      """)

  @OptionGroup var input: ManifestOptions

  @OptionGroup var severity: FailOnOption

  @Option(
    help: ArgumentHelp(
      "Findings that are known: a file with a code and an object in each line, such as \"NPL-801 shop/db\". # begins a "
        + "comment.", valueName: "file"))
  var exceptions: String?

  @Flag(help: "Show the change of the files that mends a finding, where only one can be meant.")
  var patch = false

  @Flag(help: "Send the packets that show the findings: as things are, and with the changes that mend them.")
  var prove = false

  @OptionGroup var enforcement: StyleOption

  @Option(name: .shortAndLong, help: ResultFormat.help)
  var output = ResultFormat.text

  func run() throws {
    if !prove { startThreads() }
    let known = try exceptions.map(Self.exceptions) ?? []
    let reading = try input.reading()
    let cluster = reading.cluster
    let all = Linter(cluster).findings
    let findings = all.filter { !known.contains(Exception(code: $0.code, object: $0.object)) }
    for exception in known where !all.contains(where: { $0.code == exception.code && $0.object == exception.object }) {
      Terminal.say("warning: --exceptions: nothing is found like \(exception.code) \(exception.object)")
    }
    var report = LintReport(
      findings, suppressed: all.count - findings.count, policies: cluster.policies.count, version: version)
    report.showsPatches = patch
    report.patches = findings.map { $0.fix.isEmpty ? [] : reading.patch($0.fix)?.files ?? [] }
    if prove {
      try enterNamespaces()
      report.proofs = try LintRun(style: enforcement.style).prove(findings, in: cluster, version: version) {
        Terminal.progress($0.text)
      }
      Terminal.progress("")
    }
    let document = report.document
    try output.print(document, of: "lint", about: input.files, failOn: severity.failOn)
    try severity.failOn.check(document, isAsExpected: report.isAsExpected)
  }

  private struct Exception: Hashable {
    let code: NetpolModel.Code
    let object: String
  }

  /// Throws `InputError` for a line that is none.
  private static func exceptions(_ path: String) throws -> Set<Exception> {
    let text = try InputFile.text(path)
    var found: Set<Exception> = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace).map(String.init)
      if words.isEmpty { continue }
      guard words.count == 2, let code = NetpolModel.Code(rawValue: words[0]) else {
        throw InputError(
          "\(path):\(index + 1): \"\(line.prefix(80))\" is no exception; write a code and an object: NPL-801 shop/db")
      }
      found.insert(Exception(code: code, object: words[1]))
    }
    return found
  }
}
