import ArgumentParser
import Foundation
import Lab

/// How much `bench --apply` applies, and how often.
struct ApplyBenchArguments: ParsableArguments {
  @Option(help: "Policies of the world whose rules are applied.")
  var policies = ApplyBenchOptions().policies

  @Option(help: "Pods on its node.")
  var pods = ApplyBenchOptions().pods

  @Option(help: "How often all rules are loaded each way.")
  var rounds = ApplyBenchOptions().rounds

  @Option(help: "How often kube-router's whole sync is run; 0: never.")
  var syncs = ApplyBenchOptions().syncs

  @Option(help: "How often each kind of change is made.")
  var updates = ApplyBenchOptions().updates

  func options() throws -> ApplyBenchOptions {
    var options = ApplyBenchOptions()
    (options.policies, options.pods, options.rounds) = (policies, pods, rounds)
    (options.syncs, options.updates) = (syncs, updates)
    if let obstacle = options.obstacle { throw InputError(obstacle) }
    return options
  }
}

extension BenchCommand {
  func runApply() throws {
    let bench = ApplyBench(try applying.options())
    let report = try bench.run(version: version) { Terminal.progress($0.text) }
    Terminal.progress("")
    switch output {
    case .text: try Terminal.print(ApplyBenchText(report, width: Terminal.width).text)
    case .json: try Terminal.print(String(decoding: try ApplyBenchJSON(report).data(), as: UTF8.self) + "\n")
    case .csv: try Terminal.print(ApplyBenchCSV(report).text)
    }
  }
}

extension ApplyBench.Progress {
  fileprivate var text: String {
    switch self {
    case .apply(let round, let all): "all rules: round \(round) of \(all)"
    case .sync(let style): "a whole sync of \(style)"
    case .updates(let rules): "single elements: \(rules)"
    case .newPod(let what): "a new pod: \(what)"
    case .memory(let style): "memory: \(style)"
    }
  }
}
