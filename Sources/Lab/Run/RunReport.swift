public import Comparison
public import Kernel
public import Lowering
public import NetpolModel
internal import Path

/// All that a run found out: one value, from which text and JSON are made.
public struct RunReport: Sendable {
  public let environment: LabEnvironment
  public let cluster: Cluster
  public let plan: ProbePlan
  public let enforced: EnforcedCluster
  /// One for each flow of the plan, then one for each that was not probed but could be evaluated.
  public let comparisons: [Comparison]
  /// What the kernel did with the flows of the plan, in their order.
  public let observations: [Observation]
  public let strict: Bool
  public let timings: Timings

  public struct Timings: Sendable {
    public let build: Duration
    public let load: Duration
    public let probe: Duration
  }

  public var failures: [Comparison] { comparisons.filter { $0.isFailure(strict: strict) } }
  public var isAsExpected: Bool { failures.isEmpty }
  public var findings: [Finding] { enforced.findings }
}
