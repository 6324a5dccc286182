// Not covered: writes of several clients at the same instant, which the server puts in a row.
import NetpolModel
import Statistics
import Testing
import Text

@testable import ServedAPI

@Suite("Controllers under many changes") struct ControllersRandomTests {
  private static let namespaces = ["a", "b", "c"]
  private static let apps = ["web", "db", "api"]

  /// Something that a client does.
  private static func change(_ it: inout SimulatedCluster, _ random: inout SplitMix64, _ step: Int) {
    let namespace = random.one(of: namespaces, else: "a")
    let app = random.one(of: apps, else: "web")
    let isNamespaceUsable =
      it.get(.namespaces, namespace, namespace: "").map { !$0.isMarked } ?? false
    let workloads: [ResourceType] = [
      .deployments, .replicaSets, .statefulSets, .daemonSets, .jobs, .replicationControllers,
    ]
    let type = random.one(of: workloads, else: .deployments)
    let name = "\(app)-\(type.singular)"
    let some = { (random: inout SplitMix64, it: SimulatedCluster) in
      random.one(of: it.names(.pods, namespace: namespace), else: "none")
    }
    switch random.below(20) {
    case 0, 1, 2:
      guard isNamespaceUsable, it.get(type, name, namespace: namespace) == nil else { return }
      var json = JSON.workload(
        app, replicas: random.below(6), ports: [["name": "http", "containerPort": .integer(8080 + random.below(2))]])
      if type == .replicationControllers { json[["spec", "selector"]] = ["app": .string(app)] }
      if type == .jobs {
        json[["spec", "selector"]] = nil
        json[["spec", "parallelism"]] = .integer(random.below(4))
      }
      it.create(type, name, namespace: namespace, json)
    case 3, 4: it.update(type, name, namespace: namespace) { $0[["spec", "replicas"]] = .integer(random.below(8)) }
    case 5:
      it.update(type, name, namespace: namespace) { json in
        json.eachEntry(of: ["spec", "template", "spec", "containers"]) { $0["image"] = .string("x:\(random.below(3))") }
      }
    case 6: it.delete(type, name, namespace: namespace, orphaning: random.chance(20))
    case 7, 8:
      guard isNamespaceUsable, it.get(.services, app, namespace: namespace) == nil else { return }
      it.create(
        .services, app, namespace: namespace,
        .service(app, ports: [["port": 80, "targetPort": random.chance(50) ? "http" : 8080]]))
    case 9: it.delete(.services, app, namespace: namespace)
    case 10:
      guard isNamespaceUsable, it.get(.pods, "bare\(step)", namespace: namespace) == nil else { return }
      it.create(
        .pods, "bare\(step)", namespace: namespace, .pod(["app": app], spec: ["hostNetwork": .bool(random.chance(20))]))
    case 11, 12, 13: it.delete(.pods, some(&random, it), namespace: namespace, gracePeriod: random.chance(30) ? 0 : nil)
    case 14:
      it.update(.pods, some(&random, it), namespace: namespace) { $0[["metadata", "labels", "app"]] = .string(app) }
    case 15:
      it.update(.pods, some(&random, it), namespace: namespace) {
        if $0.phase == "Running" { $0.setCondition("Ready", random.chance(50), APITime(milliseconds: 0)) }
      }
    case 16:
      let node = "node\(random.below(6))"
      if it.get(.nodes, node, namespace: "") == nil {
        // So few addresses that they are given again.
        it.create(.nodes, node, ["spec": ["podCIDR": .string("10.9.\(node.suffix(1)).0/25")]])
      } else if random.chance(30) {
        it.delete(.nodes, node)
      }
    case 17: it.update(.nodes, "node\(random.below(6))") { $0[["spec", "unschedulable"]] = .bool(random.chance(30)) }
    case 18:
      if it.get(.namespaces, namespace, namespace: "") == nil {
        it.create(.namespaces, namespace, namespace: "")
      } else if random.chance(10) {
        it.delete(.namespaces, namespace)
      }
    default:
      it.update(.services, app, namespace: namespace) {
        $0[["spec", "selector", "app"]] = .string(random.one(of: apps, else: "web"))
      }
    }
  }

