// Not covered: real time. The tests' clock goes from one due step to the next.
import NetpolModel
import Text

@testable import ServedAPI

/// A cluster whose time the test moves.
struct SimulatedCluster {
  var cluster: ServedCluster
  var now = APITime(milliseconds: 1_800_000_000_000)

  init(nodes: Int = 2, seed: UInt64 = 1, namespaces: [String] = ["shop"], pace: Controllers.Pace = .init()) {
    cluster = ServedCluster(ClusterSettings(), resourceVersion: 1000, pace: pace, seed: seed)
    for name in namespaces { create(.namespaces, name, namespace: "") }
    for number in 0..<nodes { create(.nodes, "node\(number)", namespace: "") }
    run(0)
  }

  /// As an API server stores a new object.
  mutating func create(_ type: ResourceType, _ name: String, namespace: String = "shop", _ json: JSON = .empty) {
    var json = json
    json[["metadata", "name"]] = .string(name)
    if type.isNamespaced { json[["metadata", "namespace"]] = .string(namespace) }
    cluster.put(ObjectKey(type, namespace, name), cluster.stamped(json.defaulted(type), now), now)
  }

  mutating func update(_ type: ResourceType, _ name: String, namespace: String = "shop", _ change: (inout JSON) -> Void)
  {
    let key = ObjectKey(type, namespace, name)
    guard var json = cluster.store.json(key) else { return }
    let spec = json["spec"]
    change(&json)
    json = json.defaulted(type)
    if json["spec"] != spec { json.raiseGeneration() }
    cluster.put(key, json, now)
    cluster.finishDeletion(key, now)
  }

  @discardableResult mutating func delete(
    _ type: ResourceType, _ name: String, namespace: String = "shop", gracePeriod: Int? = nil, orphaning: Bool = false
  ) -> JSON? {
    cluster.delete(ObjectKey(type, namespace, name), gracePeriod: gracePeriod, orphaning: orphaning, now)
  }

  /// Moves the clock, and does what becomes due.
  mutating func run(_ milliseconds: Int) {
    let end = now + milliseconds
    cluster.runControllers(now)
    while let due = cluster.controllers.nextDue, due <= end {
      now = max(now, due)
      cluster.runControllers(now)
    }
    now = end
  }

  func get(_ type: ResourceType, _ name: String, namespace: String = "shop") -> JSON? {
    cluster.store.json(ObjectKey(type, namespace, name))
  }

  func all(_ type: ResourceType, namespace: String? = "shop") -> [JSON] {
    cluster.store.all(type).filter { namespace == nil || $0.namespace == namespace }
  }

  func names(_ type: ResourceType, namespace: String? = "shop") -> [String] {
    all(type, namespace: namespace).map(\.name)
  }

  /// All objects as text, without resource versions.
  var text: String {
    cluster.store.types.sorted { $0.qualifiedPlural < $1.qualifiedPlural }
      .flatMap { cluster.store.all($0).map(\.text) }.joined(separator: "\n")
  }
}

extension JSON {
  var name: String { self["metadata"]?["name"]?.string ?? "" }
  var namespace: String { self["metadata"]?["namespace"]?.string ?? "" }
  var phase: String? { self["status"]?["phase"]?.string }
  var podIP: String? { self["status"]?["podIP"]?.string }
  var nodeName: String? { self["spec"]?["nodeName"]?.string }
  func at(_ path: String...) -> JSON? { self[path] }

  /// A pod's specification with one container.
  static func containers(_ ports: [JSON] = [], _ more: [String: JSON] = [:]) -> JSON {
    .object(
      more.merging(["containers": [["name": "main", "image": "example.org/app:1", "ports": .array(ports)]]]) { a, _ in a
      })
  }

  static func pod(_ labels: [String: String] = [:], ports: [JSON] = [], spec: [String: JSON] = [:]) -> JSON {
    ["metadata": ["labels": JSON(labels)], "spec": containers(ports, spec)]
  }

  /// A Deployment, ReplicaSet, StatefulSet, DaemonSet or Job whose pods have the label `app`.
  static func workload(
    _ app: String, replicas: Int? = nil, ports: [JSON] = [], pod: [String: JSON] = [:], _ spec: [String: JSON] = [:]
  ) -> JSON {
    var all: JSON = .object(spec)
    all.fill(["selector"], ["matchLabels": ["app": .string(app)]])
    all["template"] = .pod(["app": app], ports: ports, spec: pod)
    if let replicas { all["replicas"] = .integer(replicas) }
    return ["spec": all]
  }

  static func service(_ app: String, ports: [JSON] = [["port": 80]], _ spec: [String: JSON] = [:]) -> JSON {
    ["spec": .object(spec.merging(["selector": ["app": .string(app)], "ports": .array(ports)]) { a, _ in a })]
  }
}
