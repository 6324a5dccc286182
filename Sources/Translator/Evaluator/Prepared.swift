internal import NetpolModel
internal import RuleIR
internal import Synchronization

/// A table with names resolved to indexes.
struct PreparedTable: Sendable {
  let name: String
  let family: IPFamily
  let chains: [PreparedChain]
  /// For the verdicts of maps.
  let chainIndex: [ChainName: Int]

  init(_ table: Table, setIndex: [SetName: Int], sharing shared: inout PreparedParts) {
    name = table.name
    family = table.family
    let chainIndex = Dictionary(table.chains.enumerated().map { ($1.name, $0) }) { first, _ in first }
    self.chainIndex = chainIndex
    if case .fewPackets = shared.use {
      let later = ChainsOnDemand(table.chains, chainIndex, setIndex)
      chains = table.chains.indices.map { PreparedChain(table.chains[$0], at: $0, of: later) }
      return
    }
    var chains: [PreparedChain] = []
    chains.reserveCapacity(table.chains.count)
    for chain in table.chains { chains.append(shared.prepared(chain, in: table, chainIndex, setIndex)) }
    self.chains = chains
  }
}

struct PreparedChain: Sendable {
  let name: ChainName
  let base: Chain.Base?
  /// The pod that it is for.
  let pod: PodID?
  private let content: Content

  private enum Content {
    case made(PreparedRules)
    case onDemand(ChainsOnDemand, Int)
  }

  init(_ chain: Chain, _ chainIndex: [ChainName: Int], _ setIndex: [SetName: Int]) {
    self.init(chain, .made(PreparedRules(chain, chainIndex, setIndex)))
  }

  fileprivate init(_ chain: Chain, at place: Int, of later: ChainsOnDemand) {
    self.init(chain, .onDemand(later, place))
  }

  private init(_ chain: Chain, _ content: Content) {
    name = chain.name
    base = chain.base
    pod = chain.origin?.pod
    self.content = content
  }

  private var all: PreparedRules {
    switch content {
    case .made(let rules): rules
    case .onDemand(let later, let place): later.rules(place)
    }
  }
  var rules: [PreparedRule] { all.rules }
  /// By rule.
  var firstTests: [FirstTest] { all.firstTests }
}

private struct PreparedRules: Sendable {
  let rules: [PreparedRule]
  let firstTests: [FirstTest]

  init(_ chain: Chain, _ chainIndex: [ChainName: Int], _ setIndex: [SetName: Int]) {
    rules = chain.rules.map { rule in
      PreparedRule(
        source: rule, matches: rule.matches.map { PreparedMatch($0, setIndex) },
        statements: rule.statements.map { PreparedStatement($0, chainIndex, setIndex) })
    }
    firstTests = rules.map { FirstTest($0.matches) }
  }
}

/// A table's chains, each prepared when it is asked for first. One packet meets few of a node's thousands of chains.
private final class ChainsOnDemand: Sendable {
  private let chains: [Chain]
  private let chainIndex: [ChainName: Int]
  private let setIndex: [SetName: Int]
  private let made = Mutex<[Int: PreparedRules]>([:])

  init(_ chains: [Chain], _ chainIndex: [ChainName: Int], _ setIndex: [SetName: Int]) {
    self.chains = chains
    self.chainIndex = chainIndex
    self.setIndex = setIndex
  }

  func rules(_ place: Int) -> PreparedRules {
    made.withLock { made in
      if let known = made[place] { return known }
      let rules = PreparedRules(chains[place], chainIndex, setIndex)
      made[place] = rules
      return rules
    }
  }
}

struct PreparedRule: Sendable {
  let source: Rule
  let matches: [PreparedMatch]
  let statements: [PreparedStatement]
}

enum PreparedMatch: Hashable, Sendable {
  case address(Side, CIDR, negated: Bool)
  case inSet(Side, Int, negated: Bool)
  case addresses(Side, [CIDR], negated: Bool)
  case keyed([PacketField], Int)
  case transport(Transport)
  case ports(Transport, [PortRange])
  case sourcePort(Transport, PortRange)
  case icmpType(UInt8)
  case conntrack(Set<ConntrackState>)
  case translated
  case bridged
  case local(Side)
  case mark(Mark, negated: Bool)
  case limit
  case random(UInt32)
  case codePoint(UInt8)

  init(_ match: Match, _ setIndex: [SetName: Int]) {
    self =
      switch match {
      case .address(let side, let cidr, let negated): .address(side, cidr, negated: negated)
      // The ruleset is well formed, so the name resolves.
      case .inSet(let side, let name, let negated): .inSet(side, setIndex[name] ?? 0, negated: negated)
      case .addresses(let side, let cidrs, let negated): .addresses(side, cidrs, negated: negated)
      case .keyed(let fields, let name): .keyed(fields, setIndex[name] ?? 0)
      case .transport(let transport): .transport(transport)
      case .port(let transport, let range): .ports(transport, [range])
      case .sourcePort(let transport, let range): .sourcePort(transport, range)
      case .multiport(let transport, let ranges): .ports(transport, ranges)
      case .icmpType(let type): .icmpType(type)
      case .conntrack(let states): .conntrack(states)
      case .translated: .translated
      case .bridged: .bridged
      case .local(let side): .local(side)
      case .mark(let mark, let negated): .mark(mark, negated: negated)
      case .limit: .limit
      case .random(let share): .random(share)
      case .codePoint(let wanted): .codePoint(wanted)
      }
  }
}

