public import Kernel
internal import NetpolModel
public import RuleIR

/// Loads a ruleset into nf_tables over netlink, in one transaction. Creates the same objects as `nft -f` from its text.
///
/// Without CAP_NET_ADMIN on the host, the size of a transaction is limited by net.core.wmem_max. A larger ruleset takes
/// several transactions, with the base chains in the last one, so that no packet is judged before everything is loaded.
/// If one is refused, what the earlier ones loaded is deleted.
///
/// Throws `RefusedNftObject` if the kernel refuses something, and `Unsupported` if nf_tables can't express it.
public func loadNftables(
  _ ruleset: Ruleset, in namespace: NetworkNamespace, on worker: NamespaceWorker, atMost limit: Int? = nil
) throws {
  let whole = try NftTransaction(ruleset)
  try worker.run(in: namespace) {
    let socket = try NetlinkSocket(.netfilter)
    let room = limit ?? socket.roomForSending(whole.byteCount)
    let transaction = whole.byteCount <= room ? whole : try NftTransaction(ruleset, atMost: room)
    try transaction.send(in: socket)
  }
}

/// Changes a loaded ruleset in one transaction. Returns false if that would be larger than a socket's buffer can be.
///
/// Throws `RefusedNftObject` if the kernel refuses something. Nothing has changed then.
func changeNftables(
  _ ruleset: Ruleset, _ changes: RulesetChanges, in namespace: NetworkNamespace, on worker: NamespaceWorker
) throws -> Bool {
  if changes.isEmpty { return true }
  let transaction = try NftTransaction(changes, of: ruleset)
  return try worker.run(in: namespace) {
    let socket = try NetlinkSocket(.netfilter)
    guard transaction.byteCount <= socket.roomForSending(transaction.byteCount) else { return false }
    try transaction.send(in: socket)
    return true
  }
}

/// Deletes the tables of a ruleset, with everything in them.
public func unloadNftables(_ ruleset: Ruleset, in namespace: NetworkNamespace, on worker: NamespaceWorker) throws {
  var batch = NftBatch()
  for table in ruleset.tables { batch.deleteTable(table.name, table.family.netlink) }
  try worker.run(in: namespace) { try batch.send(in: try NetlinkSocket(.netfilter)) }
}
