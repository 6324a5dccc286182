internal import Glibc

/// A sample of measured values in nanoseconds, and estimates for the population it comes from.
public struct Distribution: Hashable, Sendable {
  /// In ascending order.
  public let values: [Double]

  public init(_ values: [Double]) { self.values = values.sorted() }

  public var count: Int { values.count }
  public var isEmpty: Bool { values.isEmpty }

  /// The smallest value that is at least as large as the share `q` of all values. `nil` without values.
  public func quantile(_ q: Double) -> Double? {
    guard !values.isEmpty else { return nil }
    return values[min(max(Int((q * Double(count)).rounded(.up)) - 1, 0), count - 1)]
  }

  public var median: Double? { quantile(0.5) }
  public var largest: Double? { values.last }

  /// A confidence interval for a quantile by order statistics, which needs no assumption about the distribution. A
  /// bound is `nil` if the sample is too small: nothing is known beyond its smallest and largest value.
  public func interval(_ q: Double, confidence: Double = 0.95) -> (lower: Double?, upper: Double?) {
    let tail = (1 - confidence) / 2
    // P(at most k of n values are below the quantile) follows the binomial distribution.
    var below = 0.0
    var lower: Int?
    var upper: Int?
    for k in 0...count {
      let before = below
      below += binomial(k, q)
      if before <= tail, below > tail { lower = k - 1 }
      if before < 1 - tail, below >= 1 - tail - 1e-12 { upper = k }
    }
    let at = { (index: Int?) -> Double? in
      index.flatMap { $0 >= 0 && $0 < values.count ? values[$0] : nil }
    }
    return (at(lower), at(upper))
  }

  private func binomial(_ k: Int, _ q: Double) -> Double {
    let successes = Double(k)
    let failures = Double(count - k)
    let logOfChoices: Double = lgamma(successes + failures + 1) - lgamma(successes + 1) - lgamma(failures + 1)
    let logOfChance: Double = successes * log(q) + failures * log1p(-q)
    return exp(logOfChoices + logOfChance)
  }

  /// The confidence that the largest value is not below the quantile: 1 - q^n.
  public func confidenceThatLargestCovers(_ q: Double) -> Double { 1 - pow(q, Double(count)) }

  /// The sample size at which the largest value covers the quantile with this confidence.
  public static func sampleSize(toCover q: Double, confidence: Double = 0.95) -> Int {
    Int((log(1 - confidence) / log(q)).rounded(.up))
  }
}
