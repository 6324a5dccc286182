internal import Algorithms
internal import Apply
package import Kernel
package import Lowering
internal import NetpolModel
internal import Network
internal import RuleIR
internal import Synchronization
internal import Text

/// An enforcer that changes only what an event changes. It shows what is possible at best with a style's rules.
///
/// A pod's set elements are sent first, over a netlink socket that stays open: with nft in one transaction, with ipset
/// the ones that packets wait for before the others. The pod's chain follows when no event is waiting, as does
/// everything that the index doesn't cover, such as a rule that appears with its first peer. The rules are the style's,
/// except for the order of pods. The stamp in chain names stays the first one.
package final class IncrementalAgent: Enforcer {
  private let style: EnforcementStyle
  private let namespace: NetworkNamespace
  private let worker: NamespaceWorker
  private let onThreadStart: @Sendable () -> Void
  private let observer: @Sendable (SyncMoment) -> Void
  private let queue = SyncQueue()
  private let waiting = Mutex<[InformerEvent]>([])
  fileprivate let state: Mutex<State>
  private let failure = Mutex<(any Error)?>(nil)

  fileprivate struct State {
    var view: NodeView
    var loaded: Ruleset
    var memberships: SetMemberships
    /// Changes that were sent since `loaded` was last updated.
    var moved: [(added: [SetMemberships.Membership], removed: [SetMemberships.Membership])] = []
    var policiesChanged = false
  }

  package init(
    _ view: NodeView, style: EnforcementStyle, in namespace: NetworkNamespace, worker: NamespaceWorker,
    onThreadStart: @escaping @Sendable () -> Void, observer: @escaping @Sendable (SyncMoment) -> Void
  ) {
    self.style = style
    self.namespace = namespace
    self.worker = worker
    self.onThreadStart = onThreadStart
    self.observer = observer
    let loaded = style.lower(view).ruleset
    state = Mutex(State(view: view, loaded: loaded, memberships: SetMemberships(loaded.sets, view)))
  }

  deinit { queue.close() }

  package func start() throws {
    let loader = try RuleLoader(worker: worker)
    let (families, loaded) = state.withLock { ($0.view.families, $0.loaded) }
    switch loaded.backend {
    case .iptables: try loader.clear(families, in: namespace)
    // Removes what another enforcer left. If there is nothing, the error is ignored.
    case .nftables: try? loader.unload(loaded, in: namespace)
    }
    try loader.load(loaded, in: namespace)
    try startThread { [self] in serve() }
    queue.request(at: MonotonicClock.now)
    guard queue.waitUntilIdle(until: MonotonicClock.now + 60_000_000_000) else {
      throw LabError("the agent did not start within 60 s")
    }
    if let failure = failure.withLock({ $0 }) { throw failure }
  }

  package func notify(_ event: InformerEvent) {
    let now = MonotonicClock.now
    waiting.withLock { $0.append(event) }
    queue.request(at: now)
  }

  package func waitUntilIdle(timeout: Duration) throws {
    guard queue.waitUntilIdle(until: MonotonicClock.now + timeout.nanoseconds) else {
      throw LabError("the agent is still busy after \(timeText(timeout))")
    }
  }

  /// Always empty: the observer receives each sync instead.
  package func takeSyncs() -> [SyncRecord] { [] }

  package func close() {
    queue.close()
    queue.waitForEnd()
  }

  private func serve() {
    onThreadStart()
    do {
      let socket = try worker.run(in: namespace) { try NetlinkSocket(.netfilter) }
      let node = AgentNode(namespace: namespace, worker: worker, lock: try XtablesLock())
      queue.serve { requested in
        var run = SyncRun(requested: requested, on: node, observer: observer)
        var failure: (any Error)?
        do { try takeIn(&run, socket) } catch { failure = error }
        _ = run.end(failure)
      }
    } catch {
      failure.withLock { $0 = error }
      queue.close()
    }
  }

  private func takeIn(_ run: inout SyncRun, _ socket: borrowing NetlinkSocket) throws {
    let events = waiting.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
    try state.withLock { state in
      for event in events { try state.takeIn(event, style, &run, socket) }
      try state.catchUp(style, &run, socket)
    }
  }
}

extension IncrementalAgent.State {
  /// Applies an event and sends a pod's set elements. For other events, notes that policies may have changed.
  fileprivate mutating func takeIn(
    _ event: InformerEvent, _ style: EnforcementStyle, _ run: inout SyncRun, _ socket: borrowing NetlinkSocket
  ) throws {
    switch event {
    case .podAdded(let pod), .podUpdated(let pod):
      try run.step(.restoreSets) { _ in try change(view.pod(pod.id), pod, socket) }
    case .podDeleted(let id): try run.step(.restoreSets) { _ in try change(view.pod(id), nil, socket) }
    case .namespaceAdded, .namespaceUpdated, .namespaceDeleted, .policyAdded, .policyUpdated, .policyDeleted:
      _ = view.apply(event)
      policiesChanged = true
      return
    }
    // Done only now, because it moves elements in a list of all pods while packets would wait.
    _ = view.apply(event)
  }

