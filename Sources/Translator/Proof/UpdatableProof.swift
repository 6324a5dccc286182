internal import Enforcement
public import EngineComparison
internal import Lowering
public import NetpolModel
internal import Path
internal import RuleIR

/// A proof that can be brought up to date after policies have changed: only nodes for which something has changed are
/// proved again.
public struct UpdatableProof: Sendable {
  public let proof: Proof
  /// How many nodes' results were taken over, of all families.
  public let reused: Int
  private let cluster: Cluster
  private let style: String
  private let nodes: [Key: Entry]

  private struct Key: Hashable {
    let family: IPFamily
    let node: String
  }

  private struct Entry: Sendable {
    let basis: Basis
    let result: NodeResult
  }

  /// What a node's result depends on, besides objects that are no policies.
  private struct Basis: Hashable {
    /// Those that some packet can meet.
    let rules: [Ruleset]
    /// The policies that select one of the node's pods.
    let policies: [NetworkPolicy]
    /// Whether one policy keeps all others from being enforced.
    let enforcesNothing: Bool

    init(_ node: String, _ cluster: Cluster, _ comparer: Comparer) {
      rules = (comparer.enforced.reachable(onNodes: [node]).rulesets[node] ?? []).map(\.withoutOrigins)
      let pods = cluster.pods.filter { $0.node == node }
      policies = cluster.unlocated.policies.filter { policy in
        pods.contains { $0.id.namespace == policy.id.namespace && policy.podSelector.matches($0.labels) }
      }
      enforcesNothing = comparer.reading.enforcesNothing
    }
  }

  public init(_ cluster: Cluster, _ comparer: Comparer) { self.init(cluster, comparer, after: nil) }

  /// The proof of the same cluster with other policies. If anything else has changed, or the style, everything is proved
  /// again.
  public func updated(_ cluster: Cluster, _ comparer: Comparer) -> UpdatableProof {
    let isSame = comparer.enforced.style.name == style && cluster.withoutPolicies == self.cluster.withoutPolicies
    return UpdatableProof(cluster, comparer, after: isSame ? self : nil)
  }

  private init(_ cluster: Cluster, _ comparer: Comparer, after before: UpdatableProof?) {
    self.cluster = cluster
    style = comparer.enforced.style.name
    let names = comparer.enforced.topology.nodes.map(\.name)
    let bases = concurrentMap(names.count) { Basis(names[$0], cluster, comparer) }
    var proof = Proof()
    var found: [Key: Entry] = [:]
    var reused = 0
    for family in cluster.families {
      var results: [Int: NodeResult] = [:]
      for index in names.indices {
        guard let known = before?.nodes[Key(family: family, node: names[index])], known.basis == bases[index] else {
          continue
        }
        results[index] = known.result
      }
      reused += results.count
      let left = names.indices.filter { results[$0] == nil }
      if !left.isEmpty {
        let whole = FamilyProof(cluster, comparer, family)
        for (index, result) in zip(left, concurrentMap(left.count) { whole.result(ofNode: left[$0]) }) {
          results[index] = result
        }
      }
      for (index, result) in results.sorted(by: { $0.key < $1.key }) {
        proof.add(result)
        found[Key(family: family, node: names[index])] = Entry(basis: bases[index], result: result)
      }
      proof.families.append(family)
    }
    proof.counterexamples.sort(by: Counterexample.isSimpler)
    self.proof = proof
    self.reused = reused
    nodes = found
  }
}

extension Cluster {
  fileprivate var withoutPolicies: Cluster {
    var other = unlocated
    other.policies = []
    return other
  }
}

extension Ruleset {
  /// The same rules, whatever objects they were made from.
  fileprivate var withoutOrigins: Ruleset {
    var other = self
    for set in other.sets.indices { other.sets[set].origin = nil }
    for table in other.tables.indices {
      for chain in other.tables[table].chains.indices {
        for rule in other.tables[table].chains[chain].rules.indices {
          other.tables[table].chains[chain].rules[rule].origin = nil
        }
      }
    }
    return other
  }
}
