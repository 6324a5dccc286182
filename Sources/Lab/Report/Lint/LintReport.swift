public import Documents
public import Lint
internal import Lowering
public import NetpolModel
public import Run
internal import Text

/// What a lint found: `netpol-lab/lint/v1`, documented in docs/lint.md.
public struct LintReport {
  let findings: [LintFinding]
  /// Findings that a file of exceptions leaves out.
  let suppressed: Int
  let policies: Int
  let version: String
  /// By finding: the files with its changes. Empty: it has none, or the files leave no safe place for them.
  public var patches: [[FileChange]] = []
  /// Whether text has them.
  public var showsPatches = false
  /// By finding: what packets say. Empty if none were sent.
  public var proofs: [LintProof] = []

  public init(_ findings: [LintFinding], suppressed: Int, policies: Int, version: String) {
    self.findings = findings
    self.suppressed = suppressed
    self.policies = policies
    self.version = version
  }

  /// Whether nothing was found that has no effect at all.
  public var isAsExpected: Bool {
    !findings.contains { $0.severity == .error } && !proofs.contains(where: \.isFinding)
  }

  public var document: Document {
    Document(
      schema: "netpol-lab/lint/v1",
      facts: [
        Fact("version", version), Fact("policies", policies), Fact("suppressed", suppressed),
        Fact("findings", findings.indices.map { LintObject(findings[$0], patch(of: $0), proof(of: $0)) }),
      ],
      sections: [Section(findings.indices.flatMap(blocks)), Section([.paragraph(summary)])], results: results)
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

  private func patch(of index: Int) -> [FileChange] { patches.dropFirst(index).first ?? [] }
  private func proof(of index: Int) -> LintProof? { proofs.dropFirst(index).first }

  private func blocks(_ index: Int) -> [Block] {
    var blocks = [line(findings[index])]
    if showsPatches {
      blocks += patch(of: index).map { .code(Code(LineDiff($0.before, $0.after).unified($0.name), indent: 4)) }
    }
    if let proof = proof(of: index) { blocks.append(.paragraph(proof.text, first: "    packet: ", indent: 6)) }
    return blocks
  }

  /// `shop.yaml:12: warning: shop/db, ingress rule 0, peer 1: …; … [NPL-802]`
  private func line(_ finding: LintFinding) -> Block {
    let place = finding.location.map { "\($0): " } ?? ""
    let part = finding.part.isEmpty ? "" : ", \(finding.part)"
    return .paragraph(
      "\(finding.severity.rawValue): \(finding.object)\(part): \(finding.text); \(finding.remedy) [\(finding.code)]",
      first: place, indent: 4)
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
  let patches: [PatchObject]
  let proof: ProofObject?

  init(_ finding: LintFinding, _ files: [FileChange], _ proof: LintProof?) {
    code = finding.code.rawValue
    severity = finding.severity.rawValue
    object = finding.object
    text = finding.text
    remedy = finding.remedy
    part = finding.part.isEmpty ? nil : finding.part
    location = finding.location?.description
    patches = files.map(PatchObject.init)
    self.proof = proof.map(ProofObject.init)
  }

  struct ProofObject: Encodable {
    let flow, observed, observedAfter, why: String?

    init(_ proof: LintProof) {
      switch proof {
      case .changed(let before, let after):
        flow = before.flow.description
        (observed, observedAfter, why) = (before.observed?.rawValue, after.observed?.rawValue, nil)
      case .shown(let answer):
        (flow, observed, observedAfter, why) = (answer.flow.description, answer.observed?.rawValue, nil, nil)
      case .notSent(let reason): (flow, observed, observedAfter, why) = (nil, nil, nil, reason)
      }
    }
  }
}

extension LintProof {
  /// `shop/web (10.42.0.2) -> shop/db (10.42.0.3) TCP/80: ALLOWED (delivered); with the patch DENIED (rejected)`
  var text: String {
    switch self {
    case .changed(let before, let after):
      "\(before.flow): \(Self.text(before)); with the change \(Self.text(after))"
    case .shown(let answer): "\(answer.flow): \(Self.text(answer))"
    case .notSent(let why): "none was sent: \(why)"
    }
  }

  private static func text(_ answer: Answer) -> String {
    let verdict = answer.observed.map { $0 == .allow ? "ALLOWED" : "DENIED" } ?? "no verdict"
    let known = answer.deviations.map { "\($0.id) \($0.summary)" }.joined(separator: "; ")
    return "\(verdict) (\(answer.outcome.text)\(known.isEmpty ? "" : ", a known deviation: \(known)"))"
  }
}