  /// Changes only existing sets. Other sets come with their rules.
  private mutating func change(_ before: Pod?, _ after: Pod?, _ socket: borrowing NetlinkSocket) throws {
    let old = before.map(memberships.memberships) ?? []
    let new = after.map(memberships.memberships) ?? []
    // The sets that let packets pass come first, in the order of the index.
    let added = old.isEmpty ? new : new.filter(Set(new).subtracting(old).contains)
    let removed = new.isEmpty ? old : old.filter(Set(old).subtracting(new).contains)
    let name = { [places = memberships.places] (entry: SetMemberships.Membership) in places[entry.place].set }
    switch loaded.backend {
    case .iptables:
      // Packets wait only for these.
      let peers = added.prefix(while: \.isPeer)
      for entries in [peers, added[peers.endIndex...]] {
        var batch = IPSetBatch()
        for entry in entries { batch.add([entry.member.entry(of: .addresses)], to: name(entry)) }
        try batch.send(in: socket)
      }
      var batch = IPSetBatch()
      for entry in removed { batch.delete([entry.member.entry(of: .addresses)], from: name(entry)) }
      try batch.send(in: socket)
    case .nftables:
      let changes = RulesetChanges(added: added, removed: removed, memberships.places)
      if !changes.isEmpty { try NftTransaction(changes, of: loaded).send(in: socket) }
    }
    moved.append((added, removed))
  }

  /// Updates the known sets with what was sent, which takes longer than sending it.
  private mutating func noteMoves() {
    for (added, removed) in moved {
      for (index, entries) in Dictionary(grouping: removed, by: { memberships.places[$0.place].index }) {
        let leaving = Set(entries.map { CIDR($0.address) })
        loaded.sets[index].members.removeAll { leaving.contains($0.cidr) }
      }
      for entry in added {
        loaded.sets[memberships.places[entry.place].index].members.append(entry.member)
      }
    }
    moved = []
  }

  /// Applies everything else that the event changed, above all the pod's chain.
  fileprivate mutating func catchUp(
    _ style: EnforcementStyle, _ run: inout SyncRun, _ socket: borrowing NetlinkSocket
  ) throws {
    var wanted = run.step(.lower) { _ in style.lower(view).ruleset }
    noteMoves()
    switch wanted.backend {
    case .iptables: try replaceTables(by: wanted, &run, socket)
    case .nftables:
      let changes = loaded.changes(to: wanted)
      if !changes.isEmpty {
        try run.step(.baseChains) { _ in try NftTransaction(changes, of: loaded).send(in: socket) }
      }
      run.step(.cleanUp) { _ in }
      // Sets keep the size that they were created with.
      wanted.keyedSets = loaded.applying(changes).keyedSets
    }
    // If only elements changed, the names and their order are the same, and the index is still valid.
    let isSameList = loaded.sets.map(\.name) == wanted.sets.map(\.name)
    loaded = wanted
    if policiesChanged || !isSameList { memberships = SetMemberships(wanted.sets, view) }
    policiesChanged = false
  }

  private func replaceTables(
    by wanted: Ruleset, _ run: inout SyncRun, _ socket: borrowing NetlinkSocket
  ) throws {
    let sets = try SetChanges(from: loaded.sets, to: wanted.sets)
    try run.step(.restoreSets) { _ in try sets.additions.send(in: socket) }
    for table in wanted.tables {
      guard let own = loaded.table(table.name, table.family),
        let text = try FilterTableChanges(from: own, to: table).text
      else { continue }
      try run.step(.restoreRules, table.family) { run in
        let arguments = ["\(table.family.iptables)-restore", "--wait", "--noflush"]
        _ = try run.run(arguments, input: Array(text.utf8)).requireSuccess()
      }
    }
    try run.step(.restoreSets) { _ in try sets.removals.send(in: socket) }
    run.step(.cleanUp) { _ in }
  }
}

extension SetMemberships.Membership {
  fileprivate var member: NamedSet.Member { NamedSet.Member(CIDR(address)) }
}

extension RulesetChanges {
  /// Pods that are added to sets and removed from sets.
  fileprivate init(
    added: [SetMemberships.Membership], removed: [SetMemberships.Membership], _ places: [SetMemberships.Place]
  ) {
    self.init(.nftables)
    members = (added + removed).map(\.place).uniqued().map { place in
      Members(
        SetPlace(set: places[place].set, family: places[place].family), .addresses,
        removed: removed.filter { $0.place == place }.map(\.member),
        added: added.filter { $0.place == place }.map(\.member))
    }
  }
}
