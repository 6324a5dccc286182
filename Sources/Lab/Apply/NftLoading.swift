public import Kernel
internal import NetpolModel
public import RuleIR

/// Loads a ruleset into nf_tables over netlink, in one transaction: the same objects that `nft -f` makes of its text.
///
/// Without the host's CAP_NET_ADMIN a transaction is bounded by net.core.wmem_max. A larger ruleset goes in several, its
/// base chains in the last: nothing is judged before all is there, and what a refusal left behind is taken away.
///
/// Throws `RefusedNftObject` where the kernel refuses something, and `Unsupported` where nf_tables can't say it.
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

/// Changes a loaded ruleset in one transaction. False where that would be larger than a socket's buffer may be.
///
/// Throws `RefusedNftObject` where the kernel refuses something: then nothing has changed.
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

/// Takes the tables of a ruleset away, with everything in them.
public func unloadNftables(_ ruleset: Ruleset, in namespace: NetworkNamespace, on worker: NamespaceWorker) throws {
  var batch = NftBatch()
  for table in ruleset.tables { batch.deleteTable(table.name, table.family.netlink) }
  try worker.run(in: namespace) { try batch.send(in: try NetlinkSocket(.netfilter)) }
}
