internal import Statistics

/// Rounds that measure every cell once. Cells that are compared form a group and are measured next to each other, in a
/// new random order each round: the cell before has filled the caches, which helps some cells and not others, so cells
/// that are compared must have the same chances. Groups run forwards and backwards by turns.
struct PairedRounds {
  /// Number of cells of each group. Cells are numbered group by group.
  let groups: [Int]
  let rounds: Int
  /// Of the orders.
  var seed: UInt64 = 1

  /// Returns values by cell, then by round. Calls `progress` after each round with the number of finished rounds and
  /// the time they took. Calls `stop` before each round.
  func run(
    _ measure: (_ cell: Int) throws -> Double, progress: (_ done: Int, _ elapsed: Duration) -> Void = { _, _ in },
    stop: () -> Bool = { false }
  ) rethrows -> [[Double]] {
    var values = [[Double]](repeating: [], count: groups.reduce(0, +))
    let clock = ContinuousClock()
    let begin = clock.now
    var random = SplitMix64(seed: seed)
    for round in 0..<rounds {
      if stop() { break }
      for cell in order(ofRound: round, &random) { values[cell].append(try measure(cell)) }
      progress(round + 1, clock.now - begin)
    }
    return values
  }

  private func order(ofRound round: Int, _ random: inout SplitMix64) -> [Int] {
    var start = 0
    var drawn: [[Int]] = []
    for count in groups {
      var cells = Array(start..<start + count)
      for place in cells.indices.reversed() { cells.swapAt(place, random.below(place + 1)) }
      drawn.append(cells)
      start += count
    }
    return (round.isMultiple(of: 2) ? drawn : drawn.reversed()).flatMap { $0 }
  }
}
