import Bench
import Report

extension BenchCommand {
  func runMicro() throws {
    let bench = MicroBench(rounds: try packets.checkedRounds())
    try enterNamespaces()
    let report = try interruptible { progress, stop in
      try bench.run(version: version, progress: progress, stop: stop)
    }
    switch output {
    case .text: try Terminal.print(MicroBenchText(report, width: Terminal.width).text)
    case .json: try Terminal.print(json: try BenchJSON.data(report))
    case .csv: try Terminal.print(BenchCSV.text(report))
    }
  }
}
