internal import Kernel
internal import NetpolModel
internal import Statistics

/// Rounds of syncs of one world: each loads everything once in every way, and then adds an endpoint a few times. The order is
/// reversed every round, so that other load on the machine affects all ways alike.
struct ProxySyncRounds {
  private let syncs: [ProxySync]
  private var times: [(full: [Double], change: [Double])]
  /// Number of counted rounds.
  private(set) var rounds = 0

  /// Changes of each way in one round. Their median is one value, because they are alike.
  private static let changes = 3

  init(_ world: ServiceWorld, on worker: NamespaceWorker) throws {
    syncs = try ProxySync.all(world, on: worker)
    times = syncs.map { _ in ([], []) }
  }

  /// The first round is not counted, because a new namespace has to make its tables.
  mutating func run(rounds: Int, progress: (BenchProgress) -> Void, stop: () -> Bool) throws {
    for round in 0...rounds {
      progress(BenchProgress(.syncing(round: round, of: rounds)))
      var measured: [(index: Int, full: Double, change: Double)] = []
      for index in round.isMultiple(of: 2) ? Array(syncs.indices) : syncs.indices.reversed() {
        if stop() { return }
        let sync = syncs[index]
        if round > 0 || sync.mode == .iptables { try sync.reset() }
        let full = try time(sync.full)
        let change = Distribution(
          try (0..<Self.changes).map { _ in
            let grown = try time(sync.grow)
            try sync.shrink()
            return grown
          })
        measured.append((index, full, change.median ?? 0))
      }
      if round == 0 { continue }
      for (index, full, change) in measured {
        times[index].full.append(full)
        times[index].change.append(change)
      }
      self.rounds += 1
    }
  }

  private func time(_ sync: () throws -> Void) rethrows -> Double {
    let begin = MonotonicClock.now
    try sync()
    return Double(MonotonicClock.now - begin)
  }

  var rows: [ServiceBenchReport.Sync] {
    if rounds == 0 { return [] }
    return zip(syncs, times).map { sync, times in
      .init(
        world: sync.world, rules: sync.mode.keyword, way: sync.way, objects: sync.objects,
        full: Distribution(times.full), change: Distribution(times.change), fullBytes: sync.fullBytes,
        changeBytes: sync.changeBytes)
    }
  }
}
