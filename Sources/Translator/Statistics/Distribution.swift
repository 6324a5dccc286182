internal import Glibc

/// Measured values of one kind, in nanoseconds, and what can be said of the source they came from.
public struct Distribution: Hashable, Sendable {
  /// In ascending order.
  public let values: [Double]

  public init(_ values: [Double]) { self.values = values.sorted() }

  public var count: Int { values.count }
  public var isEmpty: Bool { values.isEmpty }

  /// The smallest value that at least the share `q` of all are not above; nil without values.
  public func quantile(_ q: Double) -> Double? {
    guard !values.isEmpty else { return nil }
    return values[min(max(Int((q * Double(count)).rounded(.up)) - 1, 0), count - 1)]
  }

  public var median: Double? { quantile(0.5) }
  public var largest: Double? { values.last }

  /// A quantile's confidence interval by order statistics, which asks nothing of the distribution. An end is nil where
  /// the sample is too small to have one: beyond its smallest or largest value nothing is known.
  public func interval(_ q: Double, confidence: Double = 0.95) -> (lower: Double?, upper: Double?) {
    let tail = (1 - confidence) / 2
    // P(at most k of n values are below the quantile) is the binomial distribution's.
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
    let n = Double(count)
    let successes = Double(k)
    return exp(
      lgamma(n + 1) - lgamma(successes + 1) - lgamma(n - successes + 1) + successes * log(q)
        + (n - successes) * log1p(-q))
  }

  /// How sure it is that the largest of these values is not below the quantile: 1 - q^n.
  public func confidenceThatLargestCovers(_ q: Double) -> Double { 1 - pow(q, Double(count)) }

  /// How many values it takes for the largest to cover the quantile with this confidence.
  public static func sampleSize(toCover q: Double, confidence: Double = 0.95) -> Int {
    Int((log(1 - confidence) / log(q)).rounded(.up))
  }
}
