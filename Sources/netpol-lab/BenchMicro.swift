import Foundation
import Lab

extension BenchCommand {
  func runMicro() throws {
    let report = try MicroBench(rounds: try packets.checkedRounds()).run(version: version) {
      Terminal.progress($0.text)
    }
    Terminal.progress("")
    switch output {
    case .text: try Terminal.print(MicroBenchText(report, width: Terminal.width).text)
    case .json: try Terminal.print(String(decoding: try BenchJSON.data(report), as: UTF8.self) + "\n")
    case .csv: try Terminal.print(BenchCSV.text(report))
    }
  }
}
