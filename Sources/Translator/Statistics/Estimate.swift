/// A value with its 95 % confidence interval.
public struct Estimate: Hashable, Sendable {
  public var value, lower, upper: Double

  public init(_ value: Double, _ lower: Double, _ upper: Double) {
    self.value = value
    self.lower = lower
    self.upper = upper
  }

  public func overlaps(_ other: Estimate) -> Bool { lower <= other.upper && other.lower <= upper }
}

extension Estimate {
  public static func / (estimate: Estimate, divisor: Double) -> Estimate {
    Estimate(estimate.value / divisor, estimate.lower / divisor, estimate.upper / divisor)
  }
}
