import ArgumentParser
import Documents
import Fuzz
import Lowering
import Report

extension FuzzCommand {
  /// Fewer noticed mutants than these, of a hundred that some packet shows, are a finding.
  private static let noticedOfHundred = 95

  /// Throws `ValidationError` for too few clusters to plant mistakes in, or too many to hold in memory.
  func requireCases(for mutants: Mutants) throws {
    let least = MutantHunt.leastWorlds
    if cases.value < least {
      throw ValidationError(
        "--mutants \(mutants.value): needs the rules of \(least) clusters; write --cases \(least) or more")
    }
    if cases.value > 100_000 {
      throw ValidationError("--cases \(cases.value): with --mutants, write 100000 or fewer")
    }
  }

  /// Plants mistakes in the styles' rules, and reports those that no cluster's packets reveal.
  func hunt(_ count: Int, _ styles: [EnforcementStyle]) throws {
    let cases = cases.value
    let clock = ContinuousClock()
    let begin = clock.now
    Terminal.progress("making \(cases) clusters")
    let mayGoOn = { self.mayGoOn(since: begin) }
    var hunt = try MutantHunt(
      styles, seeds: (0..<UInt64(cases)).map { seed &+ $0 }, flows: flows.value, while: mayGoOn)
    var summary = MutantSummary(worlds: hunt.worlds)
    let mutants = hunt.mutants(count, of: styles, seed: seed, while: mayGoOn)
    for mutant in mutants {
      if !mayGoOn() { break }
      summary.add(mutant, isNoticed: hunt.notice(mutant) != nil, killedIn: hunt.killingWorld(mutant))
      Terminal.progress("\(summary.judged) of \(mutants.count) mutants, \(summary.unnoticedCount) unnoticed")
    }
    Terminal.progress("")
    summary.time = clock.now - begin
    if summary.mistakes == 0, mayGoOn() {
      throw InputError(
        "--mutants \(count): no mistake can be planted in the rules of these clusters; write more --cases")
    }
    try output.print(summary.document)
    let shown = summary.noticed + summary.missed
    if summary.noticed * 100 < shown * Self.noticedOfHundred || summary.isDisproved {
      throw ExitCode.finding
    }
  }
}
