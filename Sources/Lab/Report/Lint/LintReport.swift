public import Documents
public import Lint
internal import NetpolModel
internal import Text

/// What a lint found: `netpol-lab/lint/v1`, documented in docs/lint.md.
public struct LintReport {
  let findings: [LintFinding]
  /// Findings that a file of exceptions leaves out.
  let suppressed: Int
  let policies: Int
  let version: String

  public init(_ findings: [LintFinding], suppressed: Int, policies: Int, version: String) {
    self.findings = findings
    self.suppressed = suppressed
    self.policies = policies
    self.version = version
  }

  public var document: Document {
    Document(
      schema: "netpol-lab/lint/v1",
      facts: [
        Fact("version", version), Fact("policies", policies), Fact("suppressed", suppressed),
        Fact("findings", findings.map(LintObject.init)),
      ],
      sections: [Section(findings.map(line)), Section([.paragraph(summary)])])
  }

  /// `shop.yaml:12: warning: shop/db, ingress rule 0, peer 1: …; … [NPL-802]`
  private func line(_ finding: LintFinding) -> Block {
    let place = finding.location.map { "\($0): " } ?? ""
    let part = finding.part.isEmpty ? "" : ", \(finding.part)"
    return .paragraph(
      "\(place)\(finding.severity.rawValue): \(finding.object)\(part): \(finding.text); \(finding.remedy) [\(finding.code)]",
      indent: 4)
  }

  private var summary: String {
    let counts = LintFinding.Severity.allCases.map { severity in
      counted(findings.count { $0.severity == severity }, severity.rawValue)
    }
    return "\(counted(policies, "policy", "policies")): \(counts.joined(separator: ", "))"
      + (suppressed > 0 ? "; \(suppressed) left out as known" : "") + "."
  }
}

private struct LintObject: Encodable {
  let code, severity, object, text, remedy: String
  let part, location: String?

  init(_ finding: LintFinding) {
    code = finding.code.rawValue
    severity = finding.severity.rawValue
    object = finding.object
    text = finding.text
    remedy = finding.remedy
    part = finding.part.isEmpty ? nil : finding.part
    location = finding.location?.description
  }
}
