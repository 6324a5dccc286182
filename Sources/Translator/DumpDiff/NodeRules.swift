public import Dumps
public import NetpolModel
public import RuleIR

/// The rules and sets that dumps of one node hold, whoever wrote them.
public struct NodeRules: Sendable {
  public let backend: Ruleset.Backend
  public let tables: [Table]
  public let sets: [NamedSet]
  /// Of nftables alone.
  public let keyedSets: [KeyedSet]
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
    keyedSets = []
    unreadRules = iptables.flatMap(\.foreign)
    unreadSets = ipset.foreign.count
  }

  /// What nft list ruleset printed, as text or JSON.
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

  /// The rules as a ruleset that the evaluator can run, without those that were not read.
  public var ruleset: Ruleset {
    Ruleset(backend: backend, tables: tables, sets: sets, keyedSets: keyedSets)
  }

  /// What it says at first sight.
  public var names: DumpNames { DumpNames(tables, backend) }

  /// The enforcer's chains in a table that it writes to, and what it writes into the built-in ones.
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
  /// What others have on the node.
  public struct Foreign: Hashable, Sendable {
    public init() {}
    public var chains = 0
    public var rules = 0
    public var sets = 0
  }

  /// Counts what is not the enforcer's.
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

// MARK: - What a dump tells of its node

extension NodeRules {
  /// Families of which the dump can say what the enforcer has written.
  public func families(_ traces: Traces) -> [IPFamily] {
    let relevant = tables.filter { backend == .iptables || traces.isTable($0.name) }
    return Set(relevant.map(\.family)).sorted()
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
