import ArgumentParser
import Bench
import Report

/// What `bench --apply` takes besides --policies, --pods and --rounds, which it has in common with the others.
struct ApplyBenchArguments: ParsableArguments {
  @Option(help: "With --apply: how often kube-router's whole sync is run; 0: never.")
  var syncs = ApplyBenchOptions().syncs

  @Option(help: "With --apply: how often each kind of change is made.")
  var updates = ApplyBenchOptions().updates

  func options(_ packets: PacketBenchOptions) throws -> ApplyBenchOptions {
    var options = ApplyBenchOptions()
    options.policies = try number(packets.policies, "--policies") ?? options.policies
    options.pods = try number(packets.pods, "--pods") ?? options.pods
    options.rounds = packets.rounds ?? options.rounds
    (options.syncs, options.updates) = (syncs, updates)
    if let obstacle = options.obstacle { throw InputError(obstacle) }
    return options
  }

  private func number(_ text: String?, _ option: String) throws -> Int? {
    guard let text else { return nil }
    guard let number = Int(text) else { throw InputError("\(option) \(text): with --apply, write one number") }
    return number
  }
}

extension BenchCommand {
  func runApply() throws {
    let bench = ApplyBench(try applying.options(packets))
    try enterNamespaces()
    let report = try bench.run(version: version) { Terminal.progress($0.text) }
    Terminal.progress("")
    try show(report.document)
  }
}
