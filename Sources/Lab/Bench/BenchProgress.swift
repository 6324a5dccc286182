/// A step of a bench, for progress output.
public struct BenchProgress: Hashable, Sendable {
  public enum Step: Hashable, Sendable {
    case building(Int, of: Int)
    case checking
    case measuring(round: Int, of: Int)
    /// Loading and changing all rules. Round 0 is not counted.
    case syncing(round: Int, of: Int)
  }

  public var step: Step
  /// The number of the current batch, from 1. Batches are measured one after the other.
  public var batch = 1
  public var batches = 1
  /// Time until everything is measured. `nil` if unknown.
  public var left: Duration?

  init(_ step: Step, left: Duration? = nil) {
    self.step = step
    self.left = left
  }

  /// A step with the time left, extrapolated from the finished rounds.
  static func measuring(_ done: Int, of rounds: Int, in elapsed: Duration) -> BenchProgress {
    BenchProgress(.measuring(round: done, of: rounds), left: elapsed / done * (rounds - done))
  }
}
