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

  /// Whether nothing was found that has no effect at all.
  public var isAsExpected: Bool { !findings.contains { $0.severity == .error } }

  public var document: Document {
    Document(
      schema: "netpol-lab/lint/v1",
      facts: [
        Fact("version", version), Fact("policies", policies), Fact("suppressed", suppressed),
        Fact("findings", findings.map(LintObject.init)),
      ],
      sections: [Section(findings.map(line)), Section([.paragraph(summary)])], results: results)
  }

  /// A test suite for each code.
  private var results: [Document.Result] {
    if findings.isEmpty {
      return [Document.Result(.asExpected, .passed, in: "Lint", counted(policies, "policy", "policies"))]
    }
    return findings.map { finding in
      Document.Result(
        Document.Result.Rule(finding.code), .found(finding.severity.level),
        in: "\(finding.code) \(finding.code.summary)", finding.object, part: finding.part,
        "\(finding.text); \(finding.remedy)", at: finding.location)
    }
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

extension LintFinding.Severity {
  fileprivate var level: Document.Result.Level {
    switch self {
    case .error: .error
    case .warning: .warning
    case .note: .note
    }
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
