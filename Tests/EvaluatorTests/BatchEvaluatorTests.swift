// What this does not show: that real rules are evaluated with tables and not the slow way, which gives the same
// verdicts.
import Evaluator
import NetpolModel
import Testing

extension Evaluator {
  fileprivate func passes(_ packet: Packet) -> Bool {
    var packet = packet
    for hook in [Hook.prerouting, .forward, .postrouting] {
      let outcome = run(packet, at: hook)
      guard outcome.verdict == .accept else { return false }
      packet = outcome.packet
    }
    return true
  }
}

extension Slow {
  @Suite("Batches of the evaluator") struct BatchEvaluatorTests {
    @Test("with random rules the batch judges every packet between any two addresses like the evaluator")
    func randomRules() throws {
      var passed = 0
      var stopped = 0
      for seed in 1...UInt64(200) {
        let evaluator = try Evaluator(RandomRules(seed: seed).ruleset, localAddresses: [RandomRules.addresses[0]])
        var batch = try #require(BatchEvaluator(evaluator, addresses: RandomRules.addresses, mostEntries: 1 << 20))
        for (from, source) in RandomRules.addresses.enumerated() {
          for (to, destination) in RandomRules.addresses.enumerated() {
            for port in RandomRules.ports {
              for isBridged in [false, true] {
                let packet = Packet(
                  from: source, to: destination, .transport(.tcp, source: 40000, destination: port),
                  isBridged: isBridged)
                let expected = evaluator.passes(packet)
                let passage = batch.passage(from: from, to: to, .tcp, port, isBridged: isBridged)
                #expect((passage == .passed) == expected, "seed \(seed): \(packet)")
                if expected { passed += 1 } else { stopped += 1 }
              }
            }
          }
        }
      }
      #expect(passed > 5000 && stopped > 5000, "\(passed) passed, \(stopped) stopped")
    }
  }
}
