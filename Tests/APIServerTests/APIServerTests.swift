// Not covered: kubectl and Python clients (Tests/Clients), and figures (docs/serve-api.md).
import Foundation
import Manifests
import NetpolModel
import Testing
import Text

@testable import APIServer
@testable import ServedAPI

/// A server on the loopback, and what a test asks of it.
final class ServedWorld: Sendable {
  static let world = """
    apiVersion: v1
    kind: Namespace
    metadata: {name: shop}
    ---
    apiVersion: v1
    kind: Pod
    metadata: {namespace: shop, name: web, labels: {app: web}}
    spec: {containers: [{name: c, image: i}]}
    ---
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {namespace: shop, name: p}
    spec: {podSelector: {}}

    """

  let server: APIServer
  let port: Int
  static let token = "s3cret"

  init(
    limits: ObjectStore.Limits = .init(), resourceVersion: UInt64 = 1_000_000,
    _ change: (inout APIServer.Options) -> Void = { _ in }
  ) throws {
    let sources = [ManifestSource(name: "world.yaml", text: Self.world)]
    let cluster = try ServedCluster(
      readManifests(sources), fileObjects(sources), resourceVersion: resourceVersion,
      pace: .init(bind: 1, start: 1, stop: 1), seed: 1, limits: limits, .now)
    var options = APIServer.Options(token: Self.token)
    change(&options)
    server = APIServer(cluster, options)
    port = try server.start(at: .address("127.0.0.1", port: 0))
  }

  deinit { server.stop() }

  func connect(receiveBuffer: Int32? = nil) throws -> RawConnection {
    try RawConnection(port: port, receiveBuffer: receiveBuffer)
  }

  static func request(
    _ method: String, _ path: String, _ body: String = "", headers: [String] = [], token: String = token
  ) -> String {
    (["\(method) /\(token)\(path) HTTP/1.1", "Host: x", "Content-Length: \(body.utf8.count)"] + headers + ["", body])
      .joined(separator: "\r\n")
  }

  /// The answer to one request on a connection of its own.
  func ask(
    _ method: String, _ path: String, _ body: String = "", headers: [String] = []
  ) throws -> (code: Int, json: JSON) {
    let connection = try connect()
    try connection.send(Self.request(method, path, body, headers: headers))
    let head = try connection.head()
    let text = try connection.body(head)
    return (head.code, text.startsAsJSON ? try JSON(reading: text, named: "answer") : .string(text))
  }

  /// Opens a watch whose head has come.
  func watch(_ path: String, receiveBuffer: Int32? = nil) throws -> RawConnection {
    let connection = try connect(receiveBuffer: receiveBuffer)
    try connection.send(Self.request("GET", path))
    let head = try connection.head()
    if head.code != 200 { throw RawConnection.Failure(description: "\(path): \(head.code)") }
    return connection
  }

  static func pod(_ name: String) -> String {
    #"{"metadata":{"name":"\#(name)"},"spec":{"containers":[{"name":"c","image":"i"}]}}"#
  }

  static let pods = "/api/v1/namespaces/shop/pods"

  /// Changes a pod's label from within, without HTTP.
  func label(_ name: String, _ value: String) {
    server.change { cluster, now in
      let key = ObjectKey(.pods, "shop", name)
      guard var pod = cluster.store.json(key) else { return }
      pod[["metadata", "labels", "n"]] = .string(value)
      cluster.put(key, pod, now)
    }
  }
}

extension RawConnection {
  /// The next event of a watch. Throws at its end.
  func event(_ patience: Duration = .seconds(10)) throws -> (type: String, object: JSON) {
    guard let line = try line(patience) else { throw Failure(description: "the stream has ended") }
    let json = try JSON(reading: line, named: "event")
    return (json["type"]?.string ?? "", json["object"] ?? .empty)
  }
}

