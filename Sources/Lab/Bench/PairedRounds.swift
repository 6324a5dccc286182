/// Rounds in which every cell is measured once, forwards and backwards by turns. `stop` is asked before each.
struct PairedRounds {
  let cells: Int
  let rounds: Int

  /// By cell, then by round. `progress` is told after each round how many are done and how long they took.
  func run(
    _ measure: (_ cell: Int) throws -> Double, progress: (_ done: Int, _ elapsed: Duration) -> Void = { _, _ in },
    stop: () -> Bool = { false }
  ) rethrows -> [[Double]] {
    var values = [[Double]](repeating: [], count: cells)
    let clock = ContinuousClock()
    let begin = clock.now
    for round in 0..<rounds {
      if stop() { break }
      for place in 0..<cells {
        let cell = round.isMultiple(of: 2) ? place : cells - 1 - place
        values[cell].append(try measure(cell))
      }
      progress(round + 1, clock.now - begin)
    }
    return values
  }
}
