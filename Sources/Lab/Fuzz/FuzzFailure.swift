internal import EngineComparison
internal import Lowering
internal import NetpolModel

/// Something that a random world brought to light.
public struct FuzzFailure: Hashable, Sendable {
  /// What shrinking preserves.
  public enum Kind: String, Hashable, Sendable {
    /// The reader does not take the world's manifest.
    case unreadable
    /// The rules are ill-formed, or the kernel refuses them.
    case refused
    case kernelDisagrees
    case unexplained
    case deviationMissing
    case undecided
    /// The reading of the objects without any deviation is not what the oracle says.
    case readingDiffers
    /// Changes do not make one ruleset the other, or the kernel does not hold what they should have made.
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

  /// Nil where the comparison is as it should be.
  init?(_ comparison: Comparison, _ style: String) {
    let kind: Kind
    var remark = ""
    switch comparison.finding {
    case .agreement, .deviation, .noRoute: return nil
    case .kernelDisagrees: kind = .kernelDisagrees
    case .unexplained: kind = .unexplained
    case .deviationMissing(let numbers):
      kind = .deviationMissing
      remark = ", \(numbers.map(\.id).joined(separator: " ")) foretold"
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
