import StandingLab
import Testing

@testable import Bench
@testable import Report
@testable import Run

@Suite("Progress") struct ProgressTextTests {
  @Test("progress lines say how far the program is") func text() {
    #expect(ClusterRun.Progress.lab(.probing(done: 1, of: 4)).text == "probing 4 flows: 25 %")
    #expect(ClusterRun.Progress.lab(.probing(done: 0, of: 0)).text == "probing 0 flows: 0 %")
    #expect(BenchProgress(.measuring(round: 3, of: 9), left: .seconds(40)).text == "round 3 of 9, about 40 s left")
    #expect(EngineBench.Progress(engine: "oracle", done: 1, of: 2).text == "oracle: 1 of 2")
  }
}
