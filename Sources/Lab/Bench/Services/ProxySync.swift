internal import Apply
internal import Kernel
internal import NetpolModel
internal import Network
internal import Rendering
internal import RuleIR

/// A way in which kube-proxy's rules get into the kernel and change there, and a namespace for it.
///
/// Everything that is sent by a program is made in advance.
struct ProxySync {
  let world: ServiceWorld
  let mode: KubeProxyMode
  let way: String
  let namespace: NetworkNamespace
  let objects: ApplyBenchReport.RuleCount
  /// Bytes of text or messages for everything, and for one endpoint.
  let fullBytes, changeBytes: Int
  /// Brings the namespace into the state before the first sync.
  let reset: () throws -> Void
  let full: () throws -> Void
  /// Adds an endpoint, and takes it away again.
  let grow, shrink: () throws -> Void

  static func all(_ world: ServiceWorld, on worker: NamespaceWorker) throws -> [ProxySync] {
    try ProxyRules.modes.flatMap { mode in
      let (old, new) = (
        ServiceWorld.ruleset(world.view(mode)), ServiceWorld.ruleset(world.view(mode, growth: true))
      )
      return switch mode {
      case .iptables: [try restore(world, old, new, on: worker)]
      case .nftables: [try nft(world, mode, old, new, on: worker), try netlink(world, mode, old, new, on: worker)]
      }
    }
  }

  // MARK: - iptables mode

  /// `iptables-restore --noflush`, as kube-proxy runs it. The first sync writes all of its chains. Later ones write the
  /// chains that all Services share, and those of Services that changed (KEP-3453). Built-in chains and their jumps are
  /// there already.
  private static func restore(
    _ world: ServiceWorld, _ old: Ruleset, _ new: Ruleset, on worker: NamespaceWorker
  ) throws -> ProxySync {
    let lock = try XtablesLock()
    let loader = try RuleLoader(worker: worker)
    let namespace = try worker.makeNamespace()
    let skeleton = Ruleset(tables: old.tables.map(\.withoutProxyRules))
    let own = world.chainsOfChange
    let gone = Set(new.tables.flatMap(\.chains).map(\.name)).subtracting(old.tables.flatMap(\.chains).map(\.name))
    let command = { (text: String) in
      lock.command(["iptables-restore", "-w", "5", "--noflush", "--counters"], input: Array(text.utf8))
    }
    let whole = try restoreText(old) { _ in true }
    let growth = try restoreText(new, where: own.contains)
    let full = command(whole)
    let grow = command(growth)
    let shrink = command(try restoreText(old, removing: gone, where: own.contains))
    return ProxySync(
      world: world, mode: .iptables, way: "iptables-restore --noflush", namespace: namespace, objects: .init(old),
      fullBytes: whole.utf8.count, changeBytes: growth.utf8.count,
      reset: { try loader.load(skeleton, in: namespace) }, full: { try run(full, in: namespace, on: worker) },
      grow: { try run(grow, in: namespace, on: worker) }, shrink: { try run(shrink, in: namespace, on: worker) })
  }

  /// All tables as one input, without built-in chains. Chains that are `gone` are deleted from the nat table.
  private static func restoreText(
    _ ruleset: Ruleset, removing gone: Set<ChainName> = [], where isWritten: (ChainName) -> Bool
  ) throws -> String {
    try ruleset.tables.map { table in
      var table = table
      table.chains.removeAll { $0.base != nil || !isWritten($0.name) }
      if table.name != "nat" { return try iptablesRestoreText(table) }
      table.chains += gone.sorted().map { Chain(name: $0) }
      let deletions = gone.sorted().map { "-X \($0)\n" }.joined()
      return try iptablesRestoreText(table).replacing("COMMIT\n", with: deletions + "COMMIT\n")
    }.joined()
  }

  // MARK: - nftables mode

