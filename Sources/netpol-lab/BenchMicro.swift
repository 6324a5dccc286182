import Lab

extension BenchCommand {
  func runMicro() throws {
    let report = try MicroBench(rounds: try packets.checkedRounds()).run(version: version) {
      Terminal.progress($0.text)
    }
    Terminal.progress("")
    switch output {
    case .text: try Terminal.print(MicroBenchText(report, width: Terminal.width).text)
    case .json: try Terminal.print(json: try BenchJSON.data(report))
    case .csv: try Terminal.print(BenchCSV.text(report))
    }
  }
}
