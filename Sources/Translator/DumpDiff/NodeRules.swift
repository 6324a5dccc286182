public import Dumps
public import NetpolModel
public import RuleIR

/// The rules and sets that dumps of one node hold, whoever wrote them.
public struct NodeRules: Sendable {
  public let backend: Ruleset.Backend
  public let tables: [Table]
  public let sets: [NamedSet]
  /// Rules of others that RuleIR can't say.
  let unreadRules: [ForeignRule]
  /// Sets of others that RuleIR can't say.
  private(set) var unreadSets = 0
  /// Of nftables, what RuleIR can't say.
  private var unreadNft: [ForeignObject] = []

  /// What iptables-save, ip6tables-save and ipset save printed; families without a dump are not compared.
  public init(_ iptables: [IptablesDump], _ ipset: IpsetDump) {
    backend = .iptables
    tables = iptables.flatMap(\.tables)
    sets = ipset.sets
    unreadRules = iptables.flatMap(\.foreign)
    unreadSets = ipset.foreign.count
  }

  /// What nft list ruleset printed, as text or JSON. Only kube-router's tables are compared.
  public init(_ nft: NftDump) {
    backend = .nftables
    tables = nft.tables
    sets = nft.sets
    unreadRules = []
    unreadNft = nft.foreign
  }

  /// nft 1.0.6 leaves the comments of tables and chains out of its JSON.
  var hasCommentsOnObjects: Bool {
    tables.contains { $0.comment != nil || $0.chains.contains { $0.comment != nil } }
  }

  /// The rules as a ruleset that the evaluator can run, without those that were not read.
  public var ruleset: Ruleset { Ruleset(backend: backend, tables: tables, sets: sets) }

  /// Chains of the policy controller in a table, and what it writes into the built-in ones.
  func kubeRouterChains(of table: Table) -> [ChainName: Chain] {
    var chains: [ChainName: Chain] = [:]
    for var chain in table.chains {
      if chain.base != nil, backend == .iptables {
        chain.rules = chain.rules.filter(\.isKubeRoutersInBuiltInChain)
      } else if backend == .iptables, !isKubeRouterChain(chain.name) {
        continue
      }
      chains[chain.name] = chain
    }
    return chains
  }
}

extension NodeRules {
  /// What others have on the node.
  public struct Foreign: Hashable, Sendable {
    public init() {}
    public var chains = 0
    public var rules = 0
    public var sets = 0
  }

  /// Counts what is not the policy controller's.
  func foreign(besides compared: [Table]) -> Foreign {
    var count = Foreign()
    for table in tables {
      let own = compared.contains { $0.name == table.name && $0.family == table.family }
      let chains = own ? kubeRouterChains(of: table) : [:]
      for chain in table.chains {
        if chains[chain.name] == nil, chain.base == nil { count.chains += 1 }
        count.rules += chain.rules.count - (chains[chain.name]?.rules.count ?? 0)
      }
    }
    count.chains += unreadNft.filter { $0.kind == .chain }.count
    count.rules += unreadRules.count + unreadNft.reduce(0) { $0 + $1.rules }
    count.sets = unreadSets + unreadNft.filter { $0.kind == .set }.count
    count.sets += sets.filter { !isKubeRouterSet($0.name) }.count
    return count
  }
}

/// The sets of the policy controller; kube-router's other controllers have sets of other names.
func isKubeRouterSet(_ name: SetName) -> Bool {
  let name = name.hasPrefix("inet6:") ? String(name.dropFirst(6)) : name
  return name.hasPrefix("KUBE-SRC-") || name.hasPrefix("KUBE-DST-") || name == "kube-router-local-pods"
}

extension Rule {
  /// The jump, or the explicit ACCEPT of k3s's fork.
  var isKubeRoutersInBuiltInChain: Bool {
    comment?.hasPrefix("kube-router netpol - ") == true || isExplicitAccept
  }

  var isExplicitAccept: Bool {
    comment == "KUBE-ROUTER rule to explicitly ACCEPT traffic that comply to network policies"
  }
}

// MARK: - What a dump tells of its node

extension NodeRules {
  /// Families that the dump covers.
  public var families: [IPFamily] {
    let relevant = tables.filter { backend == .iptables || $0.name.hasPrefix("kube-router-filter-") }
    return Set(relevant.map(\.family)).sorted()
  }

  public func hasChain(_ name: ChainName) -> Bool { tables.contains { $0.chain(name) != nil } }

  public var hasKubeRouterChains: Bool {
    tables.contains { $0.chains.contains { isKubeRouterChain($0.name) } }
  }

  /// Addresses of pods that have a chain here.
  public var podAddresses: Set<IPAddress> {
    var addresses: Set<IPAddress> = []
    for rule in tables.flatMap({ $0.chain("KUBE-ROUTER-FORWARD")?.rules ?? [] }) {
      for case .address(_, let cidr, false) in rule.matches where cidr.isHost { addresses.insert(cidr.network) }
    }
    return addresses
  }
}
