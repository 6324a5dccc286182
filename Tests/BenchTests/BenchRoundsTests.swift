import Lowering
import NetpolModel
import Statistics
import Testing
import Worlds

@testable import Bench

@Suite("Bench: rounds and noise") struct BenchRoundsTests {
  @Test("rounds end when they are stopped, and all measured rounds are complete") func stopped() {
    var rounds = 0
    let values = PairedRounds(groups: [2], rounds: 5).run { _ in
      1
    } progress: { done, _ in
      rounds = done
    } stop: {
      rounds == 3
    }
    #expect(values == [[1, 1, 1], [1, 1, 1]])
  }

  @Test("a round measures every cell once, groups forwards and backwards in turn, and each group in random order")
  func order() {
    var seen: [Int] = []
    let values = PairedRounds(groups: [3, 2], rounds: 100).run { cell in
      seen.append(cell)
      return Double(seen.count)
    }
    let rounds = stride(from: 0, to: seen.count, by: 5).map { Array(seen[$0..<$0 + 5]) }
    #expect(rounds.count == 100 && rounds.allSatisfy { $0.sorted() == [0, 1, 2, 3, 4] })
    for (round, order) in rounds.enumerated() {
      let (first, second) =
        round.isMultiple(of: 2) ? (order.prefix(3), order.suffix(2)) : (order.suffix(3), order.prefix(2))
      #expect(first.allSatisfy { $0 < 3 } && second.allSatisfy { $0 >= 3 }, "round \(round): \(order)")
      for (place, cell) in order.enumerated() { #expect(values[cell][round] == Double(5 * round + place + 1)) }
    }
    let orders = Set(rounds.map { $0.filter { $0 < 3 } })
    #expect(orders.count == 6, "each order of three comes up: who is behind whom is chance")
  }

  @Test(
    "a machine is too noisy if equal cases differ, or if their difference is not known well enough",
    arguments: [(1.0, -2.0, 4.0, false), (8, 6, 10, true), (1, -30, 30, true)])
  func noise(_ value: Double, _ lower: Double, _ upper: Double, _ isNoisy: Bool) {
    let probe = BenchProbe(.established, .lastPod)
    let pair = PacketBenchReport.Resolution(
      batch: 0, .sameNamespace, probe, "compiled", Estimate(value, lower, upper), base: 1000)
    #expect((tooNoisy([pair]) != nil) == isNoisy)
    var other = pair
    other.pair = .otherNamespace
    #expect(tooNoisy([other]) == nil, "another namespace's layout is no noise")
  }
}
