internal import Comparison
public import Lowering
internal import Manifests
internal import NetpolModel
internal import Path
internal import RuleIR
internal import Worlds

/// Whether mistakes in lowerings come to light: seeded mutants of a style, each judged by the worlds until the evaluator
/// differs from what oracle and deviations foretell of the style.
public struct MutantHunt {
  public struct Mutant: Sendable, CustomStringConvertible {
    public let style: EnforcementStyle
    /// What it is about: a kind of match or statement, rules, sets, hooks.
    public let kind: String
    let mutation: Mutation
    public var description: String { "\(style.name): \(mutation)" }
  }

  /// A world in a style, and the flows that it is asked.
  struct Judge {
    let plan: PlannedLab
    let flows: [Flow]
    /// What the evaluator says of them without a mistake, once it was asked.
    var verdicts: [Verdict?]?
  }

  private let seeds: [UInt64]
  private let flowLimit: Int
  private var judges: [String: [Judge]] = [:]

  /// Mutants are made of the rules of the worlds of `seeds`, and judged by the same worlds. Throws what a style refuses.
  public init(_ styles: [EnforcementStyle], seeds: [UInt64], flows flowLimit: Int) throws {
    self.seeds = seeds
    self.flowLimit = flowLimit
    for seed in seeds {
      let cluster = try readManifests(
        [ManifestSource(name: "world.yaml", text: World(seed: seed).cluster.manifest)],
        options: ReadOptions(validation: .asStored)
      ).cluster
      var random = SplitMix64(seed: seed)
      var flows: [Flow]?
      for style in styles {
        let plan = try PlannedLab(cluster, style, versionStamp: "1")
        let asked = flows ?? random.some(flowLimit, of: ProbePlan(cluster, plan.topology, breadth: .boundaries).flows)
        flows = asked
        judges[style.name, default: []].append(Judge(plan: plan, flows: asked))
      }
    }
  }

  /// `count` mutants that `seed` draws, as many of each style, and in each style over all kinds of rules and sets.
  public func mutants(_ count: Int, of styles: [EnforcementStyle], seed: UInt64) -> [Mutant] {
    var random = SplitMix64(seed: seed)
    var pools = styles.map { style in
      var mutations = Mutations()
      for judge in judges[style.name] ?? [] {
        // Whom default-deny alone refuses is left out of worlds.
        if judge.plan.cluster.settings.defaultDeny { continue }
        mutations.add(judge.plan.enforced.lowered.values.map(\.ruleset))
      }
      return mutations.byKind
    }
    var mutants: [Mutant] = []
    while mutants.count < count, !pools.allSatisfy(\.isEmpty) {
      for (index, style) in styles.enumerated() where mutants.count < count {
        guard let kind = random.some(1, of: pools[index].keys.sorted()).first, let pool = pools[index][kind],
          let mutation = random.some(1, of: pool).first
        else { continue }
        let rest = pool.filter { $0 != mutation }
        pools[index][kind] = rest.isEmpty ? nil : rest
        mutants.append(Mutant(style: style, kind: kind, mutation: mutation))
      }
    }
    return mutants
  }

  /// Where a mutant came to light.
  public struct Notice: Sendable {
    public let seed: UInt64
    let flow: Flow
  }

  /// Nil: no flow of any world tells it from the style.
  public mutating func notice(_ mutant: Mutant) -> Notice? {
    for (index, seed) in seeds.enumerated() {
      if let flow = judges[mutant.style.name]?[index].firstDifference(mutant) { return Notice(seed: seed, flow: flow) }
    }
    return nil
  }
}

extension MutantHunt.Mutant {
  var mutated: EnforcementStyle {
    EnforcementStyle(name: "\(style.name), mistaken", backend: style.backend, traits: style.traits) {
      [style, mutation] view in
      var lowered = style.lower(view)
      lowered.ruleset = mutation.applied(to: lowered.ruleset)
      return lowered
    }
  }
}

extension MutantHunt.Judge {
  /// An ill-formed mutant is no mutant: nobody could load it.
  mutating func firstDifference(_ mutant: MutantHunt.Mutant) -> Flow? {
    let isTouched = plan.enforced.lowered.values.contains { mutant.mutation.applied(to: $0.ruleset) != $0.ruleset }
    guard isTouched,
      let mutated = try? EnforcedCluster(plan.cluster, plan.topology, mutant.mutated, versionStamp: "1")
    else { return nil }
    let verdicts = verdicts ?? flows.map(plan.enforced.verdict)
    self.verdicts = verdicts
    // What the rules do otherwise is noticed by what is foretold of the objects alone.
    let reading = Reading(plan.cluster, plan.comparer.oracle, mutant.style.traits)
    for (flow, verdict) in zip(flows, verdicts) where verdict != nil {
      let other = mutated.verdict(of: flow)
      if other != verdict, other != reading.verdict(flow) { return flow }
    }
    return nil
  }
}

extension EnforcementStyle {
  /// The style with a mistake that `seed` draws of those that the first worlds bring to light. Throws what it refuses.
  public func mistaken(seed: UInt64) throws -> EnforcementStyle {
    var hunt = try MutantHunt([self], seeds: Array(0..<8), flows: 60)
    for mutant in hunt.mutants(20, of: [self], seed: seed) where hunt.notice(mutant) != nil { return mutant.mutated }
    return self
  }
}