  /// `nft -f -`, as kube-proxy runs it.
  private static func nft(
    _ world: ServiceWorld, _ mode: KubeProxyMode, _ old: Ruleset, _ new: Ruleset, on worker: NamespaceWorker
  ) throws -> ProxySync {
    let loader = try RuleLoader(worker: worker)
    let namespace = try worker.makeNamespace()
    let command = { (text: String) in Command(["nft", "-f", "-"], input: Array(text.utf8)) }
    let whole = try nftText(old)
    let growth = try changesText(old.changes(to: new), of: new)
    let full = command(whole)
    let grow = command(growth)
    let shrink = command(try changesText(new.changes(to: old), of: old))
    return ProxySync(
      world: world, mode: mode, way: "nft -f", namespace: namespace, objects: .init(old), fullBytes: whole.utf8.count,
      changeBytes: growth.utf8.count, reset: { try loader.unload(old, in: namespace) },
      full: { try run(full, in: namespace, on: worker) }, grow: { try run(grow, in: namespace, on: worker) },
      shrink: { try run(shrink, in: namespace, on: worker) })
  }

  /// The changes as commands. Chains come before the elements that go to them, and are deleted after those.
  private static func changesText(_ changes: RulesetChanges, of ruleset: Ruleset) throws -> String {
    var text = ""
    for table in ruleset.tables {
      var commands = NftCommands(to: table)
      let own = changes.chains.filter { $0.table.name == table.name && $0.table.family == table.family }
      let written = own.flatMap { $0.fresh + $0.rewritten }
      for chain in written { commands.renew(chain) }
      for chain in written { try commands.addRules(of: chain) }
      for change in changes.elements where change.place.family == table.family {
        guard let set = ruleset.keyedSets.first(where: { $0.name == change.place.set && $0.family == table.family })
        else { continue }
        commands.delete(change.removed, from: set)
        commands.add(change.added, to: set)
      }
      for chain in own.flatMap(\.gone) { commands.delete(chain: chain) }
      text += commands.text
    }
    return text
  }

  /// The same as one transaction, without a program, over a socket that stays open.
  private static func netlink(
    _ world: ServiceWorld, _ mode: KubeProxyMode, _ old: Ruleset, _ new: Ruleset, on worker: NamespaceWorker
  ) throws -> ProxySync {
    let loader = try RuleLoader(worker: worker)
    let namespace = try worker.makeNamespace()
    let (come, gone) = (old.changes(to: new), new.changes(to: old))
    let open = try worker.run(in: namespace) { try OpenSocket() }
    return ProxySync(
      world: world, mode: mode, way: "one transaction over netlink", namespace: namespace, objects: .init(old),
      fullBytes: try NftTransaction(old).byteCount, changeBytes: try NftTransaction(come, of: old).byteCount,
      reset: { try loader.unload(old, in: namespace) }, full: { try NftTransaction(old).send(in: open.socket) },
      grow: { try NftTransaction(come, of: old).send(in: open.socket) },
      shrink: { try NftTransaction(gone, of: new).send(in: open.socket) })
  }

  private final class OpenSocket: Sendable {
    let socket: NetlinkSocket
    init() throws(KernelError) { socket = try NetlinkSocket(.netfilter) }
  }

  private static func run(_ command: Command, in namespace: NetworkNamespace, on worker: NamespaceWorker) throws {
    var command = command
    command.timeout = .seconds(600)
    do { try command.run(in: namespace, on: worker).requireSuccess() } catch let error as CommandFailure {
      guard !NetlinkSocket.canForceBuffers, error.stderr.contains("Message too long") else { throw error }
      throw LabError("an ordinary user can't load so many rules at once; run as root, or with fewer --services")
    }
  }
}

extension Table {
  /// The built-in chains with their jumps, and the chains that these jump to, without rules.
  fileprivate var withoutProxyRules: Table {
    let builtIn = chains.filter { $0.base != nil }
    let targets = Set(builtIn.flatMap(\.rules).flatMap(\.statements).flatMap(\.chains))
    return Table(name: name, family: family, chains: builtIn + targets.sorted().map { Chain(name: $0) })
  }
}
