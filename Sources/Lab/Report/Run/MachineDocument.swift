public import Documents
public import StandingLab
internal import Text

extension MachineCheck {
  /// A line for each need, with what is missing and what to do: `netpol-lab/doctor/v1`, documented in docs/run.md.
  public var document: Document {
    Document(
      schema: "netpol-lab/doctor/v1", facts: [Fact("canRun", canRun), Fact("needs", needs.map(NeedObject.init))],
      sections: [
        Section(needs.flatMap(blocks)),
        Section([.paragraph(canRun ? "This machine can run the lab." : "This machine can't run the lab.")]),
      ])
  }

  private func blocks(_ need: Need) -> [Block] {
    guard let loss = need.loss else { return [.paragraph("\(need.name): \(need.found)", first: "ok  ", indent: 6)] }
    let remedy = need.remedy.map { [Block.paragraph("to mend it: \($0)", first: "      ", indent: 8)] } ?? []
    return [
      .paragraph("\(need.name): \(need.found)", first: need.isVital ? "NO  " : "-   ", indent: 6),
      .paragraph("missing without it: \(loss)", first: "      ", indent: 8),
    ] + remedy
  }
}

private struct NeedObject: Encodable {
  let name, found: String
  let loss, remedy: String?
  let isVital: Bool

  init(_ need: MachineCheck.Need) {
    name = need.name
    found = need.found
    loss = need.loss
    remedy = need.remedy
    isVital = need.isVital
  }
}
