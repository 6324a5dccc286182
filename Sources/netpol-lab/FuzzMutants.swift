import ArgumentParser
import Foundation
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
    var report = MutantReport(worlds: cases)
    let mutants = hunt.mutants(count, of: styles, seed: seed)
    for mutant in mutants {
      if Interruption.isAsked { break }
      report.add(mutant, isNoticed: hunt.notice(mutant) != nil)
      Terminal.progress("\(report.judged) of \(mutants.count) mutants, \(report.unnoticed.count) unnoticed")
    }
    Terminal.progress("")
    report.seconds = (clock.now - begin) / .seconds(1)
    if report.mistakes == 0 {
      throw InputError("--mutants \(count): no mistake can be made in the rules of these worlds; write more --cases")
    }
    switch output {
    case .text: try Terminal.print(report.text)
    case .json: try Terminal.print(json: try report.json())
    }
    if report.noticed * 100 < report.mistakes * Self.noticedOfHundred || !report.disproved.isEmpty {
      throw ExitCode.finding
    }
  }
}

/// What became of mutants: `netpol-lab/mutants/v1`.
private struct MutantReport: Encodable {
  struct Equivalent: Encodable {
    let mutant: String
    let because: String
  }

  struct Count: Encodable {
    var noticed = 0
    var mistakes = 0
  }

  let schema = "netpol-lab/mutants/v1"
  let worlds: Int
  /// Those that are no mistakes are not counted.
  private(set) var noticed = 0
  private(set) var mistakes = 0
  private(set) var unnoticed: [String] = []
  private(set) var equivalent: [Equivalent] = []
  /// Called equivalent, and noticed.
  private(set) var disproved: [Equivalent] = []
  private(set) var kinds: [String: Count] = [:]
  var seconds = 0.0

  init(worlds: Int) { self.worlds = worlds }

  var judged: Int { mistakes + equivalent.count + disproved.count }

  mutating func add(_ mutant: MutantHunt.Mutant, isNoticed: Bool) {
    if let because = mutant.equivalentBecause {
      let entry = Equivalent(mutant: "\(mutant)", because: because)
      if isNoticed { disproved.append(entry) } else { equivalent.append(entry) }
      return
    }
    mistakes += 1
    kinds[mutant.kind, default: Count()].mistakes += 1
    if isNoticed {
      noticed += 1
      kinds[mutant.kind]?.noticed += 1
    } else {
      unnoticed.append("\(mutant)")
    }
  }

  var text: String {
    let counts = kinds.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.noticed)/\($0.value.mistakes)" }
    var lines = equivalent.map { "equivalent: \($0.mutant): \($0.because)" }
    lines += disproved.map { "called equivalent, and noticed: \($0.mutant): \($0.because)" }
    lines += unnoticed.map { "unnoticed: \($0)" }
    lines.append(
      "\(noticed) of \(mistakes) mutants noticed in \(worlds) worlds, \(equivalent.count) more are equivalent; "
        + "\(Int(seconds.rounded())) s"
    )
    lines.append("by kind: \(counts.joined(separator: ", "))")
    return lines.joined(separator: "\n") + "\n"
  }

  /// UTF-8, one line; docs/fuzzing.md has the fields.
  func json() throws -> Data { try oneLine(self) }
}
