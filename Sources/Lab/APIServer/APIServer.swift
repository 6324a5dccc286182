internal import Glibc
public import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
public import NetpolModel
public import ServedAPI
internal import Synchronization

/// Serves a cluster's API over HTTP/1.1. Changes come from its clients, from `change`, and from the cluster's controllers.
public final class APIServer: Sendable {
  /// Where the server listens.
  public enum Place: Sendable {
    /// Port 0: any free one.
    case address(String, port: Int)
    /// A bound socket, which the server owns from then on. So it can be in another network namespace.
    case socket(Int32)
  }

  public struct Options: Sendable {
    /// The first part of every path. Who doesn't know it gets nothing: client-go sends no other secret over plain HTTP.
    public var token: String
    /// A watcher that takes nothing for this long is cut, in seconds.
    public var stallLimit = 60
    /// A watcher that wants bookmarks gets one this often, in seconds.
    public var bookmarkInterval = 60
    /// Tells of each request.
    public var log: Logger?

    public init(token: String) { self.token = token }
  }

  let options: Options
  private let group: MultiThreadedEventLoopGroup
  private let cluster: Mutex<ServedCluster>
  private let watches = Mutex<[ObjectIdentifier: WatchStream]>([:])
  private let controllerRun = Mutex<ControllerRun>(.init())
  private let listener = Mutex<(any Channel)?>(nil)
  private let connections = Mutex<[ObjectIdentifier: any Channel]>([:])

  /// When the cluster's controllers run next.
  private struct ControllerRun: Sendable {
    var due: APITime?
    var isStopped = false
  }

  public init(_ cluster: consuming sending ServedCluster, _ options: Options, threads: Int = 2) {
    self.options = options
    self.cluster = Mutex(cluster)
    group = MultiThreadedEventLoopGroup(numberOfThreads: max(threads, 1))
  }

  /// Listens, and returns the port. Throws `APIServerFailure` if it can't.
  public func start(at place: Place) throws -> Int {
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 256)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withPipeliningAssistance: false, withErrorHandling: true)
          try channel.pipeline.syncOperations.addHandler(RequestHandler(self))
          self.note(connection: channel)
        }
      }
    let channel: any Channel
    do {
      channel =
        switch place {
        case .address(let host, let port): try bootstrap.bind(host: host, port: port).wait()
        case .socket(let socket): try bootstrap.withBoundSocket(socket).wait()
        }
    } catch { throw APIServerFailure(place, error) }
    listener.withLock { $0 = channel }
    scheduleControllers()
    return channel.localAddress?.port ?? 0
  }

  /// Ends all connections. The server can't be started again.
  public func stop() {
    controllerRun.withLock { $0.isStopped = true }
    try? listener.withLock { $0 }?.close().wait()
    for connection in connections.withLock({ Array($0.values) }) { connection.close(promise: nil) }
    try? group.syncShutdownGracefully()
  }

  /// Reads or changes the cluster, and tells all watchers.
  @discardableResult public func change<Result>(
    _ body: (inout ServedCluster, APITime) -> sending Result
  ) -> sending Result {
    let result = cluster.withLock { body(&$0, .now) }
    afterChange()
    return result
  }

  /// The newest state. Nobody can change it through this.
  public var snapshot: ServedCluster { cluster.withLock { $0 } }

  func answer(_ request: APIRequest) -> APIAnswer {
    let (answer, isChanged) = cluster.withLock { cluster in
      let before = cluster.store.resourceVersion
      let answer = cluster.answer(request, .now)
      return (answer, cluster.store.resourceVersion != before)
    }
    if isChanged { afterChange() } else { scheduleControllers() }
    return answer
  }

  /// Changes after a resource version, and whether the watcher has fallen behind what is remembered.
  func events(after version: UInt64, limit: Int) -> Result<[ObjectEvent], APIStatus> {
    cluster.withLock { cluster in
      do throws(APIStatus) { return .success(try cluster.store.events(after: version, limit: limit)) } catch {
        return .failure(error)
      }
    }
  }

  var resourceVersion: UInt64 { cluster.withLock { $0.store.resourceVersion } }

  // MARK: - Watchers

  func note(_ watch: WatchStream) { watches.withLock { $0[ObjectIdentifier(watch)] = watch } }
  func forget(_ watch: WatchStream) { watches.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(watch)) } }

  private func note(connection channel: any Channel) {
    let id = ObjectIdentifier(channel)
    connections.withLock { $0[id] = channel }
    channel.closeFuture.whenComplete { _ in self.connections.withLock { _ = $0.removeValue(forKey: id) } }
  }

  private func afterChange() {
    for watch in watches.withLock({ Array($0.values) }) { watch.wake() }
    scheduleControllers()
  }

  // MARK: - Controllers

  private func scheduleControllers() {
    guard let due = cluster.withLock({ $0.nextDue }) else { return }
    let isSooner = controllerRun.withLock { run in
      if run.isStopped || run.due.map({ $0 <= due }) ?? false { return false }
      run.due = due
      return true
    }
    if !isSooner { return }
    let wait = max(due.milliseconds - APITime.now.milliseconds, 0)
    group.next().scheduleTask(in: .milliseconds(Int64(wait))) {
      let isStopped = self.controllerRun.withLock { run in
        run.due = nil
        return run.isStopped
      }
      if isStopped { return }
      let isChanged = self.cluster.withLock { cluster in
        let before = cluster.store.resourceVersion
        cluster.runControllers(.now)
        return cluster.store.resourceVersion != before
      }
      if isChanged { self.afterChange() } else { self.scheduleControllers() }
    }
  }
}

/// The server can't listen.
public struct APIServerFailure: UserFacingError, CustomStringConvertible {
  public let description: String
  public var exitStatus: ExitStatus { .badInput }

  init(_ place: APIServer.Place, _ error: any Error) {
    switch place {
    case .address(let host, let port):
      let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
      description = "can't listen at \(host):\(port): \(reason.lowercased()); give another --port, or 0 for any"
    case .socket: description = "can't listen at the socket: \(error)"
    }
  }
}
