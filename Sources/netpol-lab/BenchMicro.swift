import Bench
import Report

extension BenchCommand {
  func runMicro() throws {
    let bench = MicroBench(rounds: try packets.checkedRounds())
    try enterNamespaces()
    let report = try interruptible { progress, stop in
      try bench.run(version: version, progress: progress, stop: stop)
    }
    try show(report.document)
  }
}
