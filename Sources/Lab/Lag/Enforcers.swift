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
  /// Whether something else requests syncs all the time. The enforcers are never idle then.
  private let isChurned: Bool
  private static let patience = Duration.seconds(120)

  /// Starts one on each node and waits for its first sync. Where permitted, the enforcers' threads and programs run
  /// before ordinary processes, so that other load on the machine doesn't slow them down.
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

  /// Why syncs were aborted, each with its node.
  var failures: [String] { posts.flatMap { post in post.watch.failures.map { "\(post.node): \($0)" } } }

  /// Notifies all enforcers, as one API server would.
  func notify(_ events: [InformerEvent]) {
    for event in events { for post in posts { post.enforcer.notify(event) } }
  }

  /// Waits on every node until the rules of a sync that began at `moment` or later are in effect.
  func waitForEffect(since moment: UInt64) throws {
    for post in posts { try post.watch.waitForEffect(since: moment, timeout: Self.patience) }
  }

  /// Waits on every node for the end of a sync that began at `moment` or later. Returns these syncs by node.
  func waitForEnd(since moment: UInt64) throws -> [String: SyncRecord] {
    var syncs: [String: SyncRecord] = [:]
    for post in posts { syncs[post.node] = try post.watch.waitForEnd(since: moment, timeout: Self.patience) }
    return syncs
  }

  /// The same, but if an earlier sync knew these pods already, that one: it was running at the event, and had not read
  /// what the informers know.
  func waitForEnd(since moment: UInt64, knowing pods: [Pod]) throws -> [String: SyncRecord] {
    let syncs = try waitForEnd(since: moment)
    return Dictionary(
      uniqueKeysWithValues: posts.compactMap { post in
        let first = post.watch.recent.first { sync in
          sync.ended >= moment
            && pods.allSatisfy { pod in
              sync.view?.pods.contains { $0.id == pod.id && $0.podIPs == pod.podIPs && $0.labels == pod.labels } == true
            }
        }
        return (first ?? syncs[post.node]).map { (post.node, $0) }
      })
  }

  /// Notifies all enforcers and waits until they are done. Returns the first sync of each node that knew the events.
  @discardableResult
  func settle(_ events: [InformerEvent]) throws -> [String: SyncRecord] {
    let moment = MonotonicClock.now
    notify(events)
    let syncs = try waitForEnd(since: moment)
    // The watch has already reported these syncs. Each record holds a view of the whole node, so drop them here.
    for post in posts { post.enforcer.takeSyncs() }
    if isChurned { return syncs }
    // With several events, the last ones may have requested one more sync.
    for post in posts { try post.enforcer.waitUntilIdle(timeout: Self.patience) }
    return syncs
  }

  func close() { for post in posts { post.close() } }
}

extension Enforcers.Post {
  fileprivate func close() {
    enforcer.close()
    worker.close()
  }
}
