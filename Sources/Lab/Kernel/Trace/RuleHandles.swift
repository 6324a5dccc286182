internal import CNftables
internal import Glibc

/// The rules of a network namespace, by the handles that nf_tables gives them (NFT_MSG_GETRULE,
/// linux/netfilter/nf_tables.h). iptables-nft's tables are among them.
public struct RuleHandles: Sendable {
  public struct Place: Hashable, Sendable {
    public let table: String
    public let chain: String
    /// From 0.
    public let index: Int
  }

  private struct Key: Hashable {
    let family: AddressFamily
    let table: String
    let handle: UInt64
  }

  private struct ChainKey: Hashable {
    let family: AddressFamily
    let table: String
    let chain: String
  }

  private var places: [Key: Place] = [:]
  private var hooks: [ChainKey: UInt32] = [:]

  /// Lists all chains and rules of the socket's namespace, in both families.
  public init(in socket: borrowing NetlinkSocket) throws(KernelError) {
    for family in AddressFamily.allCases {
      for message in try Self.list(NFT_MSG_GETCHAIN, family, in: socket) {
        let attributes = message.attributes(after: nfgenmsg.self)
        // NFTA_HOOK_HOOKNUM is 1.
        guard let table = attributes[UInt16(NFTA_CHAIN_TABLE.rawValue)]?.string,
          let chain = attributes[UInt16(NFTA_CHAIN_NAME.rawValue)]?.string,
          let hook = attributes[UInt16(NFTA_CHAIN_HOOK.rawValue)]?.nested[1]?.bigEndian(UInt32.self)
        else { continue }
        hooks[ChainKey(family: family, table: table, chain: chain)] = hook
      }
      var counts: [String: Int] = [:]
      for message in try Self.list(NFT_MSG_GETRULE, family, in: socket) {
        let attributes = message.attributes(after: nfgenmsg.self)
        guard let table = attributes[UInt16(NFTA_RULE_TABLE.rawValue)]?.string,
          let chain = attributes[UInt16(NFTA_RULE_CHAIN.rawValue)]?.string,
          let handle = attributes[UInt16(NFTA_RULE_HANDLE.rawValue)]?.bigEndian(UInt64.self)
        else { continue }
        let index = counts["\(table) \(chain)", default: 0]
        counts["\(table) \(chain)"] = index + 1
        places[Key(family: family, table: table, handle: handle)] = Place(table: table, chain: chain, index: index)
      }
    }
  }

  private static func list(
    _ what: nf_tables_msg_types, _ family: AddressFamily, in socket: borrowing NetlinkSocket
  ) throws(KernelError) -> [NetlinkMessage] {
    var request = NetlinkBuffer()
    let header = nfgenmsg(nfgen_family: family.number, version: UInt8(NFNETLINK_V0), res_id: 0)
    try request.appendMessage(
      type: UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(what.rawValue), flags: UInt16(NLM_F_REQUEST | NLM_F_DUMP),
      sequence: 1, header
    ) { _ in }
    return try socket.dump(request, "list rules")
  }

  /// The hook of an event's base chain, as in `enum nf_inet_hooks`. `nil` for another chain.
  public func hook(of event: TraceEvent) -> UInt32? {
    hooks[ChainKey(family: event.family, table: event.table, chain: event.chain)]
  }

  /// Where the rule of an event is. `nil` for an event without a rule, or a rule that came later.
  public func place(of event: TraceEvent) -> Place? {
    guard case .rule(let handle) = event.kind else { return nil }
    return places[Key(family: event.family, table: event.table, handle: handle)]
  }
}
