/// Which candidate is the cheapest, if one clearly is.
public enum Standing: Hashable, Sendable {
  case cheapest(String)
  /// The candidates whose intervals overlap the lowest one's, widened by the resolution.
  case undecided([String])

  /// `resolution`, in the unit of the costs, is the difference that equal candidates may show. `nil` for fewer than two
  /// candidates.
  public init?(_ costs: [(name: String, cost: Estimate)], resolution: Double) {
    guard costs.count > 1, let lowest = costs.min(by: { $0.cost.value < $1.cost.value }) else { return nil }
    var reach = lowest.cost
    reach.upper += resolution
    let near = costs.filter { $0.cost.overlaps(reach) }.map(\.name)
    self = near.count == 1 ? .cheapest(lowest.name) : .undecided(near)
  }
}
