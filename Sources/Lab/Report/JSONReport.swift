internal import Comparison
public import Foundation
internal import Kernel
internal import Lowering
internal import NetpolModel

/// A run for a program: `netpol-lab/run/v1`, documented in docs/json.md.
public struct JSONReport {
  private let report: RunReport

  public init(_ report: RunReport) { self.report = report }

  /// UTF-8, one line.
  public func data() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(Document(report))
  }

  private struct Document: Encodable {
    let schema = "netpol-lab/run/v1"
    let environment: EnvironmentObject
    let asExpected: Bool
    let endpoints: [String]
    let flows: [FlowObject]
    let findings: [String]
    let seconds: [String: Double]

    init(_ report: RunReport) {
      environment = EnvironmentObject(report.environment)
      asExpected = report.isAsExpected
      endpoints = report.plan.endpoints.map(\.description)
      flows = report.comparisons.enumerated().map { index, comparison in
        FlowObject(
          comparison, index < report.observations.count ? report.observations[index] : nil, strict: report.strict)
      }
      findings = report.findings.map(\.description)
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

private struct FlowObject: Encodable {
  let from, to, fromAddress, toAddress, transport: String
  let port: UInt16
  let oracle: String
  let evaluator: String?
  let kernel: String?
  let mechanism: String?
  let result: String
  let deviations: [String]?
  let why: String?
  let failure: Bool

  init(_ comparison: Comparison, _ observation: Observation?, strict: Bool) {
    let flow = comparison.flow
    from = flow.source.description
    to = flow.destination.description
    fromAddress = flow.sourceAddress.description
    toAddress = flow.destinationAddress.description
    transport = flow.transport.rawValue
    port = flow.port
    oracle = comparison.specified.verdict.rawValue
    evaluator = comparison.evaluated?.rawValue
    kernel = comparison.observed?.rawValue
    mechanism =
      switch observation {
      case .delivered: "delivered"
      case .refused: "refused"
      case .silent: "silent"
      case .unusable: "unusable"
      case nil: nil
      }
    failure = comparison.isFailure(strict: strict)
    (result, deviations, why) =
      switch comparison.finding {
      case .agreement: ("agreement", nil, nil)
      case .deviation(let numbers): ("deviation", numbers.map(\.id), nil)
      case .kernelDisagrees: ("kernelDisagrees", nil, nil)
      case .unexplained: ("unexplained", nil, nil)
      case .deviationMissing(let numbers): ("deviationMissing", numbers.map(\.id), nil)
      case .undecided(let why): ("undecided", nil, why)
      case .noRoute(let why): ("noRoute", nil, why)
      }
  }
}
