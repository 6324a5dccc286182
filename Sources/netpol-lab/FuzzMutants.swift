import ArgumentParser
import Lab
import Lowering

extension FuzzCommand {
  /// Fewer of a hundred mutants than these come to light: a finding.
  private static let noticedOfHundred = 95

  /// Makes mistakes in the styles' rules, and tells of those that no world shows.
  func hunt(_ count: Int, _ styles: [EnforcementStyle]) throws {
    let clock = ContinuousClock()
    let begin = clock.now
    Terminal.progress("making \(cases) worlds")
    var hunt = try MutantHunt(styles, seeds: (0..<UInt64(cases)).map { seed &+ $0 }, flows: flows)
    let mutants = hunt.mutants(count, of: styles, seed: seed)
    var survivors: [MutantHunt.Mutant] = []
    var kinds: [String: (noticed: Int, all: Int)] = [:]
    var judged = 0
    for mutant in mutants {
      if Interruption.isAsked { break }
      let isNoticed = hunt.notice(mutant) != nil
      if !isNoticed { survivors.append(mutant) }
      kinds[mutant.kind, default: (0, 0)].all += 1
      kinds[mutant.kind, default: (0, 0)].noticed += isNoticed ? 1 : 0
      judged += 1
      Terminal.progress("\(judged) of \(mutants.count) mutants, \(survivors.count) unnoticed")
    }
    Terminal.progress("")
    let counts = kinds.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.noticed)/\($0.value.all)" }
    var lines = survivors.map { "unnoticed: \($0)" }
    lines.append("\(judged - survivors.count) of \(judged) mutants noticed in \(cases) worlds, \(clock.now - begin)")
    lines.append("by kind: \(counts.joined(separator: ", "))")
    try Terminal.print(lines.joined(separator: "\n") + "\n")
    if (judged - survivors.count) * 100 < judged * Self.noticedOfHundred {
      throw ExitCode(ProgramExit.finding.rawValue)
    }
  }
}
