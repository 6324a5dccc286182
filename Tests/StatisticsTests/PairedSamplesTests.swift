import Statistics
import Testing

@Suite("Paired samples") struct PairedSamplesTests {
  /// Noise shared by all cells of a round, plus a little noise of each cell's own.
  private static func noisy(_ costs: [Double], rounds: Int = 300, own: Double = 20, seed: UInt64 = 7) -> PairedSamples {
    var random = SplitMix64(seed: seed)
    let shared = (0..<rounds).map { $0 / 40 % 2 == 0 ? 1000 : 1600.0 + Double.random(in: 0..<300, using: &random) }
    return PairedSamples(
      costs.map { cost in shared.map { $0 + cost + Double.random(in: -own...own, using: &random) } })
  }

  @Test("differences are paired, so noise that affects a whole round cancels out") func paired() {
    let samples = Self.noisy([0, 250])
    let difference = samples.difference(1, over: 0)
    #expect(abs(difference.value - 250) < 5 && difference.lower < 250 && 250 < difference.upper)
    #expect(difference.upper - difference.lower < 15)
    let median = samples.median(1)
    #expect(median.upper - median.lower > 100, "the plain median contains the noise: \(median)")
  }

  @Test("the same thing measured twice does not differ despite noise", arguments: 1...20) func twice(_ seed: UInt64) {
    let difference = Self.noisy([0, 0], seed: seed).difference(1, over: 0)
    #expect(abs(difference.value) < 5, "\(difference)")
    #expect(difference.lower <= 3 && difference.upper >= -3)
  }

  @Test("a ratio compares costs over their bases, and is nil if the other cost is zero") func ratios() throws {
    let samples = Self.noisy([0, 100, 1000, 0], own: 2)
    let ratio = try #require(samples.ratio(2, over: 0, to: 1, over: 0))
    #expect(abs(ratio.value - 10) < 0.5 && ratio.lower <= 10.2 && ratio.upper >= 9.8)
    #expect(samples.ratio(2, over: 0, to: 3, over: 0) == nil)
  }

  @Test("the same values and seed give the same intervals") func reproducible() {
    #expect(Self.noisy([0, 9]).difference(1, over: 0) == Self.noisy([0, 9]).difference(1, over: 0))
  }

  @Test(
    "names a winner only if its interval, widened by the resolution, is below all others",
    arguments: [
      ([10.0, 20, 30], 2.0, Standing.cheapest("a")), ([10, 12, 30], 2, .undecided(["a", "b"])),
      ([10, 16, 30], 5, .undecided(["a", "b"])), ([30, 20, 10], 2, .cheapest("c")),
      ([10, 10, 10], 0, .undecided(["a", "b", "c"])),
    ])
  func standings(_ values: [Double], _ resolution: Double, _ expected: Standing) {
    let costs = zip(["a", "b", "c"], values).map { ($0, Estimate($1, $1 - 1, $1 + 1)) }
    #expect(Standing(costs, resolution: resolution) == expected)
    #expect(Standing(Array(costs.prefix(1)), resolution: resolution) == nil)
  }
}
