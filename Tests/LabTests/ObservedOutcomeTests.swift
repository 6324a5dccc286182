// What this does not show: which observation a probe makes; KernelTests do.
import Evaluator
import Kernel
import NetpolModel
import RuleIR
import Testing

@testable import Lab

@Suite struct ObservedOutcomeTests {
  @Test(
    "an observation has one word, whichever report tells of it",
    arguments: [
      (.delivered, true, nil, .delivered), (.delivered, false, nil, .delivered),
      (.refused(.icmp(type: 3, code: 3)), true, .reject(.portUnreachable), .rejected),
      (.refused(.reset), false, nil, .rejected), (.refused(.local), true, .drop, .dropped),
      (.refused(.local), true, .reject(.portUnreachable), .rejected),
      (.silent(after: .seconds(1)), true, .drop, .dropped),
      (.silent(after: .seconds(1)), false, nil, .noRoute), (.unusable("x"), true, nil, .undecided),
      (.unusable("x"), false, nil, .noRoute), (nil, true, nil, .undecided), (nil, false, nil, .noRoute),
    ] as [(Observation?, Bool, Outcome.Verdict?, PacketOutcome)])
  func words(observation: Observation?, hasRoute: Bool, stop: Outcome.Verdict?, outcome: PacketOutcome) {
    #expect(PacketOutcome(observation, hasRoute: hasRoute, stop: stop) == outcome)
  }
}