  private static func history(seed: UInt64, steps: Int) -> SimulatedCluster {
    var it = SimulatedCluster(nodes: 4, seed: seed, namespaces: namespaces)
    var random = SplitMix64(seed: seed)
    for step in 0..<steps {
      change(&it, &random, step)
      if random.chance(60) { it.run(random.below(150)) }
    }
    return it
  }

  @Test(
    "after 2,000 changes all objects agree with each other",
    arguments: [7, 8, 310] as [UInt64]) func invariants(
      seed: UInt64
    )
  {
    var it = Self.history(seed: seed, steps: 2000)
    it.run(60_000)
    #expect(it.cluster.controllers.nextDue == nil)
    let pods = it.all(.pods, namespace: nil)
    #expect(pods.count > 10)
    var holders: [String: String] = [:]
    let uids = Set(it.cluster.store.types.flatMap { it.cluster.store.all($0).map(\.uid) })
    for pod in pods {
      #expect(!pod.isMarked, "\(pod.name)")
      if let node = pod.nodeName {
        let state = it.get(.nodes, node, namespace: "").map { NodeState(node, $0) }
        #expect(pod.phase == "Running", "\(pod.name)")
        let address = pod.podIP.flatMap(IPAddress.init)
        if pod.at("spec", "hostNetwork") == true {
          #expect(address != nil && state?.addresses.first == address)
        } else {
          let isInside = address.map { address in state?.podCIDRs.contains { $0.contains(address) } ?? false }
          #expect(isInside == true, "\(pod.name) \(pod.podIP ?? "-")")
          #expect(holders.updateValue(pod.name, forKey: pod.podIP ?? "") == nil, "\(pod.podIP ?? "-") twice")
        }
      }
      for reference in pod.ownerReferences { #expect(uids.contains(reference["uid"]?.string ?? ""), "\(pod.name)") }
    }
    let namespaces = Set(it.names(.namespaces, namespace: nil))
    for type in it.cluster.store.types where type.isNamespaced {
      for json in it.cluster.store.all(type) {
        #expect(namespaces.contains(json.namespace), "\(type.plural) \(json.name)")
      }
    }
    Self.expectSlices(it)
    Self.expectIndex(it)
    Self.expectReplicas(it)
  }

  @Test("a cluster at rest that is read again stays as it is", arguments: 1...4 as ClosedRange<UInt64>) func reading(
    seed: UInt64
  ) {
    var first = Self.history(seed: seed, steps: 1000)
    first.run(60_000)
    var second = SimulatedCluster(nodes: 0, seed: 99, namespaces: [])
    let plain = { (json: JSON) -> JSON in
      var json = json
      json[["metadata", "resourceVersion"]] = nil
      return json
    }
    for type in first.cluster.store.types.sorted(by: { $0.qualifiedPlural < $1.qualifiedPlural }) {
      for key in first.cluster.store.keys(type) {
        guard let json = first.cluster.store.json(key) else { continue }
        second.cluster.put(key, plain(json), second.now)
      }
    }
    second.run(60_000)
    #expect(second.cluster.controllers.nextDue == nil && second.cluster.store.count == first.cluster.store.count)
    for type in first.cluster.store.types {
      for key in first.cluster.store.keys(type) {
        let (a, b) = (first.cluster.store.json(key).map(plain), second.cluster.store.json(key).map(plain))
        #expect(a?.text == b?.text, "\(type.plural) \(key.name)")
      }
    }
  }

  /// The slices as they follow from Services and pods alone.
  private static func expectSlices(_ it: SimulatedCluster) {
    var expected: Set<String> = []
    let pods = Dictionary(grouping: it.all(.pods, namespace: nil).map { ($0, $0.labels) }) { $0.0.namespace }
    for service in it.all(.services, namespace: nil) {
      let selector = service.at("spec", "selector")?.strings ?? [:]
      for (pod, labels) in pods[service.namespace] ?? [] {
        guard selector.allSatisfy({ labels[$0.key] == $0.value }), let address = pod.podIP else { continue }
        let target = service.at("spec", "ports")?.array.first?["targetPort"]
        let named = pod.at("spec", "containers")?.array.first?["ports"]?.array.first { $0["name"] == target }
        let port = target?.integer ?? named?["containerPort"]?.integer
        expected.insert(
          "\(service.namespace)/\(service.name) \(pod.name) \(address) \(port ?? 0) \(pod.isTrue("Ready")) \(pod.nodeName ?? "")"
        )
      }
    }
    var found: [String] = []
    for slice in it.all(.endpointSlices, namespace: nil) {
      let service = slice.labels["kubernetes.io/service-name"] ?? ""
      #expect(it.get(.services, service, namespace: slice.namespace) != nil)
      for endpoint in slice["endpoints"]?.array ?? [] {
        let words = [
          "\(slice.namespace)/\(service)", endpoint.at("targetRef", "name")?.string ?? "",
          endpoint["addresses"]?.array.first?.string ?? "", "\(slice["ports"]?.array.first?["port"]?.integer ?? 0)",
          "\(endpoint.at("conditions", "ready")?.bool ?? false)", endpoint["nodeName"]?.string ?? "",
        ]
        found.append(words.joined(separator: " "))
      }
    }
    #expect(found.sorted() == expected.sorted())
  }

  /// The indexes as they are when all objects are noted anew.
  private static func expectIndex(_ it: SimulatedCluster) {
    var fresh = ObjectIndex()
    for type in it.cluster.store.types {
      for key in it.cluster.store.keys(type) {
        guard let json = it.cluster.store.json(key) else { continue }
        fresh.set(key, ObjectIndex.Belonging(json))
        if type == .pods { fresh.set(key, PodState(json)) }
        if type == .nodes { fresh.set(key.name, NodeState(key.name, json)) }
      }
    }
    let index = it.cluster.controllers.index
    #expect(index.belongings == fresh.belongings && index.keys == fresh.keys && index.dependents == fresh.dependents)
    #expect(index.byNamespace == fresh.byNamespace && index.pods == fresh.pods && index.podsByNode == fresh.podsByNode)
    #expect(index.podsByLabel == fresh.podsByLabel && index.orphans == fresh.orphans && index.nodes == fresh.nodes)
    #expect(index.podAddresses == fresh.podAddresses && index.nodeAddresses == fresh.nodeAddresses)
  }

  /// All have as many pods as they want. Only a StatefulSet can't, where another pod has the name.
  private static func expectReplicas(_ it: SimulatedCluster) {
    for type in [ResourceType.deployments, .replicaSets, .statefulSets, .replicationControllers] {
      for json in it.all(type, namespace: nil) {
        let want = json.at("spec", "replicas")?.integer ?? 1
        let taken = (0..<want).count { number in
          guard type == .statefulSets else { return false }
          let pod = it.get(.pods, "\(json.name)-\(number)", namespace: json.namespace)
          return pod.map { $0.controllerReference?["uid"]?.string != json.uid } ?? false
        }
        #expect(json.at("status", "replicas")?.integer ?? 0 == want - taken, "\(type.plural) \(json.name)")
      }
    }
  }

  @Test("the same seed and times give the same objects, and other seeds others") func determinism() {
    let texts = [3, 3, 4].map { Self.history(seed: $0, steps: 400).text }
    #expect(texts[0] == texts[1] && texts[0] != texts[2])
  }

  @Test("1,000 labels change among 10,000 pods") func speed() {
    var it = SimulatedCluster(nodes: 0, namespaces: ["shop"])
    for number in 0..<50 {
      it.create(.nodes, "n\(number)", namespace: "", ["spec": ["podCIDR": .string("10.\(number).0.0/16")]])
    }
    it.run(0)
    let clock = ContinuousClock()
    let creation = clock.measure {
      for number in 0..<10_000 {
        var pod = JSON.pod(["app": "app\(number % 100)"], spec: ["nodeName": .string("n\(number % 50)")])
        pod["status"] = [
          "phase": "Running", "podIP": .string("10.\(number % 50).\(1 + number / 50 / 200).\(1 + number / 50 % 200)"),
          "conditions": [["type": "Ready", "status": "True"]],
        ]
        it.create(.pods, "p\(number)", pod)
      }
      for number in 0..<100 { it.create(.services, "app\(number)", .service("app\(number)")) }
      it.run(10_000)
    }
    let changes = clock.measure {
      for number in 0..<1000 {
        it.update(.pods, "p\(number)") { $0[["metadata", "labels", "app"]] = .string("app\((number + 1) % 100)") }
        it.run(1)
      }
      it.run(10_000)
    }
    print("10,000 pods and 100 Services: \(creation); then 1,000 changes of labels: \(changes)")
    #expect(it.cluster.controllers.nextDue == nil)
    Self.expectSlices(it)
  }
}
