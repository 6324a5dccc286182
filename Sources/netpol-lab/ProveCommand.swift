import ArgumentParser
import Enforcement
import EngineComparison
import Foundation
import Lowering
import Manifests
import NetpolModel
import Path
import Proof
import Report
import Run
import Verdicts

struct ProveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prove",
    abstract:
      "Prove that a style's rules do with every packet what the policies say, or show the packet. Needs no root.",
    discussion: """
      Every packet counts: all addresses and ports, all protocols, known and unknown connections. Known deviations \
      (docs/deviations.md) are named and counted. If the rules differ in any other way, the exit code is 1.
      """)

  @OptionGroup var input: ManifestOptions
  @OptionGroup var enforcement: StyleOption

  @Option(
    help: ArgumentHelp(
      "Write a certificate, which another program can check without this one (docs/certificate.md).", valueName: "file")
  )
  var certificate: String?

  @Flag(help: "Don't send the smallest counterexample as a real packet.")
  var noPacket = false

  @Option(name: .shortAndLong, help: ResultFormat.help)
  var output = ResultFormat.text

  @OptionGroup var findings: FailOnOption

  func validate() throws {
    if certificate == "-" || certificate == "" {
      throw ValidationError("--certificate: the report goes to standard output; give the name of a file")
    }
  }

  func run() throws {
    let (reading, sources) = try input.readingAndSources()
    let cluster = reading.cluster
    let written = certificate.map { URL(fileURLWithPath: $0).standardized.path }
    if let written, sources.contains(where: { URL(fileURLWithPath: $0.name).standardized.path == written }) {
      throw InputError("--certificate \(written): it is one of the manifests; name another file")
    }
    if cluster.pods.isEmpty {
      throw InputError("\(input.files.joined(separator: ", ")): no pods and no workloads; add at least one Pod")
    }
    let style = enforcement.style
    // Before the first thread starts. Only the packet needs rights.
    let rights = Result { try enterNamespaces() }
    Terminal.progress("working out every node's rules")
    let enforced = try EnforcedCluster(cluster, Topology(cluster), style, versionStamp: "1")
    for finding in enforced.findings { Terminal.say("warning from the style: \(finding)") }
    let comparer = Comparer(cluster, enforced)
    let progress = { (family: IPFamily, done: Int, all: Int) in
      Terminal.progress("\(family.rawValue): \(done) of \(all) questions")
    }
    let proof: Proof
    if let certificate {
      let whole = try Certificate(cluster, comparer, progress: progress)
      proof = whole.proof
      try OutputFile.write(
        CertificateObject(
          whole, cluster, comparer, sources.map { ($0.name, $0.text) }, version: version), to: certificate)
    } else {
      proof = Proof(cluster, comparer, progress: progress)
    }
    Terminal.progress("")
    var report = ProofReport(
      proof, style, proof.counterexamples.prefix(Self.shown).map { Witness($0, comparer) }, version: version)
    if let flow = proof.counterexamples.first?.packet.flow, !noPacket {
      report.observed = observe(flow, cluster, style, rights)
    }
    let document = report.document
    try output.print(document, of: "prove", about: input.files, failOn: findings.failOn)
    try findings.failOn.check(document, isAsExpected: proof.isProved)
  }

  private static let shown = 5

  /// What the kernel does with a first packet, in words.
  private func observe(
    _ flow: Flow, _ cluster: Cluster, _ style: EnforcementStyle, _ rights: Result<Bool, any Error>
  ) -> String {
    do {
      _ = try rights.get()
      var selection = ProbePlan.Selection()
      selection.sources = [flow.source]
      selection.destinations = [flow.destination]
      selection.ports = [.question(flow.question)]
      let report = try ClusterRun(style: style, selection: selection).run(cluster, version: version)
      return report.observedText
    } catch {
      return "not asked: \(error)"
    }
  }
}
