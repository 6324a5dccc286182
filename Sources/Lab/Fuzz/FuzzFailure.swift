internal import EngineComparison
internal import Lowering
internal import NetpolModel

/// A problem that a random world shows.
public struct FuzzFailure: Hashable, Sendable {
  /// The kind of problem. Shrinking preserves it.
  public enum Kind: String, Hashable, Sendable {
    /// The world's manifest can't be read.
    case unreadable
    /// The rules are ill-formed, or the kernel refuses them.
    case refused
    case kernelDisagrees
    case unexplained
    case deviationMissing
    case undecided
    /// The deviation model without any deviation differs from the oracle.
    case readingDiffers
    /// Of all packets, some is treated in a way that no deviation predicts.
    case notProved
    /// A packet has another fate than its class.
    case classDiffers
    /// The kernel's own trace names other rules than the evaluator.
    case traceDiffers
    /// Changes do not turn one ruleset into the other, or the kernel does not have the result that they should give.
    case changedOtherwise
  }

  public let kind: Kind
  public let style: String
  /// One line.
  public let text: String

  init(_ kind: Kind, _ style: String, _ text: String) {
    self.kind = kind
    self.style = style
    self.text = text
  }

  /// `nil` if the comparison is as it should be.
  init?(_ comparison: Comparison, _ style: String) {
    let kind: Kind
    var remark = ""
    switch comparison.finding {
    case .agreement, .deviation, .noRoute, .notChosen, .notModelled: return nil
    case .kernelDisagrees: kind = .kernelDisagrees
    case .unexplained: kind = .unexplained
    case .deviationMissing(let numbers):
      kind = .deviationMissing
      remark = ", \(numbers.map(\.id).joined(separator: " ")) predicted"
    case .undecided(let why):
      kind = .undecided
      remark = ", \(why)"
    }
    let verdict = { (verdict: Verdict?) in verdict?.rawValue ?? "nothing" }
    self.init(
      kind, style,
      "\(kind.rawValue): \(comparison.flow): oracle \(verdict(comparison.specified?.verdict)), evaluator "
        + "\(verdict(comparison.evaluated)), kernel \(verdict(comparison.observed))\(remark)")
  }
}
