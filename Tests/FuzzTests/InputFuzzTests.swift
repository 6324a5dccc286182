// Not covered: traps, which end the tests, and what a lab does with an accepted text.
import Foundation
import Fuzz
import TestSupport
import Testing

extension Slow {
  @Suite("Readers of hostile text") struct InputFuzzTests {
    @Test("accept it, or refuse it with one line that has its place, and never trap or hang")
    func readers() throws {
      let folder = repository.appendingPathComponent("Tests/Fixtures/nft-json")
      let listings = try ["mixed.json", "dual-stack-ipblock-except.json"].map {
        try String(contentsOf: folder.appendingPathComponent($0), encoding: .utf8)
      }
      var fuzz = try InputFuzz(seed: 1, listings: listings)
      for number in 0..<20_000 { fuzz.run(UInt64(number)) }
      #expect(fuzz.findings.isEmpty, "\(fuzz.findings.prefix(5).map { "\($0.number) \($0.form): \($0.problem)" })")
      #expect(fuzz.accepted > 1_000 && fuzz.refused > 5_000, "\(fuzz.accepted) accepted, \(fuzz.refused) refused")
    }

    @Test("a case can be repeated")
    func repeatable() throws {
      let (one, other) = (try InputFuzz(seed: 7), try InputFuzz(seed: 7))
      for number: UInt64 in 0..<50 { #expect(one.text(of: number).text == other.text(of: number).text) }
    }
  }
}
