internal import NetpolModel
internal import RuleIR

/// The policy chains and sets of one family: what the drafts of all policies leave when they are written in turn.
struct PolicyTable {
  private(set) var chains: [Chain] = []
  private(set) var sets: [NamedSet] = []
  /// Policies that nft refused, and the blocks that overlap: nothing of them exists, and their pods lose what isn't
  /// allowed otherwise.
  private(set) var failed: [PolicyID: (CIDR, CIDR)] = [:]

  /// Chains and sets of the refused policies.
  private(set) var refusedChains: [Chain] = []
  private(set) var refusedSets: [NamedSet] = []
  /// Policies of which two sets share a name.
  private(set) var collided: Set<PolicyID> = []

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
    for set in draft.sets { put(set) }
    for chain in [draft.chain] + draft.subChains { put(chain) }
  }

  /// Of two sets with one name the last one's members stay.
  private mutating func put(_ set: NamedSet) {
    if let index = setIndex[set.name] {
      sets[index] = set
    } else {
      setIndex[set.name] = sets.count
      sets.append(set)
    }
  }

  /// Of two policies with one chain name iptables keeps the rules of both, nft those of the last.
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
