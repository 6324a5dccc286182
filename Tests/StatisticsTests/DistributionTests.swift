import Statistics
import Testing

@Suite("Distribution of a sample") struct DistributionTests {
  @Test(
    "a quantile is the smallest value that is at least as large as its share of the values",
    arguments: [(0.5, 50.0), (0.9, 90), (0.99, 99), (0.999, 100), (1, 100), (0, 1)])
  func quantiles(_ q: Double, _ expected: Double) {
    #expect(Distribution((1...100).map(Double.init).shuffled()).quantile(q) == expected)
    #expect(Distribution([]).quantile(q) == nil)
  }

  @Test(
    "a confidence interval comes from order statistics, and is open if the sample is too small",
    arguments: [
      // Ranks from tables of the binomial distribution. The coverage is 95.9, 96.5, 98.4 and 97.0 %.
      (20, 0.5, 6.0, 15.0), (100, 0.5, 40, 61), (200, 0.99, 195, nil as Double?), (50, 0.9, 41, 50),
      (10, 0.99, 9, nil), (3, 0.5, nil, nil),
    ] as [(Int, Double, Double?, Double?)])
  func intervals(_ count: Int, _ q: Double, _ lower: Double?, _ upper: Double?) {
    let interval = Distribution((1...count).map(Double.init)).interval(q)
    #expect(interval.lower == lower, "\(interval)")
    #expect(interval.upper == upper, "\(interval)")
  }

  @Test("an interval covers the true median about as often as stated") func coverage() {
    var random = SplitMix64(seed: 1)
    let hits = (0..<1000).count { _ in
      let sample = Distribution((0..<30).map { _ in Double.random(in: 0...1, using: &random) })
      let interval = sample.interval(0.5)
      return (interval.lower ?? 0) <= 0.5 && 0.5 <= (interval.upper ?? 1)
    }
    #expect((930...990).contains(hits), "\(hits)")
  }

  @Test("the largest of 2,995 values covers the p99.9 with 95 % confidence") func sampleSize() {
    #expect(Distribution.sampleSize(toCover: 0.999) == 2995)
    let sure = Distribution([Double](repeating: 1, count: 2995)).confidenceThatLargestCovers(0.999)
    #expect(sure >= 0.95 && sure < 0.9501)
  }
}
