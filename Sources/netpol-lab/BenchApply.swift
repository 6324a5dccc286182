import ArgumentParser
import Foundation
import Lab

/// How often `bench --apply` does what.
struct ApplyBenchArguments: ParsableArguments {
  @Option(help: "How often kube-router's whole sync is run; 0: never.")
  var syncs = ApplyBenchOptions().syncs

  @Option(help: "How often each kind of change is made.")
  var updates = ApplyBenchOptions().updates

  /// The world's size and the rounds are those of the packets' sweep.
  func options(_ packets: PacketBenchOptions) throws -> ApplyBenchOptions {
    var options = ApplyBenchOptions()
    options.policies = try packets.single(packets.policies, "--policies") ?? options.policies
    options.pods = try packets.single(packets.pods, "--pods") ?? options.pods
    options.rounds = packets.rounds ?? options.rounds
    (options.syncs, options.updates) = (syncs, updates)
    if let obstacle = options.obstacle { throw InputError(obstacle) }
    return options
  }
}

extension BenchCommand {
  func runApply() throws {
    let bench = ApplyBench(try applying.options(packets))
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
