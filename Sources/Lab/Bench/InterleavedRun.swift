internal import Glibc
internal import Kernel
internal import StandingLab
internal import Statistics

/// Measures groups of cells in rounds, from one thread that stays on one processor.
struct InterleavedRun {
  let worker: NamespaceWorker
  let rounds: Int

  struct Result {
    let samples: PairedSamples
    let clock: BenchClock
    let isRealTime: Bool
  }

  /// NETPOL_LAB_REALTIME=off leaves the processor to others, as where tests run beside each other: nothing is measured
  /// then.
  private static var mayBeRealTime: Bool { getenv("NETPOL_LAB_REALTIME").map { String(cString: $0) } != "off" }
  /// Above everything that does not ask for more; the sender's time is its own either way, but fewer others touch its
  /// caches.
  private static let priority = 10
  /// Less of the time on the wall than this is on the thread's account: then softirqs are not.
  private static let leastShare = 0.6

  /// Of fewer rounds no interval can be told.
  private static let leastRounds = 10

  /// Throws `Interrupted` where it is stopped too early.
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
      let values = try PairedRounds(groups: groups.map(\.count), rounds: rounds).run {
        try cells[$0].measure(clock)
      } progress: {
        progress(.measuring($0, of: rounds, in: $1))
        // Whoever waited for this processor has had to.
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
    // The best of several: others may have taken the processor meanwhile.
    let shares = try (0..<20).map { _ in
      let time = try ThreadTime.of { _ = try first.measure(.processor) }
      return Double(time.processor) / Double(max(time.wall, 1))
    }
    return (shares.max() ?? 1) < leastShare ? .wall : .processor
  }
}
