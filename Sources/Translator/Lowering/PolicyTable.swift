internal import NetpolModel
internal import RuleIR

/// The policy chains and sets of one family, after the drafts of all policies have been written one after another.
struct PolicyTable {
  private(set) var chains: [Chain] = []
  private(set) var sets: [NamedSet] = []
  /// Policies that nft refused, with the blocks that overlap. Their chains and sets don't exist, and their pods lose
  /// all traffic that nothing else allows.
  private(set) var failed: [PolicyID: (CIDR, CIDR)] = [:]

  /// Chains and sets of the refused policies.
  private(set) var refusedChains: [Chain] = []
  private(set) var refusedSets: [NamedSet] = []
  /// Policies with two sets of the same name.
  private(set) var collided: Set<PolicyID> = []
  /// The sets of named ports, by policy.
  private(set) var namedSets: [PolicyID: [PolicyDraft.RulePlace: [SetName: NamedPorts.Key]]] = [:]

  private let family: IPFamily
  private let version: KubeRouterVersion
  private let stamp: String
  private var chainIndex: [ChainName: Int] = [:]
  private var setIndex: [SetName: Int] = [:]

  init(_ family: IPFamily, _ version: KubeRouterVersion, stamp: String) {
    self.family = family
    self.version = version
    self.stamp = stamp
  }

  mutating func add(_ policy: ResolvedPolicy) {
    let draft = PolicyDraft(policy, family, version, stamp: stamp)
    if let overlap = draft.overlap {
      failed[policy.id] = overlap
      refusedChains += [draft.chain] + draft.subChains
      refusedSets += draft.sets
      return
    }
    if !draft.collisions.isEmpty { collided.insert(policy.id) }
    namedSets[policy.id] = draft.collisions.isEmpty ? draft.namedSets : nil
    for set in draft.sets { put(set) }
    for chain in [draft.chain] + draft.subChains { put(chain) }
  }

  /// If two sets have the same name, the members of the last one win.
  private mutating func put(_ set: NamedSet) {
    if let index = setIndex[set.name] {
      sets[index] = set
    } else {
      setIndex[set.name] = sets.count
      sets.append(set)
    }
  }

  /// If two policies have the same chain name, iptables keeps the rules of both, nft only those of the last.
  private mutating func put(_ chain: Chain) {
    guard let index = chainIndex[chain.name] else {
      chainIndex[chain.name] = chains.count
      chains.append(chain)
      return
    }
    switch version.backend {
    case .iptables: chains[index].rules += chain.rules
    case .nftables: chains[index].rules = chain.rules
    }
  }
}
