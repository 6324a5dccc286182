internal import Lowering

/// What a sweep will do, and an estimate of how long it will take.
///
/// A cell takes about 1.2 ms per round (`PacketCell`). How long the rules of many pods take to load and to pass is a
/// rough estimate, and rather too high.
public struct SweepPlan: Sendable {
  public let worlds: Int
  public let rounds: Int
  /// Estimated time of each batch.
  public let batches: [Duration]

  public init(_ sweep: PacketSweep) {
    worlds = sweep.points.count
    rounds = sweep.rounds
    batches = sweep.batches.map { points in
      .seconds(points.map { Self.nanoseconds($0, sweep) }.reduce(0, +) / 1e9)
    }
  }

  public var total: Duration { batches.reduce(.zero, +) }

  /// Estimated time of the batches after the current one, corrected by how long the finished ones took.
  func left(behind finished: [Duration]) -> Duration {
    let planned = batches.prefix(finished.count).reduce(.zero, +)
    let rest = batches.dropFirst(finished.count + 1).reduce(.zero, +)
    return planned > .zero ? rest * (finished.reduce(.zero, +) / planned) : rest
  }

  /// Nanoseconds of a packet without rules.
  private static let packet = 1500.0
  /// Nanoseconds to make a path's namespaces, and until its links are up.
  private static let path = 60e6
  /// Nanoseconds to make a pod's rules and to load them.
  private static let rulesOfPod = 2e6
  /// Nanoseconds to compute the medians and intervals of a cell.
  private static let statistics = 30e6

  private static func nanoseconds(_ point: PacketSweep.Point, _ sweep: PacketSweep) -> Double {
    let slopes = [0, 0] + sweep.styles.map(\.costPerPod)
    let pods = Double(point.world.pods)
    let building = Double(slopes.count) * path + Double(sweep.styles.count) * pods * rulesOfPod
    let cells = point.probes.flatMap { probe in
      slopes.map { slope in
        let isSpread = probe.target == .spread
        let cost = packet + slope * (isSpread ? pods / 2 : probe.target == .firstPod ? 0 : pods)
        // Three packets each way to establish, one to check.
        let before = (isSpread ? pods : 1) * (probe.phase == .established ? 7 : 1) * cost
        return before + statistics + Double(sweep.rounds) * PacketCell.roundTime(costing: cost)
      }
    }
    return building + cells.reduce(0, +)
  }
}
