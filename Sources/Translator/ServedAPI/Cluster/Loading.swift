public import Manifests
internal import NetpolModel
internal import Text

/// What manifests say, in a served cluster.
extension ServedCluster {
  /// A cluster with the objects of manifests. Nodes, and pods and Services without addresses, get what `reading` gives
  /// them; workloads get their pods. Throws for an object that Go can't decode.
  public init(
    _ reading: ManifestReading, _ objects: [FileObject], resourceVersion: UInt64, pace: Controllers.Pace = .init(),
    seed: UInt64, limits: ObjectStore.Limits = .init(), _ started: APITime
  ) throws(ManifestError) {
    // The cluster has stood for a while: what its controllers have to do is done.
    let now = started + -Self.settling
    self.init(
      reading.cluster.settings, resourceVersion: resourceVersion, pace: pace, seed: seed, limits: limits)
    for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
      load(["metadata": ["name": .string(name)]], .namespaces, now)
    }
    let given = try decoded(objects)
    let stated = Dictionary(given.map { ($0.key, $0.json) }) { first, _ in first }
    for namespace in reading.cluster.namespaces {
      let json = stated[ObjectKey(.namespaces, "", namespace.name)] ?? ["metadata": ["name": .string(namespace.name)]]
      load(json, .namespaces, now)
    }
    for node in reading.cluster.nodes { load(Self.node(node, stated[ObjectKey(.nodes, "", node.name)]), .nodes, now) }
    let pods = Dictionary(reading.cluster.pods.map { ($0.id.namespacedName, $0) }) { first, _ in first }
    let services = Dictionary(reading.cluster.services.map { ($0.id, $0) }) { first, _ in first }
    for (key, json) in given where ![.namespaces, .nodes].contains(key.type) {
      let id = NamespacedName(key.namespace, key.name)
      var json = json
      if key.type == .pods, let pod = pods[id] { json = Self.pod(json, pod) }
      if key.type == .services, let service = services[id] { json = Self.service(json, service) }
      load(json, key.type, now)
    }
    if store.keys(.serviceCIDRs).isEmpty {
      // Every cluster has this one.
      let cidrs = serviceCIDRs.map { JSON.string("\($0)") }
      load(["metadata": ["name": "kubernetes"], "spec": ["cidrs": .array(cidrs)]], .serviceCIDRs, now)
    }
    while let due = nextDue, due < started { runControllers(max(due, now)) }
  }

  /// In milliseconds.
  private static let settling = 60_000

  /// Makes the files' changes: objects that are new there, changed or gone. What clients changed meanwhile, and the files
  /// didn't, stays. Throws for an object that Go can't decode, and changes nothing then.
  public mutating func follow(
    _ old: [FileObject], _ new: [FileObject], _ now: APITime
  ) throws(ManifestError) -> Int {
    let before = Dictionary(try decoded(old).map { ($0.key, $0.json) }) { first, _ in first }
    let after = try decoded(new)
    let kept = Set(after.map(\.key))
    var changes = 0
    for key in before.keys.sorted() where !kept.contains(key) {
      if delete(key, gracePeriod: nil, orphaning: false, now) != nil { changes += 1 }
    }
    for (key, json) in after where before[key] != json {
      changes += 1
      if key.type.isNamespaced, store.object(ObjectKey(.namespaces, "", key.namespace)) == nil {
        load(["metadata": ["name": .string(key.namespace)]], .namespaces, now)
      }
      guard let stored = store.json(key) else {
        load(json, key.type, now)
        continue
      }
      // What the file says wins, and the rest stays.
      var merged = stored
      for (name, value) in json.fields where name != "metadata" && name != "status" { merged[name] = value }
      for name in ["labels", "annotations"] { merged["metadata"]?[name] = json["metadata"]?[name] }
      if key.type == .pods, json["spec"]?["nodeName"] == nil {
        merged[["spec", "nodeName"]] = stored["spec"]?["nodeName"]
      }
      if json["status"] != nil { merged["status"] = json["status"] }
      merged = merged.defaulted(key.type)
      if key.type == .services { try? allocate(&merged, before: stored) }
      put(key, merged, now)
    }
    runControllers(now)
    return changes
  }

  /// The objects as Go decodes them, with the types of other projects served from now on.
  private mutating func decoded(_ objects: [FileObject]) throws(ManifestError) -> [(key: ObjectKey, json: JSON)] {
    for object in objects where object.kind == ResourceType.customResourceDefinitions.kind { learn(object.json) }
    var decoded: [(key: ObjectKey, json: JSON)] = []
    for object in objects {
      let stated = object.json
      guard let type = type(ofForeign: stated) else { continue }
      do throws(APIStatus) {
        var json = try ObjectDecoding(stated, type).json
        var name = json["metadata"]?["name"]?.string ?? ""
        if name.isEmpty, let prefix = json["metadata"]?["generateName"]?.string {
          name = prefix + "0"
          json[["metadata", "name"]] = .string(name)
        }
        let own = json["metadata"]?["namespace"]?.string ?? ""
        let namespace = type.isNamespaced ? (own.isEmpty ? "default" : own) : ""
        if type.isNamespaced { json[["metadata", "namespace"]] = .string(namespace) }
        if name.isEmpty { continue }
        decoded.append((ObjectKey(type, namespace, name), json))
      } catch {
        throw ManifestError(
          location: object.location, object: object.kind, problem: error.message,
          remedy: "no controller could read it")
      }
    }
    return decoded
  }

  /// Stores an object of the input.
  private mutating func load(_ json: JSON, _ type: ResourceType, _ now: APITime) {
    let name = json["metadata"]?["name"]?.string ?? ""
    let key = ObjectKey(type, json["metadata"]?["namespace"]?.string ?? "", name)
    var stored = stamped(json, now)
    for field in ["uid", "creationTimestamp"] {
      if let own = json["metadata"]?[field]?.string, !own.isEmpty { stored[["metadata", field]] = .string(own) }
    }
    stored = stored.defaulted(type)
    // The reading has given addresses; this fills in the rest.
    if type == .services { try? allocate(&stored, before: nil) }
    put(key, stored, now)
  }

  private static func node(_ node: Node, _ stated: JSON?) -> JSON {
    var json = stated ?? ["metadata": ["name": .string(node.name), "labels": JSON(node.labels)]]
    if json["spec"]?["podCIDR"] == nil, let first = node.podCIDRs.first {
      json[["spec", "podCIDR"]] = .string("\(first)")
      json[["spec", "podCIDRs"]] = .array(node.podCIDRs.map { .string("\($0)") })
    }
    if json["status"]?["addresses"]?.array.isEmpty ?? true, !node.addresses.isEmpty {
      let addresses = node.addresses.map { ["type": "InternalIP", "address": .string("\($0)")] as JSON }
      json[["status", "addresses"]] = .array(addresses + [["type": "Hostname", "address": .string(node.name)]])
    }
    return json
  }

  /// A pod where the reading puts it. Its kubelet completes the status.
  private static func pod(_ json: JSON, _ pod: Pod) -> JSON {
    var json = json
    if let node = pod.node { json.fill(["spec", "nodeName"], .string(node)) }
    if pod.phase.isTerminal || json["metadata"]?["deletionTimestamp"] != nil { return json }
    if json["status"]?["podIP"] == nil, let first = pod.podIPs.first {
      json[["status", "podIP"]] = .string("\(first)")
      json[["status", "podIPs"]] = .array(pod.podIPs.map { ["ip": .string("\($0)")] })
    }
    if let phase = json["status"]?["phase"]?.string, !phase.isEmpty { return json }
    json[["status", "phase"]] = .string(pod.phase.rawValue)
    return json
  }

  private static func service(_ json: JSON, _ service: Service) -> JSON {
    var json = json
    let addresses = service.clusterIPs.map { JSON.string("\($0)") }
    if json["spec"]?["clusterIP"] == nil, json["spec"]?["clusterIPs"] == nil, let first = addresses.first {
      json[["spec", "clusterIP"]] = first
      json[["spec", "clusterIPs"]] = .array(addresses)
    }
    json.eachEntry(of: ["spec", "ports"]) { port in
      let own = service.ports.first {
        port["port"] == .integer(Int($0.port)) && (port["protocol"]?.string ?? "TCP") == $0.transport.rawValue
      }
      if port["nodePort"] == nil, let number = own?.nodePort { port["nodePort"] = .integer(Int(number)) }
    }
    return json
  }
}
