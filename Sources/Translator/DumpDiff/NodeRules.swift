public import Dumps
public import NetpolModel
public import RuleIR

/// The rules and sets in the dumps of one node, whoever wrote them.
public struct NodeRules: Sendable {
  public let backend: Ruleset.Backend
  public let tables: [Table]
  public let sets: [NamedSet]
  /// Only with nftables.
  public let keyedSets: [KeyedSet]
  /// Foreign rules that RuleIR can't express.
  let unreadRules: [ForeignRule]
  /// The number of foreign sets that RuleIR can't express.
  private(set) var unreadSets = 0
  /// With nftables: what RuleIR can't express.
  private(set) var unreadNft: [ForeignObject] = []

  /// Reads what iptables-save, ip6tables-save and ipset save printed. Families without a dump are not compared.
  public init(_ iptables: [IptablesDump], _ ipset: IpsetDump) {
    backend = .iptables
    tables = iptables.flatMap(\.tables)
    sets = ipset.sets
    keyedSets = []
    unreadRules = iptables.flatMap(\.foreign)
    unreadSets = ipset.foreign.count
  }

  /// Reads what nft list ruleset printed, as text or JSON.
  public init(_ nft: NftDump) {
    backend = .nftables
    tables = nft.tables
    sets = nft.sets
    keyedSets = nft.keyedSets
    unreadRules = []
    unreadNft = nft.foreign
  }

  /// nft 1.0.6 leaves the comments of tables and chains out of its JSON.
  var hasCommentsOnObjects: Bool {
    tables.contains { $0.comment != nil || $0.chains.contains { $0.comment != nil } }
  }

  /// The rules as a ruleset that the evaluator can run, without unread rules.
  public var ruleset: Ruleset {
    Ruleset(backend: backend, tables: tables, sets: sets, keyedSets: keyedSets)
  }

  /// The names of its tables and chains.
  public var names: DumpNames { DumpNames(tables, backend) }

  /// The enforcer's chains in a table that it writes to, and its rules in the built-in chains.
  func chains(of table: Table, _ traces: Traces) -> [ChainName: Chain] {
    var chains: [ChainName: Chain] = [:]
    for var chain in table.chains {
      if chain.base != nil, backend == .iptables {
        chain.rules = chain.rules.filter(traces.isBuiltInRule)
      } else if backend == .iptables, !traces.isChain(chain.name) {
        continue
      }
      chains[chain.name] = chain
    }
    return chains
  }
}

extension NodeRules {
  /// What other programs have on the node.
  public struct Foreign: Hashable, Sendable {
    public init() {}
    public var chains = 0
    public var rules = 0
    public var sets = 0
  }

  /// Counts what does not belong to the enforcer.
  func foreign(besides compared: [Table], _ traces: Traces) -> Foreign {
    var count = Foreign()
    for table in tables {
      let own = compared.contains { $0.name == table.name && $0.family == table.family }
      let chains = own ? self.chains(of: table, traces) : [:]
      for chain in table.chains {
        if chains[chain.name] == nil, chain.base == nil { count.chains += 1 }
        count.rules += chain.rules.count - (chains[chain.name]?.rules.count ?? 0)
      }
    }
    count.chains += unreadNft.filter { $0.kind == .chain }.count
    count.rules += unreadRules.count + unreadNft.reduce(0) { $0 + $1.rules }
    count.sets = unreadSets + unreadNft.filter { $0.kind == .set }.count
    count.sets += sets.filter { !traces.isSet($0.name) }.count
    return count
  }
}

// MARK: - What a dump shows about its node

extension NodeRules {
  /// Families for which the dump shows what the enforcer has written.
  public func families(_ traces: Traces) -> [IPFamily] {
    let relevant = tables.filter { backend == .iptables || traces.isTable($0.name) }
    return Set(relevant.map(\.family)).sorted()
  }

  /// Addresses of pods that have a chain on this node.
  public var podAddresses: Set<IPAddress> {
    var addresses: Set<IPAddress> = []
    for rule in tables.flatMap({ $0.chain("KUBE-ROUTER-FORWARD")?.rules ?? [] }) {
      for case .address(_, let cidr, false) in rule.matches where cidr.isHost { addresses.insert(cidr.network) }
    }
    return addresses
  }
}
