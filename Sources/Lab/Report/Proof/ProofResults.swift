internal import Documents
internal import Lowering
internal import NetpolModel
internal import Proof
internal import Text

extension ProofReport {
  /// A result for each packet that no deviation explains, for each set of deviations, and for what is not covered.
  var results: [Document.Result] {
    let because = Dictionary(witnesses.map { ($0.counterexample, $0.because) }) { first, _ in first }
    let found = proof.counterexamples.map { one -> Document.Result in
      let reasons = because[one].map { $0.isEmpty ? "" : " (\($0.map(\.text).joined(separator: "; ")))" } ?? ""
      return Document.Result(
        .unexplained, .found(.error), in: group, one.packet.resultName, part: one.packet.part,
        "the rules say \(one.rules.rawValue), the specification \(one.specification.rawValue)\(reasons), with all "
          + "deviations \(one.predicted.rawValue)")
    }
    let known = proof.differing.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { reasons, one in
      let name = reasons.map(\.id).joined(separator: "+")
      return Document.Result(
        Document.Result.Rule(name, reasons.map(\.summary).joined(separator: "; "), page: "docs/deviations.md"),
        .found(.note), in: group, "known deviation \(name)",
        "\(reasons.map(\.summary).joined(separator: "; ")); \(counted(one.classes, "class", "classes")), such as "
          + one.example.text)
    }
    let gaps = Proof.Gap.allCases.filter { proof.gaps[$0] != nil }.map { gap in
      Document.Result(
        .asExpected, .skipped("since \(gap.rawValue)"), in: group, "packets that are not covered", part: gap.rawValue)
    }
    let all = Document.Result(
      .asExpected, .passed, in: group, "all other packets", "\(Self.power(proof.packets)) packets compared")
    return found + known + gaps + [all]
  }

  private var group: String { subject ?? style.name }
}

extension ProofPacket {
  /// Without addresses.
  fileprivate var resultName: String {
    let end = { (end: Flow.End) in
      if case .address = end.endpoint { "\(end.address)" } else { "\(end.endpoint)" }
    }
    let front = asked.map { "\($0.port.map($0.address.description(port:)) ?? $0.address.description), which becomes " }
    return "\(end(source)) -> \(front ?? "")\(end(destination)) \(payload.text)"
  }

  fileprivate var part: String {
    let place =
      switch place {
      case .departure: "leaving at \(node)"
      case .arrival: "arriving at \(node)"
      case .side(let direction): "in the pod's own chain on \(node), for \(direction.keyword)"
      }
    return "\(state.rawValue), \(place)"
  }
}
