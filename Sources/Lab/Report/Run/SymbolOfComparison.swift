internal import Documents
internal import EngineComparison
internal import NetpolModel
public import Run

extension Matrix.Symbol {
  init(_ comparison: Comparison) {
    self =
      switch (comparison.finding, comparison.verdict) {
      case (.undecided, _): .unknown
      case (.notModelled, _): .notAsked
      case (.noRoute, _), (.notChosen, _), (_, nil): .noRoute
      case (.kernelDisagrees, _), (.unexplained, _), (.deviationMissing, _): .failure
      case (.deviation, .allow?): .allowedByDeviation
      case (.deviation, .deny?): .deniedByDeviation
      case (.agreement, .allow?): .allowed
      case (.agreement, .deny?): .denied
      }
  }
}

extension RunReport {
  /// What happened to the packet of a run's only flow, in words.
  public var observedText: String { comparisons.first?.outcome.text ?? "not asked: the lab has no such flow" }
}