enum PreparedStatement: Sendable {
  /// Counts or logs: no effect on the packet.
  case nothing
  case setMark(Mark)
  case setMarkFrom([PacketField], Int)
  case jump(Int)
  case goto(Int)
  case verdictFrom([PacketField], Int)
  case `return`, accept, drop
  case reject(Statement.Rejection)
  case dnat(IPAddress, UInt16?)
  case masquerade
  case notrack

  init(_ statement: Statement, _ chainIndex: [ChainName: Int], _ setIndex: [SetName: Int]) {
    self =
      switch statement {
      case .counter, .log: .nothing
      case .setMark(let mark): .setMark(mark)
      case .setMarkFrom(let fields, let map): .setMarkFrom(fields, setIndex[map] ?? 0)
      case .jump(let name): .jump(chainIndex[name] ?? 0)
      case .goto(let name): .goto(chainIndex[name] ?? 0)
      case .verdictFrom(let fields, let map): .verdictFrom(fields, setIndex[map] ?? 0)
      // Always takes the first of several choices, so that a user can predict the result.
      case .gotoRandomly(let names): names.first.map { .goto(chainIndex[$0] ?? 0) } ?? .nothing
      case .return: .return
      case .accept: .accept
      case .drop: .drop
      case .reject(let kind): .reject(kind)
      case .dnat(let address, let port): .dnat(address, port)
      case .dnatRandomly(let targets): targets.first.map { .dnat($0.address, $0.port) } ?? .nothing
      case .masquerade: .masquerade
      case .notrack: .notrack
      }
  }
}

/// A set prepared for lookups: a table of prefixes for each length, longest first.
struct PreparedSet: Sendable {
  private var byLength: [(length: Int, nomatch: [IPAddress: Bool])]
  /// All members, if they are single addresses.
  let addresses: [IPAddress]?
  /// Equal for one set of several nodes.
  let number: Int

  init(_ set: NamedSet, number: Int = 0) {
    self.number = number
    let members = set.stored
    addresses = members.allSatisfy { $0.cidr.isHost && !$0.nomatch } ? members.map(\.cidr.network) : nil
    byLength = Dictionary(grouping: members, by: \.cidr.prefixLength)
      .map { ($0.key, Dictionary($0.value.map { ($0.cidr.network, $0.nomatch) }) { _, last in last }) }
      .sorted { $0.0 > $1.0 }
  }

  /// All networks that it names, single addresses too.
  var networks: [CIDR] {
    byLength.flatMap { length, entries in entries.keys.map { CIDR($0, prefixLength: length) } }
  }

  /// The longest prefix decides. This is also exact for addresses (one length) and for intervals (prefixes don't
  /// overlap).
  func contains(_ address: IPAddress) -> Bool {
    for (length, entries) in byLength {
      if let nomatch = entries[CIDR(address, prefixLength: length).network] { return !nomatch }
    }
    return false
  }
}

/// The sets and chains of several nodes, each prepared once.
public struct PreparedParts: Sendable {
  private struct ChainPlace: Hashable {
    let table: String
    let family: IPFamily
    let chain: ChainName
  }
  private var sets: [SetPlace: (set: NamedSet, prepared: PreparedSet)] = [:]
  private var chains: [ChainPlace: (chain: Chain, indexes: [Int], prepared: PreparedChain)] = [:]
  private var setCount = 0
  fileprivate let use: Use

  /// What the evaluators are for.
  public enum Use: Sendable {
    /// Many packets on many nodes: equal parts are looked for, and prepared once.
    case manyNodes
    /// Many packets.
    case manyPackets
    /// A few packets: chains are prepared when one enters them.
    case fewPackets
  }

  public init(for use: Use) { self.use = use }

  mutating func prepared(_ set: NamedSet) -> PreparedSet {
    let place = SetPlace(set: set.name, family: set.family)
    // Arrays with one buffer are equal at once.
    if let known = sets[place], known.set.kind == set.kind, known.set.members == set.members { return known.prepared }
    let prepared = PreparedSet(set, number: setCount)
    setCount += 1
    if case .manyNodes = use { sets[place] = (set, prepared) }
    return prepared
  }

  mutating func prepared(
    _ chain: Chain, in table: Table, _ chainIndex: [ChainName: Int], _ setIndex: [SetName: Int]
  ) -> PreparedChain {
    guard case .manyNodes = use else { return PreparedChain(chain, chainIndex, setIndex) }
    let place = ChainPlace(table: table.name, family: table.family, chain: chain.name)
    // What the chain names must have the same indexes too.
    let indexes = chain.rules.flatMap { rule in
      rule.matches.compactMap { $0.setName.map { setIndex[$0] ?? 0 } }
        + rule.statements.flatMap {
          $0.chains.map { chainIndex[$0] ?? 0 } + ($0.mapName.map { [setIndex[$0] ?? 0] } ?? [])
        }
    }
    if let known = chains[place], known.chain == chain, known.indexes == indexes { return known.prepared }
    let prepared = PreparedChain(chain, chainIndex, setIndex)
    chains[place] = (chain, indexes, prepared)
    return prepared
  }
}

extension Match {
  fileprivate var setName: SetName? {
    switch self {
    case .inSet(_, let name, _), .keyed(_, let name): name
    default: nil
    }
  }
}

extension Statement {
  fileprivate var mapName: SetName? {
    switch self {
    case .setMarkFrom(_, let map), .verdictFrom(_, let map): map
    default: nil
    }
  }
}
