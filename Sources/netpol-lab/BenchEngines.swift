import ArgumentParser
import Bench
import Lag
import Manifests
import NetpolModel
import Report

/// What the engines are asked. `--pods`, `--policies` and `--styles` are those of the sweep.
struct EngineBenchOptions: ParsableArguments {
  @Option(help: "With --engines: how many of the pods are on the first of two nodes.")
  var local: Int?

  @Option(help: "With --engines: how many different flows are judged.")
  var flows = 1_000_000

  @Flag(help: "With --engines: every ordered pair of pods, in place of --flows.")
  var allPairs = false

  @Option(help: "With --engines: how many flows are also judged one by one and compared.")
  var sample = 10_000

  @Option(help: "With --engines: what stands for the order of flows.")
  var seed: UInt64 = 1
}

extension BenchCommand {
  /// Throws exit code 1 where a batch and the same engine one by one differ.
  func runEngines() throws {
    guard (1...1_000_000_000).contains(engineOptions.flows) else {
      throw InputError("--flows \(engineOptions.flows): write a number from 1 to 1000000000")
    }
    guard (0...1_000_000_000).contains(engineOptions.sample) else {
      throw InputError("--sample \(engineOptions.sample): write a number from 0 to 1000000000")
    }
    let bench = EngineBench(
      styles: try packets.chosenStyles(), flows: engineOptions.allPairs ? .allPairs : .some(engineOptions.flows),
      sample: engineOptions.sample, seed: engineOptions.seed)
    let report = try bench.run(try engineCluster(), version: version) { Terminal.progress($0.text) }
    Terminal.progress("")
    try show(report.document)
    if report.hasDifferences { throw ExitCode.finding }
  }

  private func engineCluster() throws -> Cluster {
    if !input.files.isEmpty { return try input.reading().cluster }
    let policies = try number(packets.policies, "--policies", or: 1000)
    let pods = try number(packets.pods, "--pods", or: 1000)
    let local = engineOptions.local ?? max(1, pods / 10)
    if let obstacle = LagWorld.obstacle(policies: policies, pods: pods, local: local) { throw InputError(obstacle) }
    return LagWorld(policies: policies, pods: pods, local: local).cluster
  }

  private func number(_ text: String?, _ option: String, or usual: Int) throws -> Int {
    guard let text else { return usual }
    guard let number = Int(text) else { throw InputError("\(option) \(text): with --engines write one number") }
    return number
  }
}
