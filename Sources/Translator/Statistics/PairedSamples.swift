/// Measurements of several cells, one value per cell in every round. Only values of the same round are compared,
/// because a disturbance of the machine affects all cells of a round.
///
/// Intervals come from a bootstrap that draws rounds in runs of eight neighbours, because a busy machine spoils
/// neighbouring rounds together and because the measuring order is reversed every round.
public struct PairedSamples: Sendable {
  /// Indexed by cell, then by round.
  public let values: [[Double]]
  private let draws: [[Int]]
  public var rounds: Int { values.first?.count ?? 0 }

  private static let runLength = 8

  /// Each cell needs a value for every round. The same seed gives the same intervals.
  public init(_ values: [[Double]], draws: Int = 400, seed: UInt64 = 1) {
    self.values = values
    let rounds = values.first?.count ?? 0
    var random = SplitMix64(seed: seed)
    self.draws = (0..<draws).map { _ in
      var drawn: [Int] = []
      while drawn.count < rounds {
        let start = random.below(rounds)
        drawn += (0..<min(Self.runLength, rounds - drawn.count)).map { (start + $0) % rounds }
      }
      return drawn
    }
  }

  public func median(_ cell: Int) -> Estimate { estimate { middle(of: values[cell], $0) } }

  /// The median of the per-round differences.
  public func difference(_ cell: Int, over base: Int) -> Estimate {
    let differences = differences(cell, base)
    return estimate { middle(of: differences, $0) }
  }

  /// The ratio of one cell's cost over its base to another cell's cost over its base. `nil` if the other cell's cost is
  /// not clearly above zero.
  public func ratio(_ cell: Int, over base: Int, to other: Int, over otherBase: Int) -> Estimate? {
    let above = differences(cell, base)
    let below = differences(other, otherBase)
    guard difference(other, over: otherBase).lower > 0 else { return nil }
    return estimate { middle(of: above, $0) / middle(of: below, $0) }
  }

  private func differences(_ cell: Int, _ base: Int) -> [Double] { zip(values[cell], values[base]).map { $0 - $1 } }

  private func estimate(_ statistic: ([Int]?) -> Double) -> Estimate {
    let drawn = Distribution(draws.map { statistic($0) })
    let value = statistic(nil)
    return Estimate(value, drawn.quantile(0.025) ?? value, drawn.quantile(0.975) ?? value)
  }

  private func middle(of values: [Double], _ rounds: [Int]?) -> Double {
    let sorted = (rounds.map { $0.map { values[$0] } } ?? values).sorted()
    if sorted.isEmpty { return 0 }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }
}
