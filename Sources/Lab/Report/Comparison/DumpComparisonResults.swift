internal import Documents
internal import DumpDiff
internal import NetpolModel
internal import RuleIR

extension DumpComparison {
  /// A result for each chain and set that differs. If the rules mean the same, that is worth knowing only; otherwise
  /// each pair of ends that they treat differently has a result too.
  func results(in group: String, meaning: EqualityReport?) -> [Document.Result] {
    if differences.isEmpty {
      return [Document.Result(.asExpected, .passed, in: group, "rules and sets", "\(counts) compared")]
    }
    let level: Document.Result.Level = meaning?.isEqual == true ? .note : .error
    return differences.map { result($0, level, in: group) } + (meaning?.results(in: group) ?? [])
  }

  private func result(_ difference: DumpDiff.Difference, _ level: Document.Result.Level, in group: String)
    -> Document.Result
  {
    let shown = 5
    let lines = difference.lines.map { line in
      switch line {
      case .onlyOnNode(let text): "on the node: \(text)"
      case .onlyExpected(let text, _): "expected: \(text)"
      }
    }
    let more = lines.count > shown ? ["and \(lines.count - shown) more"] : []
    let steps = difference.lines.compactMap { line -> Document.Result.Step? in
      guard case .onlyExpected(let text, let origin?) = line, let place = origin.location else { return nil }
      return Document.Result.Step(place, "expected: \(text)")
    }
    return Document.Result(
      .rulesDiffer, .found(level), in: group, difference.object, identity: difference.problem,
      (["\(difference.subject) \(difference.problem)"] + lines.prefix(shown) + more).joined(separator: "; "),
      at: steps.first?.location,
      journey: steps)
  }
}

extension DumpDiff.Difference {
  /// `chain of pod app/web (filter, IPv4)`: names of chains and sets hash the time of the sync.
  fileprivate var object: String {
    guard let name = subject.firstRange(of: " of "), let kind = subject.split(separator: " ").first else {
      return subject
    }
    return "\(kind) of \(subject[name.upperBound...])"
  }
}

extension Document.Result.Rule {
  fileprivate static let rulesDiffer = Self(
    "rules-differ", "A chain or a set of the node differs from what the style writes", page: "docs/compare.md")
}
