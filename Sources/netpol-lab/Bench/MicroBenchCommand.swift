import ArgumentParser
import Bench
import Documents
import Report

struct MicroBenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "micro", abstract: "Measure what a single rule, jump, lookup, mark, counter or comment costs a packet."
  )

  @Option(help: BenchRounds.help("Number of measurements of each kind of rule."))
  var rounds = BenchRounds(value: 300)

  @OptionGroup var format: BenchOutput

  func run() throws {
    try enterNamespaces()
    let report = try interruptible { progress, stop in
      try MicroBench(rounds: rounds.value).run(version: version, progress: progress, stop: stop)
    }
    try format.show(report.document)
  }
}
