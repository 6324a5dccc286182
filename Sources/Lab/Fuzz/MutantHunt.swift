internal import Enforcement
public import Lowering
internal import NetpolModel
internal import StandingLab
internal import Statistics
internal import Verdicts
internal import Worlds

/// Tests whether mistakes in lowerings are noticed: evaluates seeded mutants of a style in all worlds until the
/// evaluator differs from what the oracle and the style's deviations predict.
public struct MutantHunt {
  public struct Mutant: Sendable, CustomStringConvertible {
    public let style: EnforcementStyle
    /// What is changed: a kind of match or statement, rules, sets, hooks.
    public let kind: String
    let mutation: Mutation
    let equivalence: Equivalence?
    /// Why it is not a mistake. `nil` if it is one.
    public var equivalentBecause: String? { equivalence.map { "\($0.rawValue): \($0.reason)" } }
    public var description: String { "\(style.name): \(mutation)" }
  }

  /// One of this many worlds is also used with default-deny and a stranger.
  private static let strangerPeriod = 4

  private var judges: [String: [MutantJudge]] = [:]
  /// The number of worlds, which may be smaller than that of the seeds.
  public private(set) var worlds = 0

  /// With fewer worlds there are no mutants, because each needs rules that this many worlds have.
  public static let leastWorlds = Mutations.leastWorlds

  /// Mutants are made of the rules of the worlds of `seeds`, and judged in the same worlds. There are fewer worlds if
  /// `mayGoOn` says no. Throws if a style refuses a world.
  public init(
    _ styles: [EnforcementStyle], seeds: [UInt64], flows flowLimit: Int, while mayGoOn: () -> Bool = { true }
  ) throws {
    for (index, seed) in seeds.enumerated() {
      if !mayGoOn() { break }
      worlds += 1
      let cluster = try WorldCheck.read(World(seed: seed).cluster)
      let stranger =
        index % Self.strangerPeriod == 0 ? StrangerWorld(cluster, seed: seed, flows: flowLimit) : nil
      var random = SplitMix64(seed: seed)
      var flows: [Flow]?
      for style in styles {
        let plan = try LabPlan(cluster, style, versionStamp: "1")
        let asked = flows ?? random.some(flowLimit, of: ProbePlan(cluster, plan.topology, breadth: .boundaries).flows)
        flows = asked
        judges[style.name, default: []].append(MutantJudge(plan, seed: seed, flows: asked))
        if let stranger, style.knowsDefaultDeny {
          judges[style.name, default: []].append(try MutantJudge(stranger, style))
        }
      }
    }
  }

  /// Draws mutants by `seed`, as many of each style, and in each style spread over all kinds of rules and sets. Returns
  /// `count` mistakes, and the equivalent mutants that are drawn along with them.
  public func mutants(
    _ count: Int, of styles: [EnforcementStyle], seed: UInt64, while mayGoOn: () -> Bool = { true }
  ) -> [Mutant] {
    var random = SplitMix64(seed: seed)
    var found: [String: Mutations] = [:]
    for style in styles {
      for judge in judges[style.name] ?? [] where mayGoOn() {
        found[style.name, default: Mutations()].add(judge.plan.enforced.lowered.values.map(\.ruleset))
      }
    }
    var pools = styles.map { found[$0.name]?.byKind ?? [:] }
    var mutants: [Mutant] = []
    var mistakes = 0
    while mistakes < count, !pools.allSatisfy(\.isEmpty), mayGoOn() {
      for (index, style) in styles.enumerated() where mistakes < count {
        guard let kind = random.some(1, of: pools[index].keys.sorted()).first, let pool = pools[index][kind],
          let mutation = random.some(1, of: pool).first
        else { continue }
        let rest = pool.filter { $0 != mutation }
        pools[index][kind] = rest.isEmpty ? nil : rest
        let equivalence = found[style.name]?.equivalence(of: mutation)
        mutants.append(Mutant(style: style, kind: kind, mutation: mutation, equivalence: equivalence))
        if equivalence == nil { mistakes += 1 }
      }
    }
    return mutants
  }

  /// Where a mutant was noticed.
  public struct Notice: Sendable {
    public let seed: UInt64
    /// Whether a flow of the seed's own world shows it, which packets can show too. Otherwise it is shown by a packet
    /// of another kind, or by one of a stranger.
    public let isByFlow: Bool
  }

  /// Returns `nil` if no packet of any world shows a difference from the style. `byFlowsAlone` uses only flows of the
  /// seeds' own worlds.
  public mutating func notice(_ mutant: Mutant, byFlowsAlone: Bool = false) -> Notice? {
    for index in (judges[mutant.style.name] ?? []).indices {
      guard let judge = judges[mutant.style.name]?[index], judge.isOwnWorld || !byFlowsAlone,
        let sign = judges[mutant.style.name]?[index].sign(of: mutant, byFlowsAlone: byFlowsAlone)
      else { continue }
      return Notice(seed: judge.seed, isByFlow: judge.isOwnWorld && sign == .flow)
    }
    return nil
  }

  /// The seed of the first world in which some packet, of all that there are, has another fate with the mutant. `nil`:
  /// with every packet of these worlds it does the same as the style, which proves it equivalent on them.
  public func killingWorld(_ mutant: Mutant) -> UInt64? {
    judges[mutant.style.name]?.first { $0.isKilled(mutant) }?.seed
  }

  /// Further packets, by style, that don't do what is predicted although there is no mistake.
  func surprises() -> [String] {
    judges.keys.sorted().flatMap { name in
      (judges[name] ?? []).flatMap { judge in judge.surprises().map { "\(name), seed \(judge.seed): \($0)" } }
    }
  }
}

extension MutantHunt.Mutant {
  var mutated: EnforcementStyle {
    style.rewriting(named: "\(style.name) with a mistake") { [mutation] _, lowered in
      lowered.ruleset = mutation.applied(to: lowered.ruleset)
    }
  }
}

extension EnforcementStyle {
  /// Returns the style with a mistake that flows of the first worlds show. `seed` draws the mistake. Throws if the
  /// style refuses a world.
  public func mistaken(seed: UInt64) throws -> EnforcementStyle {
    var hunt = try MutantHunt([self], seeds: Array(0..<8), flows: 60)
    for mutant in hunt.mutants(20, of: [self], seed: seed) where hunt.notice(mutant, byFlowsAlone: true) != nil {
      return mutant.mutated
    }
    return self
  }
}
