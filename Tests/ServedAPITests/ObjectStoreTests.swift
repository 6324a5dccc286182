// Not covered: what the server makes of it (APIServerTests).
import NetpolModel
import ServedAPI
import Testing
import Text

@Suite("The store of served objects") struct ObjectStoreTests {
  static func pod(_ name: String) -> ObjectKey { ObjectKey(.pods, "shop", name) }

  static func json(_ name: String, labels: [String: String] = [:]) -> JSON {
    [
      "apiVersion": "v1", "kind": "Pod",
      "metadata": ["namespace": "shop", "name": .string(name), "labels": JSON(labels)],
    ]
  }

  @Test("every change has a resource version above all before, and one that changes nothing has none") func versions() {
    var store = ObjectStore(resourceVersion: 100)
    let first = store.put(Self.pod("a"), Self.json("a"))
    #expect(first?.kind == .added && first?.resourceVersion == 101)
    #expect(store.put(Self.pod("a"), Self.json("a")) == nil && store.resourceVersion == 101)
    let second = store.put(Self.pod("a"), Self.json("a", labels: ["x": "y"]))
    #expect(second?.kind == .modified && second?.resourceVersion == 102 && second?.previous?.resourceVersion == 101)
    let third = store.remove(Self.pod("a"))
    #expect(third?.kind == .deleted && third?.resourceVersion == 103 && third?.object.labels == ["x": "y"])
    #expect(store.remove(Self.pod("a")) == nil)
    #expect(
      third.map { String(decoding: $0.object.bytes, as: UTF8.self).contains(#""resourceVersion":"103""#) } == true)
  }

  @Test("the objects of an earlier state are those that there were") func past() throws {
    var store = ObjectStore(resourceVersion: 0)
    var states: [UInt64: [String]] = [:]
    var random = SystemRandomNumberGenerator()
    var present: Set<String> = []
    for step in 0..<300 {
      let name = "p\(Int.random(in: 0..<20, using: &random))"
      if present.contains(name), Bool.random(using: &random) {
        store.remove(Self.pod(name))
        present.remove(name)
      } else {
        store.put(Self.pod(name), Self.json(name, labels: ["step": "\(step)"]))
        present.insert(name)
      }
      states[store.resourceVersion] = try store.objects(ObjectSelection(all: .pods)).map {
        "\($0.key.name) \($0.labels)"
      }
    }
    for (version, names) in states {
      let then = try store.objects(ObjectSelection(all: .pods), at: version).map { "\($0.key.name) \($0.labels)" }
      #expect(then == names)
    }
  }

  @Test("what is too old, or not yet, is expired") func expired() throws {
    var store = ObjectStore(resourceVersion: 10, limits: .init(events: 3))
    for number in 0..<5 { store.put(Self.pod("p\(number)"), Self.json("p\(number)")) }
    #expect(store.oldestResourceVersion == 12 && store.resourceVersion == 15)
    #expect(try store.events(after: 12).map(\.resourceVersion) == [13, 14, 15])
    #expect(try store.events(after: 15).isEmpty)
    for version: UInt64 in [5, 11, 16] {
      #expect { try store.events(after: version) } throws: { ($0 as? APIStatus)?.reason == .expired }
    }
    store.compact()
    #expect { try store.events(after: 14) } throws: { ($0 as? APIStatus)?.reason == .expired }
  }

  @Test("for a watcher, an object that begins to match is new, and one that ceases to is gone") func views() throws {
    var store = ObjectStore(resourceVersion: 0)
    let selection = try ObjectSelection(.pods, namespace: "shop", labelSelector: "app=web")
    let events = [
      store.put(Self.pod("a"), Self.json("a")), store.put(Self.pod("a"), Self.json("a", labels: ["app": "web"])),
      store.put(Self.pod("a"), Self.json("a", labels: ["app": "web", "x": ""])),
      store.put(Self.pod("a"), Self.json("a", labels: ["app": "db"])), store.remove(Self.pod("a")),
      store.put(Self.pod("b"), Self.json("b", labels: ["app": "web"])), store.remove(Self.pod("b")),
    ]
    let seen = events.compactMap(\.self).map { selection.view(of: $0)?.kind }
    #expect(seen == [nil, .added, .modified, .deleted, nil, .added, .deleted])
  }

  @Test(
    "queries of labels select as kubectl's do",
    arguments: [
      ("", true), ("app=web", true), ("app==web", true), ("app!=web", false), ("app=db", false), ("app", true),
      ("!app", false), ("!tier", true), ("app in (db, web)", true), ("app notin (db,web)", false),
      ("app in (web),tier notin (x)", true), ("app=web,app=db", false), ("tier!=x", true), ("e=", true),
      ("kubernetes.io/name in (x)", false),
    ])
  func labels(query: String, matches: Bool) throws {
    var store = ObjectStore(resourceVersion: 0)
    store.put(Self.pod("a"), Self.json("a", labels: ["app": "web", "e": ""]))
    let found = try store.objects(ObjectSelection(.pods, labelSelector: query))
    #expect(found.count == (matches ? 1 : 0))
  }

  @Test(
    "a query that is none is a bad request",
    arguments: [
      ("app in", ""), ("a b", ""), ("=x", ""), ("a=b=c", ""), ("app=a b", ""), ("-app=web", ""), ("app,", ""),
      ("app in (web", ""), ("a/b/c", ""), ("app inn (x)", ""), ("", "spec.color=red"), ("", "x"),
    ])
  func badQueries(labels: String, fields: String) {
    #expect { try ObjectSelection(.pods, labelSelector: labels, fieldSelector: fields) } throws: {
      ($0 as? APIStatus)?.reason == .badRequest
    }
  }

  @Test(
    "fields select pods",
    arguments: [
      ("metadata.name=a", ["a"]), ("metadata.namespace=shop,metadata.name!=a", ["b"]),
      ("spec.nodeName=n1", ["a"]), ("status.phase==Running", ["b"]), ("spec.nodeName=", ["b"]),
    ])
  func fields(query: String, names: [String]) throws {
    var store = ObjectStore(resourceVersion: 0)
    var (a, b) = (Self.json("a"), Self.json("b"))
    a["spec"] = ["nodeName": "n1"]
    b["status"] = ["phase": "Running"]
    store.put(Self.pod("a"), a)
    store.put(Self.pod("b"), b)
    let found = try store.objects(ObjectSelection(.pods, fieldSelector: query))
    #expect(found.map(\.key.name) == names)
  }
}
