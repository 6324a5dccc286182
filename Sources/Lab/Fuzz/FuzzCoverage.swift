internal import Enforcement
internal import EngineComparison
internal import Evaluator
public import Lowering
internal import NetpolModel
public import RuleIR

/// What the worlds of a run covered.
public struct FuzzCoverage: Hashable, Sendable {
  /// Number of worlds, each counted once per style.
  public var cases = 0
  /// The same, plus one for each checked change of a world that changes.
  public var states = 0
  /// Number of cases that packets were sent for.
  public var casesWithPackets = 0
  public var flows = 0
  /// Number of flows that the kernel gave a verdict on.
  public var observed = 0
  public var allowed = 0
  /// Classes of packets in which rules and specification were compared.
  public var provedClasses = 0
  /// Random packets that were compared with their classes.
  public var classPackets = 0
  /// Flows of which the rules that kernel and evaluator met were compared.
  public var tracedFlows = 0
  /// Number of flows that show a deviation, by deviation. A flow with several counts for each.
  public var deviations: [Deviation: Int] = [:]
  /// Kinds of rules that a packet matched.
  public var matched: Set<RuleKind> = []
  /// Kinds of rules that some node has.
  public var written: Set<RuleKind> = []

  public init() {}

  public mutating func add(_ other: FuzzCoverage) {
    cases += other.cases
    states += other.states
    casesWithPackets += other.casesWithPackets
    flows += other.flows
    observed += other.observed
    allowed += other.allowed
    provedClasses += other.provedClasses
    classPackets += other.classPackets
    tracedFlows += other.tracedFlows
    deviations.merge(other.deviations, uniquingKeysWith: +)
    matched.formUnion(other.matched)
    written.formUnion(other.written)
  }

  mutating func add(_ comparison: Comparison, _ walk: EvaluatedWalk) {
    flows += 1
    if comparison.observed != nil { observed += 1 }
    if comparison.verdict == .allow { allowed += 1 }
    if case .deviation(let numbers) = comparison.finding {
      for number in numbers { deviations[number, default: 0] += 1 }
    }
    for step in walk.hooks.flatMap(\.outcome.steps) { Self.note(step.rule, in: &matched) }
  }

  mutating func add(_ enforced: EnforcedCluster) {
    for rules in enforced.rulesets.values.joined().flatMap(\.tables).flatMap(\.chains).map(\.rules) {
      for rule in rules { Self.note(rule, in: &written) }
    }
  }

  private static func note(_ rule: Rule, in kinds: inout Set<RuleKind>) {
    for match in rule.matches { kinds.insert(RuleKind(match)) }
    for statement in rule.statements { kinds.insert(RuleKind(statement)) }
  }
}
