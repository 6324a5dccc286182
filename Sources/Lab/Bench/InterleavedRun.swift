internal import Glibc
internal import Kernel
internal import StandingLab
internal import Statistics

/// Measures groups of cells in rounds, from one thread that stays on one processor.
struct InterleavedRun {
  let worker: NamespaceWorker
  let rounds: Int
  /// Of the orders in which cells are measured.
  var seed: UInt64 = 1

  struct Result {
    let samples: PairedSamples
    let clock: BenchClock
    let isRealTime: Bool
  }

  /// NETPOL_LAB_REALTIME=off leaves the processor to others, for example when tests run in parallel. The figures mean
  /// nothing then.
  private static var mayBeRealTime: Bool { getenv("NETPOL_LAB_REALTIME").map { String(cString: $0) } != "off" }
  /// Runs before everything that doesn't request a higher priority. Only the sender's own time is counted either way,
  /// but fewer other processes touch its caches.
  private static let priority = 10
  /// If less than this share of the wall-clock time is accounted to the thread, softirqs are not accounted to it.
  private static let leastShare = 0.6

  /// With fewer rounds there is no interval.
  private static let leastRounds = 10

  /// Throws `Interrupted` if it is stopped too early.
  func run(
    _ groups: [[PacketCell]], progress: (BenchProgress) -> Void, stop: () -> Bool
  ) throws -> Result {
    let cells = groups.flatMap { $0 }
    return try worker.onThread {
      RealTimeScheduling.keep(toLastProcessor: true)
      let isRealTime = Self.mayBeRealTime && RealTimeScheduling.obstacle(to: Self.priority) == nil
      if isRealTime { try RealTimeScheduling.enter(priority: Self.priority) }
      defer { try? RealTimeScheduling.leave() }
      let clock = try Self.clock(cells)
      for cell in cells { try cell.calibrate(clock) }
      let values = try PairedRounds(groups: groups.map(\.count), rounds: rounds, seed: seed).run {
        try cells[$0].measure(clock)
      } progress: {
        progress(.measuring($0, of: rounds, in: $1))
        // Lets other processes run that wait for this processor.
        usleep(1000)
      } stop: {
        stop()
      }
      let samples = PairedSamples(values)
      if samples.rounds < min(Self.leastRounds, rounds) { throw Interrupted() }
      return Result(samples: samples, clock: clock, isRealTime: isRealTime)
    }
  }

  private static func clock(_ cells: [PacketCell]) throws -> BenchClock {
    guard let first = cells.first else { return .processor }
    // The best of several tries: others may take the processor in the meantime.
    let shares = try (0..<20).map { _ in
      let time = try ThreadTime.of { _ = try first.measure(.processor) }
      return Double(time.processor) / Double(max(time.wall, 1))
    }
    return (shares.max() ?? 1) < leastShare ? .wall : .processor
  }
}
