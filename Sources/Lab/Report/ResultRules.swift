internal import Documents
internal import EngineComparison
internal import Lowering
internal import NetpolModel

extension Document.Result.Rule {
  init(_ deviation: Deviation) { self.init(deviation.id, deviation.summary, page: Self.deviationPage) }
  static let deviationPage = "docs/deviations.md"

  /// Nothing was found.
  static let asExpected = Self("as-expected", "Everything is as it should be")
  static let unexplained = Self(
    "unexplained", "The rules differ from the specification, and no known deviation explains it",
    page: deviationPage)
  static let deviationMissing = Self(
    "deviation-missing", "A known deviation is predicted, but the rules don't deviate", page: deviationPage)
  static let kernelDisagrees = Self(
    "kernel-disagrees", "The kernel does not do what the evaluator computes from the rules", page: "docs/run.md")
  static let traceDiffers = Self(
    "trace-differs", "The kernel's packet meets other rules than the evaluator's", page: "docs/explain.md")
  static let expectation = Self(
    "expectation", "Packets don't do what an Expectations document says", page: "docs/expectations.md")
  static let mixedAnswer = Self(
    "mixed-answer", "Some endpoints of a Service accept a client, and others refuse it", page: "docs/run.md")
  static let styleWarning = Self(
    "style-warning", "The enforcer does something with an object that its author may not expect",
    page: "docs/styles.md")
  static let inputWarning = Self(
    "input-warning", "The input may not mean what its author thinks", page: "docs/run.md")
  /// The finding's own rule. `nil`: nothing was found.
  init?(_ finding: Comparison.Finding) {
    switch finding {
    case .agreement, .noRoute, .notChosen, .notModelled: return nil
    case .deviation(let deviations):
      guard let first = deviations.first else { return nil }
      self.init(first)
    case .kernelDisagrees: self = .kernelDisagrees
    case .unexplained: self = .unexplained
    case .deviationMissing: self = .deviationMissing
    case .undecided: self.init(Code.undecided)
    }
  }
}
