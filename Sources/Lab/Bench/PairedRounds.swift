internal import Statistics

/// Rounds in which every cell is measured once. Cells that are compared are a group and stand together, in an order that is drawn
/// anew for each round: what came just before has filled the caches, with what helps some and not others, and what is
/// compared must have the same chances. Groups come forwards and backwards by turns.
struct PairedRounds {
  /// How many cells each has; the cells of a group are numbered one after the other.
  let groups: [Int]
  let rounds: Int

  /// By cell, then by round. `progress` is told after each round how many are done and how long they took, and `stop` is
  /// asked before each.
  func run(
    _ measure: (_ cell: Int) throws -> Double, progress: (_ done: Int, _ elapsed: Duration) -> Void = { _, _ in },
    stop: () -> Bool = { false }
  ) rethrows -> [[Double]] {
    var values = [[Double]](repeating: [], count: groups.reduce(0, +))
    let clock = ContinuousClock()
    let begin = clock.now
    var random = SplitMix64(seed: 1)
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
