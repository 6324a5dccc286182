import ArgumentParser
import Documents
import Fuzz
import Report

extension FuzzCommand {
  /// Reads texts that nobody would write.
  func fuzzInput() throws {
    let clock = ContinuousClock()
    let begin = clock.now
    var fuzz = try InputFuzz(seed: seed)
    var done = 0
    ReadingAlarm.listen()
    while done < cases.value, mayGoOn(since: begin) {
      if done.isMultiple(of: 100) {
        Terminal.progress("\(done) of \(cases.value) texts, \(fuzz.findings.count) findings")
      }
      ReadingAlarm.begin(UInt64(done))
      fuzz.run(UInt64(done))
      done += 1
    }
    ReadingAlarm.end()
    Terminal.progress("")
    try output.print(InputFuzzSummary(fuzz, seed: seed, time: clock.now - begin).document)
    if !fuzz.findings.isEmpty { throw ExitCode.finding }
  }
}
