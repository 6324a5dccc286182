/// Who is the cheapest, if anybody can be called so.
public enum Standing: Hashable, Sendable {
  case cheapest(String)
  /// Those whose intervals, widened by the resolution, can't be told from the lowest one's.
  case undecided([String])

  /// `resolution` in the unit of the costs: what two equal things may differ by. Nil of less than two candidates.
  public init?(_ costs: [(name: String, cost: Estimate)], resolution: Double) {
    guard costs.count > 1, let lowest = costs.min(by: { $0.cost.value < $1.cost.value }) else { return nil }
    var reach = lowest.cost
    reach.upper += resolution
    let near = costs.filter { $0.cost.overlaps(reach) }.map(\.name)
    self = near.count == 1 ? .cheapest(lowest.name) : .undecided(near)
  }
}
