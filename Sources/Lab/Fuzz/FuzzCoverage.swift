internal import Enforcement
internal import EngineComparison
internal import Evaluator
public import Lowering
internal import NetpolModel
public import RuleIR

/// What the worlds of a run met.
public struct FuzzCoverage: Hashable, Sendable {
  /// Worlds, each in each style.
  public var cases = 0
  /// As many, but for worlds that change: one more for each change that was checked.
  public var states = 0
  /// Those of them that packets were sent for.
  public var casesWithPackets = 0
  public var flows = 0
  /// Flows that the kernel gave a verdict of.
  public var observed = 0
  public var allowed = 0
  /// Flows that show a deviation, by its number; one that needs several counts for each.
  public var deviations: [Deviation: Int] = [:]
  /// Rules of each kind that a packet matched.
  public var matched: Set<RuleKind> = []
  /// Kinds that some node's rules have.
  public var written: Set<RuleKind> = []

  public init() {}

  public mutating func add(_ other: FuzzCoverage) {
    cases += other.cases
    states += other.states
    casesWithPackets += other.casesWithPackets
    flows += other.flows
    observed += other.observed
    allowed += other.allowed
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