@Suite("The API's server") struct APIServerTests {
  @Test(
    "a watch-list streams what there is, the marked bookmark, and every change, also for a type without objects",
    arguments: [
      ("/api/v1/pods", "Pod", 1), ("/api/v1/nodes", "Node", 1), ("/api/v1/namespaces", "Namespace", 5),
      ("/api/v1/services", "Service", 0), ("/apis/networking.k8s.io/v1/networkpolicies", "NetworkPolicy", 1),
      ("/apis/discovery.k8s.io/v1/endpointslices", "EndpointSlice", 0),
    ])
  func watchList(path: String, kind: String, count: Int) throws {
    let world = try ServedWorld()
    let query =
      "watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=300&timeout=5m0s"
    let watch = try world.watch("\(path)?\(query)")
    for _ in 0..<count {
      let event = try watch.event()
      #expect(event.type == "ADDED" && event.object["kind"]?.string == kind)
      #expect(event.object["metadata"]?["uid"]?.string?.isEmpty == false)
    }
    let bookmark = try watch.event()
    #expect(bookmark.type == "BOOKMARK" && bookmark.object["kind"]?.string == kind)
    #expect(bookmark.object["metadata"]?["annotations"] == ["k8s.io/initial-events-end": "true"])
    let version = UInt64(bookmark.object["metadata"]?["resourceVersion"]?.string ?? "") ?? 0
    #expect(version == world.server.resourceVersion)
    if kind == "Pod" {
      #expect(try world.ask("POST", ServedWorld.pods, ServedWorld.pod("new")).code == 201)
      let added = try watch.event()
      #expect(added.type == "ADDED" && added.object["metadata"]?["name"] == "new")
    }
  }

  @Test("a list, and a watch from its resource version, miss nothing that came in between") func listAndWatch() throws {
    let world = try ServedWorld()
    let list = try world.ask("GET", "/api/v1/pods?limit=500&resourceVersion=0").json
    #expect(list["kind"] == "PodList" && list["items"]?.array.count == 1)
    _ = try world.ask("POST", ServedWorld.pods, ServedWorld.pod("between"))
    let version = list["metadata"]?["resourceVersion"]?.string ?? ""
    let watch = try world.watch(
      "/api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersion=\(version)&timeoutSeconds=300")
    let event = try watch.event()
    #expect(event.type == "ADDED" && event.object["metadata"]?["name"] == "between")
  }

  @Test("a watch from nowhere begins with what there is") func watchFromNowhere() throws {
    let world = try ServedWorld()
    for query in ["watch=true", "watch=1&resourceVersion=0"] {
      let event = try world.watch("/api/v1/pods?\(query)").event()
      #expect(event.type == "ADDED" && event.object["metadata"]?["name"] == "web")
    }
  }

  @Test("a watch ends in time with its last chunk, the connection goes on, and nothing is lost or doubled")
  func timeout() throws {
    let world = try ServedWorld()
    let connection = try world.connect()
    var version = String(world.server.resourceVersion)
    var seen: [String] = []
    // A thread of its own: other tests may keep the tasks' threads busy.
    Thread.detachNewThread {
      for number in 0..<300 {
        world.label("web", "\(number)")
        Thread.sleep(forTimeInterval: 0.008)
      }
    }
    let end = ContinuousClock.now + .seconds(30)
    while seen.last != "299", ContinuousClock.now < end {
      try connection.send(
        ServedWorld.request("GET", "/api/v1/pods?watch=true&resourceVersion=\(version)&timeoutSeconds=1"))
      #expect(try connection.head().code == 200)
      while let line = try connection.line() {
        let object = try JSON(reading: line, named: "event")["object"]
        version = object?["metadata"]?["resourceVersion"]?.string ?? ""
        seen.append(object?["metadata"]?["labels"]?["n"]?.string ?? "")
      }
    }
    #expect(seen == (0..<300).map { "\($0)" })
  }

  @Test("after a restart, a client's old resource version is expired, and new ones are higher") func restart() throws {
    let old: String
    do {
      let world = try ServedWorld(resourceVersion: 1_000_000)
      old = String(world.server.resourceVersion)
    }
    let world = try ServedWorld(resourceVersion: 2_000_000)
    #expect(try world.ask("GET", "/api/v1/pods?watch=true&resourceVersion=\(old)").code == 410)
    let list = try world.ask("GET", "/api/v1/pods").json
    let new = UInt64(list["metadata"]?["resourceVersion"]?.string ?? "") ?? 0
    #expect(new > UInt64(old) ?? .max)
  }

