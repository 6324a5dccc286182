import ArgumentParser
import Bench
import Documents
import Lag
import Manifests
import NetpolModel
import Report

struct EngineBenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "engines",
    abstract: "Measure the verdicts per second of the evaluator and the oracle, without packets. Needs no root.",
    discussion: "Uses your manifests with -f, or a generated cluster, whose size --policies, --pods and --local set.")

  struct Flows: Bounded {
    static let range = 1...1_000_000_000
    let value: Int
  }
  struct Sample: Bounded {
    static let range = 0...1_000_000_000
    let value: Int
  }

  @OptionGroup var input: ManifestOptions
  @OptionGroup var compared: ComparedStyles

  @Option(help: GeneratedPolicies.help("Number of policies in the generated cluster. Default: 1000."))
  var policies: GeneratedPolicies?

  @Option(help: GeneratedPods.help("Number of pods in the generated cluster. Default: 1000."))
  var pods: GeneratedPods?

  @Option(help: GeneratedLocalPods.help("Number of those pods on the first of two nodes. Default: 10 % of --pods."))
  var local: GeneratedLocalPods?

  @Option(help: Flows.help("Number of different flows to judge. Default: 1000000."))
  var flows: Flows?

  @Flag(help: "Judge every ordered pair of pods instead of --flows.")
  var allPairs = false

  @Option(help: Sample.help("Number of flows to judge one by one as well, to compare the verdicts."))
  var sample = Sample(value: 10_000)

  @Option(help: "Seed of the order of flows.")
  var seed: UInt64 = 1

  @OptionGroup var format: BenchOutput

  func validate() throws {
    if allPairs, flows != nil { throw ValidationError("--all-pairs can't be combined with --flows") }
    if !input.files.isEmpty, policies != nil || pods != nil || local != nil {
      throw ValidationError(
        "--policies, --pods and --local can't be combined with -f; they shape the generated cluster")
    }
    if input.files.isEmpty { try LagWorld.requireLocal(local?.value ?? 1, of: podCount) }
  }

  private var podCount: Int { pods?.value ?? 1000 }

  /// Throws exit code 1 if a batch of an engine and the same engine flow by flow differ.
  func run() throws {
    let bench = EngineBench(
      styles: compared.chosen, flows: allPairs ? .allPairs : .some(flows?.value ?? 1_000_000), sample: sample.value,
      seed: seed)
    let report = try bench.run(try cluster(), version: version) { Terminal.progress($0.text) }
    Terminal.progress("")
    try format.show(report.document)
    if report.hasDifferences { throw ExitCode.finding }
  }

  private func cluster() throws -> Cluster {
    if !input.files.isEmpty { return try input.reading().cluster }
    return LagWorld(
      policies: policies?.value ?? 1000, pods: podCount, local: local?.value ?? max(1, podCount / 10)
    ).cluster
  }
}
