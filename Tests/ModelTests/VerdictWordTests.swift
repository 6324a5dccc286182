// Not covered: whether every report uses these words.
import NetpolModel
import Testing

@Suite struct VerdictWordTests {
  @Test func aVerdictHasTheSameWordInTextAndJSON() {
    #expect(Verdict.allCases.map(\.rawValue) == ["allowed", "denied"])
  }

  @Test func onlyNoRouteHasASeparateTextForPeople() {
    #expect(PacketOutcome.allCases.map(\.rawValue) == ["delivered", "rejected", "dropped", "noRoute", "undecided"])
    #expect(PacketOutcome.allCases.filter { $0.text != $0.rawValue }.map(\.text) == ["no route"])
  }

  @Test func mechanismsUseTheWordsOfOutcomes() {
    for mechanism in ExpectedFlow.Mechanism.allCases { #expect(mechanism.rawValue == mechanism.outcome.rawValue) }
  }
}
