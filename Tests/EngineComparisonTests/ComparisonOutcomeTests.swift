// What this does not show: which observation a probe makes. KernelTests show it.
import Enforcement
import EngineComparison
import NetpolModel
import Path
import Testing

@Suite struct ComparisonOutcomeTests {
  @Test(
    "every observation has one outcome, the same in every report",
    arguments: [
      (.delivered, true, nil, .delivered), (.delivered, false, nil, .delivered),
      (.refused(.icmp(type: 3, code: 3)), true, .portUnreachable, .rejected),
      (.refused(.reset), false, nil, .rejected), (.refused(.local), true, .dropped, .dropped),
      (.refused(.local), true, .portUnreachable, .rejected), (.silent(after: .seconds(1)), true, .dropped, .dropped),
      (.silent(after: .seconds(1)), false, nil, .noRoute), (.unusable("x"), true, nil, .undecided),
      (.unusable("x"), false, nil, .noRoute), (nil, true, nil, .undecided), (nil, false, nil, .noRoute),
    ] as [(Observation?, Bool, Journey.Stop?, PacketOutcome)])
  func words(observation: Observation?, hasRoute: Bool, stop: Journey.Stop?, outcome: PacketOutcome) {
    let node = Endpoint.node("node1")
    let address = IPAddress(v4: 0xc0a8_140b)
    let end: Walk.End =
      hasRoute
      ? stop == nil ? .delivered(to: node) : .stopped(at: Position(node: "node1", hook: .input)) : .noRoute(.loop)
    let comparison = Comparison(
      flow: Flow(from: node, address, to: node, address, .tcp, 80), specified: nil,
      journey: Journey(hops: [], end: end, stop: stop, steps: [], deciding: []), observation: observation,
      finding: .agreement)
    #expect(comparison.outcome == outcome)
  }
}
