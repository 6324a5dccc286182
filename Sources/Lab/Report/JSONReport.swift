public import Foundation
internal import Kernel
internal import Lowering
internal import NetpolModel
internal import Path
public import Run
internal import StandingLab
internal import Verdicts

/// A run for a program: `netpol-lab/run/v2`, documented in docs/json.md.
public struct JSONReport {
  private let report: RunReport

  public init(_ report: RunReport) { self.report = report }

  /// UTF-8, one line.
  public func data() throws -> Data { try oneLine(Document(report)) }

  private struct Document: Encodable {
    let schema = "netpol-lab/run/v2"
    let environment: EnvironmentObject
    let asExpected: Bool
    let endpoints: [String]
    let flows: [FlowObject]
    let expectations: [GroupObject]
    let claims: [ClaimObject]
    let styleWarnings: [String]
    let warnings: [String]
    let notes: [String]
    let notInLab: [LeftPodObject]
    let seconds: [String: Double]

    init(_ report: RunReport) {
      environment = EnvironmentObject(report.environment)
      asExpected = report.isAsExpected
      endpoints = report.plan.endpoints.map(\.description)
      flows = report.comparisons.map {
        FlowObject($0, strict: report.strict, inFull: report.isToldInFull, withPath: report.tellsAllPaths)
      }
      expectations = report.expectations.map(GroupObject.init)
      claims = report.expectations.claims.map(ClaimObject.init)
      styleWarnings = report.styleWarnings
      warnings = report.warnings
      notes = report.notes
      notInLab = report.notInLab.map { LeftPodObject(pod: $0.pod.description, why: $0.why) }
      seconds = [
        "build": report.timings.build / .seconds(1), "load": report.timings.load / .seconds(1),
        "probe": report.timings.probe / .seconds(1),
      ]
    }
  }
}

struct EnvironmentObject: Encodable {
  let version, style, kernel, iptables, nft, ipset: String
  init(_ environment: LabEnvironment) {
    version = environment.version
    style = environment.style
    kernel = environment.kernel
    iptables = environment.iptables
    nft = environment.nft
    ipset = environment.ipset
  }
}

private struct LeftPodObject: Encodable {
  let pod, why: String
}
