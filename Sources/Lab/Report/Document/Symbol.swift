internal import NetpolModel

extension Matrix {
  /// What stands in a cell. A verdict that is a known deviation is another symbol than the same verdict as specified:
  /// no grid or group may hide it.
  enum Symbol: Character, CaseIterable {
    case allowed = "."
    case denied = "X"
    case allowedByDeviation = "o"
    case deniedByDeviation = "x"
    /// The engines disagree, or a deviation is missing.
    case failure = "!"
    /// There is no way from one to the other.
    case noRoute = "-"
    /// The answer was unusable.
    case unknown = "?"
    /// Both are one, or the port is not asked there.
    case nothing = " "
  }
}

extension Matrix.Symbol {
  /// For the legend; nil for the empty cell, which needs none.
  var meaning: String? {
    switch self {
    case .allowed: Verdict.allow.rawValue
    case .denied: Verdict.deny.rawValue
    case .allowedByDeviation: "\(Verdict.allow.rawValue) by a deviation"
    case .deniedByDeviation: "\(Verdict.deny.rawValue) by a deviation"
    case .failure: "disagreement"
    case .noRoute: PacketOutcome.noRoute.text
    case .unknown: PacketOutcome.undecided.text
    case .nothing: nil
    }
  }
}

extension Matrix {
  /// `. allowed`, `X denied`, and of the others those that occur.
  var legend: [String] {
    let occurring = Set(grids.flatMap { $0.columns.values.joined() })
    return Symbol.allCases.filter { [.allowed, .denied].contains($0) || occurring.contains($0) }
      .compactMap { symbol in symbol.meaning.map { "\(symbol.rawValue) \($0)" } }
  }
}