  @Test("a watcher that falls behind the history is told so in its stream, and others are not kept") func slowReader()
    throws
  {
    let world = try ServedWorld(limits: .init(events: 300)) { $0.stallLimit = 60 }
    let version = world.server.resourceVersion
    // Its window is small, so the server soon can't write.
    let slow = try world.watch("/api/v1/pods?watch=true&resourceVersion=\(version)", receiveBuffer: 4096)
    let quick = try world.watch("/api/v1/pods?watch=true&resourceVersion=\(version)")
    for number in 0..<3000 {
      world.label("web", "\(number)-\(String(repeating: "x", count: 50))")
      if number % 100 == 99 { for _ in 0..<100 { _ = try quick.event() } }
    }
    var last = (type: "", object: JSON.empty)
    var count = 0
    while let line = try slow.line() {
      let json = try JSON(reading: line, named: "event")
      last = (json["type"]?.string ?? "", json["object"] ?? .empty)
      count += 1
    }
    #expect(last.type == "ERROR" && last.object["code"] == 410 && last.object["reason"] == "Expired")
    #expect(count < 3000)
  }

  @Test("a reader that takes nothing is cut") func stalledReader() throws {
    let world = try ServedWorld { $0.stallLimit = 1 }
    let slow = try world.watch(
      "/api/v1/pods?watch=true&resourceVersion=\(world.server.resourceVersion)", receiveBuffer: 4096)
    for number in 0..<3000 { world.label("web", "\(number)-\(String(repeating: "x", count: 50))") }
    Thread.sleep(forTimeInterval: 4)
    // What was in the kernel's buffers still comes, and then the end without a last chunk.
    #expect(slow.ends(in: .seconds(20)))
    #expect(try world.ask("GET", "/readyz").code == 200)
  }

