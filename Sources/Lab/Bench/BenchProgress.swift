/// A step of a bench, for whoever waits for it.
public struct BenchProgress: Hashable, Sendable {
  public enum Step: Hashable, Sendable {
    case building(Int, of: Int)
    case checking
    case measuring(round: Int, of: Int)
  }

  public var step: Step
  /// Which of the batches that are measured one after the other, from 1.
  public var batch = 1
  public var batches = 1
  /// Until everything is measured; nil: nobody knows.
  public var left: Duration?

  init(_ step: Step, left: Duration? = nil) {
    self.step = step
    self.left = left
  }

  /// What is left of rounds of which some are done.
  static func measuring(_ done: Int, of rounds: Int, in elapsed: Duration) -> BenchProgress {
    BenchProgress(.measuring(round: done, of: rounds), left: elapsed / done * (rounds - done))
  }
}
