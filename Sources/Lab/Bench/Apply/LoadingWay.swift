internal import Apply
internal import Kernel
internal import Lowering
internal import NetpolModel
internal import Network
internal import Rendering
internal import RuleIR

/// A way to load a ruleset into an empty namespace, and the namespace to load it into.
struct LoadingWay {
  let style: String
  let name: String
  private let ruleset: Ruleset
  private let namespace: NetworkNamespace
  private let worker: NamespaceWorker
  private let load: (inout Stopwatch, NetworkNamespace) throws -> Void

  /// Loads once, and then removes everything again.
  func run() throws -> Stopwatch.Result {
    var watch = Stopwatch()
    try load(&watch, namespace)
    let result = watch.result
    try RuleLoader(worker: worker).unload(ruleset, in: namespace)
    return result
  }

  /// The way that uses programs comes first: the others are compared with it. Texts are made in advance.
  static func all(_ style: EnforcementStyle, _ ruleset: Ruleset, on worker: NamespaceWorker) throws -> [LoadingWay] {
    let loads: [(String, (inout Stopwatch, NetworkNamespace) throws -> Void)] =
      switch style.backend {
      case .nftables: try nftables(ruleset, worker)
      case .iptables: try iptables(ruleset, worker)
      }
    return try loads.map { name, load in
      LoadingWay(
        style: style.name, name: name, ruleset: ruleset, namespace: try worker.makeNamespace(), worker: worker,
        load: load)
    }
  }

  private static func nftables(
    _ ruleset: Ruleset, _ worker: NamespaceWorker
  ) throws -> [(String, (inout Stopwatch, NetworkNamespace) throws -> Void)] {
    let program = Command(["nft", "-f", "-"], input: Array(try nftText(ruleset).utf8))
    return [
      (
        "nft -f",
        { _, namespace in
          do { try program.run(in: namespace, on: worker).requireSuccess() } catch let error as CommandFailure {
            // nft sends one transaction in one message, and has no way to do otherwise.
            guard !NetlinkSocket.canForceBuffers, error.stderr.contains("Message too long") else { throw error }
            throw LabError(
              "an ordinary user's nft -f can't load so many rules at once; run as root, or with fewer --policies and --pods"
            )
          }
        }
      ),
      (
        "one transaction over netlink",
        { watch, namespace in
          let transaction = try NftTransaction(ruleset)
          watch.lap("messages")
          let socket = try worker.run(in: namespace) { try NetlinkSocket(.netfilter) }
          try transaction.send(in: socket)
          watch.lap("kernel")
        }
      ),
    ]
  }

  private static func iptables(
    _ ruleset: Ruleset, _ worker: NamespaceWorker
  ) throws -> [(String, (inout Stopwatch, NetworkNamespace) throws -> Void)] {
    let lock = try XtablesLock()
    let sets = Command(["ipset", "restore"], input: Array(try ipsetRestoreText(ruleset.sets).utf8))
    let tables = try ruleset.tables.flatMap { table in
      RestoreParts(loadable: Array(try iptablesRestoreText(table).utf8)).parts.map { part in
        lock.command(
          ["\(table.family.iptables)-restore", "-w", "-T", table.name] + (part.appends ? ["--noflush"] : []),
          input: part.text)
      }
    }
    let loader = try RuleLoader(worker: worker)
    return [
      (
        "ipset restore, iptables-restore",
        { watch, namespace in
          try sets.run(in: namespace, on: worker).requireSuccess()
          watch.lap("ipset restore")
          for table in tables { try table.run(in: namespace, on: worker).requireSuccess() }
          watch.lap("iptables-restore")
        }
      ),
      ("ipsets over netlink, text and iptables-restore", { _, namespace in try loader.load(ruleset, in: namespace) }),
    ]
  }
}