  @Test("a connection that is reset in the middle of an event loses nothing after the next watch") func reset() throws {
    let world = try ServedWorld()
    let version = world.server.resourceVersion
    let first = try world.watch("/api/v1/pods?watch=true&resourceVersion=\(version)")
    for number in 0..<50 { world.label("web", "\(number)") }
    var last = ""
    for _ in 0..<20 { last = try first.event().object["metadata"]?["resourceVersion"]?.string ?? "" }
    first.reset()
    let second = try world.watch("/api/v1/pods?watch=true&resourceVersion=\(last)")
    for number in 20..<50 { #expect(try second.event().object["metadata"]?["labels"]?["n"] == .string("\(number)")) }
  }

  @Test("all watchers see the same order") func order() throws {
    let world = try ServedWorld()
    let version = world.server.resourceVersion
    let watches = try (0..<3).map { _ in try world.watch("/api/v1/pods?watch=true&resourceVersion=\(version)") }
    DispatchQueue.concurrentPerform(iterations: 4) { worker in
      for number in 0..<50 { world.label("web", "\(worker)-\(number)") }
    }
    let seen = try watches.map { watch in
      try (0..<200).map { _ in try watch.event().object["metadata"]?["resourceVersion"]?.string ?? "" }
    }
    #expect(Set(seen).count == 1)
    let versions = seen[0].compactMap { UInt64($0) }
    #expect(versions == versions.sorted() && Set(versions).count == 200)
  }

  @Test("selectors hold in a watch: what begins to match is new, what ceases to is gone") func selectors() throws {
    let world = try ServedWorld()
    let version = world.server.resourceVersion
    let labels = try world.watch("/api/v1/pods?watch=true&resourceVersion=\(version)&labelSelector=n%3D1")
    let fields = try world.watch(
      "/api/v1/pods?watch=true&resourceVersion=\(version)&fieldSelector=metadata.name%3Dnone")
    for value in ["1", "2"] { world.label("web", value) }
    #expect(try labels.event().type == "ADDED")
    #expect(try labels.event().type == "DELETED")
    #expect(throws: RawConnection.Failure.self) { try fields.event(.milliseconds(300)) }
  }

  @Test(
    "who doesn't know the secret gets nothing", arguments: ["/api", "/wrong/api", "/", "/s3cre/api", "/s3crett/api"])
  func secret(path: String) throws {
    let world = try ServedWorld()
    let connection = try world.connect()
    try connection.send("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
    let head = try connection.head()
    #expect(head.code == 401)
    #expect(try connection.body(head).contains("Unauthorized"))
  }

  @Test("a slash at the end, a body without a type, and requests in one go are answered") func shapes() throws {
    let world = try ServedWorld()
    for path in ["/api/", "/apis/", "/version/", "/api/v1/", "/api/v1/pods/"] {
      #expect(try world.ask("GET", path).code == 200)
    }
    #expect(try world.ask("POST", ServedWorld.pods, ServedWorld.pod("typeless")).code == 201)
    let connection = try world.connect()
    try connection.send(
      (0..<20).map { ServedWorld.request("GET", $0 % 2 == 0 ? "/version" : "/api/v1/pods") }.joined())
    for number in 0..<20 {
      let head = try connection.head()
      #expect(try connection.body(head).contains(number % 2 == 0 ? "gitVersion" : "PodList"))
    }
  }

  @Test("what is no request, or too large, ends alone") func hostile() throws {
    let world = try ServedWorld()
    let broken = try world.connect()
    try broken.send("NONSENSE\r\n\r\n")
    #expect(broken.ends(in: .seconds(10)))
    #expect(try world.ask("POST", ServedWorld.pods, String(repeating: "x", count: (3 << 20) + 1)).code == 413)
    #expect(try world.ask("PUT", "/api/v1/pods", "{}").code == 405)
    #expect(try [400, 405].contains(world.ask("BREW", "/api/v1/pods").code))
    #expect(
      try world.ask(
        "POST", ServedWorld.pods, "k8s\u{0}", headers: ["Content-Type: application/vnd.kubernetes.protobuf"]
      ).code == 415)
    let head = try world.connect()
    try head.send(ServedWorld.request("HEAD", "/api/v1/pods"))
    #expect(try head.head().code == 200)
    #expect(try world.ask("GET", "/api/v1/pods").code == 200)
  }

  @Test("bookmarks tell quiet watchers how far they are") func bookmarks() throws {
    let world = try ServedWorld {
      $0.bookmarkInterval = 1
    }
    let watch = try world.watch(
      "/api/v1/services?watch=true&allowWatchBookmarks=true&resourceVersion=\(world.server.resourceVersion)")
    world.label("web", "x")
    let bookmark = try watch.event()
    #expect(bookmark.type == "BOOKMARK" && bookmark.object["kind"] == "Service")
    #expect(bookmark.object["metadata"]?["resourceVersion"]?.string == String(world.server.resourceVersion))
    #expect(bookmark.object["metadata"]?["annotations"] == nil)
  }

  @Test("pods that a client makes get a node and an address as a watcher sees it, step by step") func steps() throws {
    let world = try ServedWorld()
    let watch = try world.watch("\(ServedWorld.pods)?watch=true&resourceVersion=\(world.server.resourceVersion)")
    _ = try world.ask("POST", ServedWorld.pods, ServedWorld.pod("new"))
    let (made, bound, running) = (try watch.event(), try watch.event(), try watch.event())
    #expect(made.type == "ADDED" && made.object["spec"]?["nodeName"] == nil && made.object["status"]?["podIP"] == nil)
    #expect(bound.object["spec"]?["nodeName"]?.string != nil && bound.object["status"]?["podIP"] == nil)
    #expect(running.object["status"]?["podIP"]?.string != nil && running.object["status"]?["phase"] == "Running")
    _ = try world.ask("DELETE", "\(ServedWorld.pods)/new")
    let marked = try watch.event()
    #expect(marked.type == "MODIFIED" && marked.object["metadata"]?["deletionTimestamp"] != nil)
    #expect(try watch.event().type == "DELETED")
  }
}
