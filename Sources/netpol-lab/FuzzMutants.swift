import ArgumentParser
import Fuzz
import Lowering
import Report

extension FuzzCommand {
  /// Fewer of a hundred mutants than these come to light: a finding.
  private static let noticedOfHundred = 95

  /// Makes mistakes in the styles' rules, and tells of those that no world shows.
  func hunt(_ count: Int, _ styles: [EnforcementStyle]) throws {
    let least = MutantHunt.leastWorlds
    guard cases >= least else {
      throw InputError(
        "--mutants \(count): mistakes are made in what \(least) worlds have; write --cases \(least) or more")
    }
    // All of them are in memory at once.
    guard cases <= 100_000 else { throw InputError("--cases \(cases): with --mutants, write 100000 or fewer") }
    let clock = ContinuousClock()
    let begin = clock.now
    Terminal.progress("making \(cases) worlds")
    var hunt = try MutantHunt(styles, seeds: (0..<UInt64(cases)).map { seed &+ $0 }, flows: flows)
    var summary = MutantSummary(worlds: cases)
    let mutants = hunt.mutants(count, of: styles, seed: seed)
    for mutant in mutants {
      if Interruption.isAsked { break }
      summary.add(mutant, isNoticed: hunt.notice(mutant) != nil)
      Terminal.progress("\(summary.judged) of \(mutants.count) mutants, \(summary.unnoticedCount) unnoticed")
    }
    Terminal.progress("")
    summary.time = clock.now - begin
    if summary.mistakes == 0 {
      throw InputError("--mutants \(count): no mistake can be made in the rules of these worlds; write more --cases")
    }
    switch output {
    case .text: try Terminal.print(summary.document.text(width: Terminal.width))
    case .json: try Terminal.print(json: try summary.document.json())
    }
    if summary.noticed * 100 < summary.mistakes * Self.noticedOfHundred || summary.isDisproved {
      throw ExitCode.finding
    }
  }
}
