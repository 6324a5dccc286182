internal import Agent
internal import Kernel
internal import Lowering
internal import NetpolModel
internal import Network

/// The enforcers of all nodes that decide about a stream.
final class Enforcers: Sendable {
  fileprivate struct Post: Sendable {
    let node: String
    let enforcer: any Enforcer
    let watch: SyncWatch
    let worker: NamespaceWorker
  }
  private let posts: [Post]
  /// Whether something else asks for syncs all the time: they are never idle then.
  private let isChurned: Bool
  private static let patience = Duration.seconds(120)

  /// Starts one on each node and waits for its first sync. What they start runs, where it may, before ordinary processes:
  /// another one's load is not theirs.
  init(_ plan: LagPlan, _ options: LagOptions, style: EnforcementStyle, fabric: Fabric, isRealTime: Bool) throws {
    var posts: [Post] = []
    do {
      for name in plan.nodes {
        guard let node = plan.actors.before.node(name), let namespace = fabric.namespace(ofNode: name) else { continue }
        let worker = try NamespaceWorker()
        let hasten: @Sendable () -> Void = {
          guard isRealTime else { return }
          try? RealTimeScheduling.enter(priority: LagRun.enforcerPriority)
          RealTimeScheduling.keep(toLastProcessor: false)
        }
        try worker.onThread(hasten)
        let watch = SyncWatch()
        let view = NodeView(of: node, in: plan.actors.before)
        let enforcer = try options.agent.enforcer(
          view, style: style, in: namespace, worker: worker, onThreadStart: hasten, observer: { watch.note($0) })
        posts.append(Post(node: name, enforcer: enforcer, watch: watch, worker: worker))
        try enforcer.start()
      }
    } catch {
      for post in posts { post.close() }
      throw error
    }
    self.posts = posts
    isChurned = options.churn > 0
  }

  /// Why syncs were aborted, with their nodes.
  var failures: [String] { posts.flatMap { post in post.watch.failures.map { "\(post.node): \($0)" } } }

  /// Tells all of them, as one API server would.
  func notify(_ events: [InformerEvent]) {
    for event in events { for post in posts { post.enforcer.notify(event) } }
  }

  /// Waits on every node for the rules of a sync that began at this moment or later.
  func waitForEffect(since moment: UInt64) throws {
    for post in posts { try post.watch.waitForEffect(since: moment, timeout: Self.patience) }
  }

  /// By node: the sync that began at this moment or later, once it is over.
  func waitForEnd(since moment: UInt64) throws -> [String: SyncRecord] {
    var syncs: [String: SyncRecord] = [:]
    for post in posts { syncs[post.node] = try post.watch.waitForEnd(since: moment, timeout: Self.patience) }
    return syncs
  }

  /// Tells all of them, and waits until all is done.
  func settle(_ events: [InformerEvent]) throws {
    let moment = MonotonicClock.now
    notify(events)
    _ = try waitForEnd(since: moment)
    // The watch has told of them; each holds a view of the whole node.
    for post in posts { post.enforcer.takeSyncs() }
    if isChurned { return }
    // Of several events the last ones may have asked for one more.
    for post in posts { try post.enforcer.waitUntilIdle(timeout: Self.patience) }
  }

  func close() { for post in posts { post.close() } }
}

extension Enforcers.Post {
  fileprivate func close() {
    enforcer.close()
    worker.close()
  }
}
