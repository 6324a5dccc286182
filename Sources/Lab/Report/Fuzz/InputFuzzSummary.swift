public import Documents
public import Fuzz
internal import Text

/// The summary of texts that the readers were given: `netpol-lab/fuzz-input/v1`, documented in docs/fuzzing.md.
public struct InputFuzzSummary {
  private let fuzz: InputFuzz
  private let seed: UInt64
  private let time: Duration

  public init(_ fuzz: InputFuzz, seed: UInt64, time: Duration) {
    self.fuzz = fuzz
    self.seed = seed
    self.time = time
  }

  public var document: Document {
    Document(
      schema: "netpol-lab/fuzz-input/v1",
      facts: [
        Fact("seed", seed), Fact("accepted", fuzz.accepted), Fact("refused", fuzz.refused),
        Fact("seconds", time / .seconds(1)), Fact("slowest", fuzz.slowest.number),
        Fact("slowestSeconds", fuzz.slowest.time / .seconds(1)),
        Fact("findings", fuzz.findings.map(FindingObject.init)),
      ],
      sections: fuzz.findings.map(section) + [
        Section([
          .paragraph(
            "\(counted(fuzz.accepted + fuzz.refused, "text")): \(fuzz.accepted) accepted, \(fuzz.refused) refused, "
              + "\(counted(fuzz.findings.count, "finding")); seed \(seed), \(Int((time / .seconds(1)).rounded())) s; the longest "
              + "took \(timeText(fuzz.slowest.time)) (text \(fuzz.slowest.number))")
        ])
      ])
  }

  private func section(_ finding: InputFuzz.Finding) -> Section {
    Section([
      .paragraph("text \(finding.number) (\(finding.form.rawValue)): \(finding.problem)"),
      .code(Code(finding.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init), indent: 4)),
    ])
  }
}

private struct FindingObject: Encodable {
  let number: UInt64
  let form, problem, text: String

  init(_ finding: InputFuzz.Finding) {
    number = finding.number
    form = finding.form.rawValue
    problem = finding.problem
    text = finding.text
  }
}
