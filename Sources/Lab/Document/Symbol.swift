internal import NetpolModel

extension Matrix {
  /// The content of a cell. A verdict due to a known deviation has a different symbol than the same verdict as
  /// specified, so that no grid or group hides it.
  package enum Symbol: Character, CaseIterable {
    case allowed = "."
    case denied = "X"
    case allowedByDeviation = "o"
    case deniedByDeviation = "x"
    /// Some endpoints of a service accept it and others don't.
    case mixed = "%"
    /// The engines disagree, or a deviation is missing.
    case failure = "!"
    /// There is no route from one to the other.
    case noRoute = "-"
    /// Something decides it that is not modelled.
    case notAsked = "/"
    /// The answer was unusable.
    case unknown = "?"
    /// Both ends are the same, or the port is not asked there.
    case nothing = " "
  }
}

extension Matrix.Symbol {
  /// The meaning in the legend. `nil` for the empty cell, which needs none.
  package var meaning: String? {
    switch self {
    case .allowed: Verdict.allow.rawValue
    case .denied: Verdict.deny.rawValue
    case .allowedByDeviation: "\(Verdict.allow.rawValue) by a deviation"
    case .deniedByDeviation: "\(Verdict.deny.rawValue) by a deviation"
    case .mixed: "mixed: some endpoints refuse"
    case .failure: "disagreement"
    case .noRoute: PacketOutcome.noRoute.text
    case .notAsked: "not asked"
    case .unknown: PacketOutcome.undecided.text
    case .nothing: nil
    }
  }
}

extension Matrix {
  /// `. allowed`, `X denied`, and those of the other symbols that occur.
  package var legend: [String] {
    let occurring = Set(grids.flatMap { $0.columns.values.joined() })
    return Symbol.allCases.filter { [.allowed, .denied].contains($0) || occurring.contains($0) }
      .compactMap { symbol in symbol.meaning.map { "\(symbol.rawValue) \($0)" } }
  }
}
