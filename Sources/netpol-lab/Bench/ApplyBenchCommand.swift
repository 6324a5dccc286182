import ArgumentParser
import Bench
import Documents
import Report

struct ApplyBenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply", abstract: "Measure full applies, single updates, new pods, and the kernel's memory.")

  struct Policies: Bounded {
    static let range = ApplyBenchOptions.policyRange
    let value: Int
  }
  struct Pods: Bounded {
    static let range = ApplyBenchOptions.podRange
    let value: Int
  }
  struct Rounds: Bounded {
    static let range = ApplyBenchOptions.roundRange
    let value: Int
  }
  struct Syncs: Bounded {
    static let range = ApplyBenchOptions.syncRange
    let value: Int
  }
  struct Updates: Bounded {
    static let range = ApplyBenchOptions.updateRange
    let value: Int
  }

  @Option(help: Policies.help("Number of policies."))
  var policies = Policies(value: ApplyBenchOptions().policies)

  @Option(help: Pods.help("Number of pods on the node."))
  var pods = Pods(value: ApplyBenchOptions().pods)

  @Option(help: Rounds.help("Number of full applies of each kind."))
  var rounds = Rounds(value: ApplyBenchOptions().rounds)

  @Option(help: Syncs.help("Number of whole syncs as kube-router runs them; 0 for none."))
  var syncs = Syncs(value: ApplyBenchOptions().syncs)

  @Option(help: Updates.help("Number of changes of each kind."))
  var updates = Updates(value: ApplyBenchOptions().updates)

  @OptionGroup var format: BenchOutput

  func run() throws {
    var options = ApplyBenchOptions()
    (options.policies, options.pods, options.rounds) = (policies.value, pods.value, rounds.value)
    (options.syncs, options.updates) = (syncs.value, updates.value)
    try enterNamespaces()
    let report = try ApplyBench(options).run(version: version) { Terminal.progress($0.text) }
    Terminal.progress("")
    try format.show(report.document)
  }
}
