internal import Apply
internal import Enforcement
public import Lowering
internal import NetpolModel
internal import RuleIR
internal import StandingLab
public import Worlds

extension WorldCheck {
  /// Checks each state of a sequence in one lab: loads the rules of the first state, applies changes for the others,
  /// reads back what the kernel has, and asks the flows in each state. Stops at the first state that fails.
  ///
  /// `seed` draws the flows. A state gets the same flows wherever it is in a sequence.
  public mutating func check(_ sequence: ClusterSequence, _ style: EnforcementStyle, seed: UInt64) -> Result {
    var result = Result()
    result.coverage.cases = 1
    do {
      let places = try LabPlan(try Self.read(sequence.places), style, versionStamp: "1")
      try lab?.prepare(places)
      var plan: LabPlan?
      for (index, state) in sequence.states.enumerated() where mayGoOn() {
        result.failedState = index
        let next = try LabPlan(try Self.read(state), style, versionStamp: "1")
        if plan == nil { try lab?.load(next) }
        let old = plan ?? next
        let made = forgetsMembers ? try next.forgettingMembers(of: old) : next
        var differences = try next.missed(from: old, by: made)
        if lab != nil { differences += try lab?.change(to: next, by: made) ?? [] }
        result.failures = differences.map {
          FuzzFailure(.changedOtherwise, style.name, "\(FuzzFailure.Kind.changedOtherwise.rawValue): \($0)")
        }
        try compareLoaded(next, state.drawing(seed), &result)
        if !result.failures.isEmpty { break }
        plan = next
      }
    } catch {
      result.note(error, style)
    }
    // The changes may be half done.
    if !result.failures.isEmpty || result.machineFault != nil { lab?.abandonLab() }
    return result
  }
}

extension Cluster {
  fileprivate func drawing(_ seed: UInt64) -> UInt64 {
    manifest.utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}

extension LabPlan {
  /// Returns where the changes from another plan's rules to those of `target` don't give this plan's rules.
  fileprivate func missed(from old: LabPlan, by target: LabPlan) throws -> [String] {
    try cluster.nodes.flatMap { node -> [String] in
      let before = old.enforced.rulesets[node.name] ?? []
      let targets = target.enforced.rulesets[node.name] ?? []
      return try (enforced.rulesets[node.name] ?? []).flatMap { new -> [String] in
        let own = before.first { $0.program == new.program } ?? Ruleset(backend: new.backend)
        let target = targets.first { $0.program == new.program } ?? new
        let made = own.applying(own.changes(to: target))
        return try StoredRules([made]).differences(from: try StoredRules([new])).map { "node \(node.name): \($0)" }
      }
    }
  }

  /// The plan of a mistaken enforcer: removed members stay in sets of single members.
  fileprivate func forgettingMembers(of old: LabPlan) throws -> LabPlan {
    let before = old.enforced.lowered
    let mistaken = enforced.style.rewriting { view, lowered in
      if let old = before[view.node]?.ruleset { lowered.ruleset.keepMembers(of: old) }
    }
    return try LabPlan(cluster, mistaken, versionStamp: "1")
  }
}

extension Ruleset {
  fileprivate mutating func keepMembers(of old: Ruleset) {
    for index in sets.indices where sets[index].kind == .addresses {
      let was = old.sets.first { $0.name == sets[index].name && $0.family == sets[index].family }
      sets[index].members += (was?.members ?? []).filter { !sets[index].members.contains($0) }
    }
    for index in keyedSets.indices where !keyedSets[index].hasRanges {
      let was = old.keyedSets.first { $0.name == keyedSets[index].name && $0.family == keyedSets[index].family }
      let keys = Set(keyedSets[index].elements.map(\.key))
      keyedSets[index].elements += (was?.elements ?? []).filter { !keys.contains($0.key) }
    }
  }
}
