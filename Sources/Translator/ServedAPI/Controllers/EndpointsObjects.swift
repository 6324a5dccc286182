internal import NetpolModel
internal import Text

extension ServedCluster {
  /// `maxCapacity`.
  private static let endpointsSize = 1000
  private static let endpointsManager = "endpoints.kubernetes.io/managed-by"
  private static let capacity = "endpoints.kubernetes.io/over-capacity"

  /// The Endpoints of a Service, with the addresses of its first family.
  mutating func reconcileEndpointsObject(of service: SelectingService, _ now: APITime) {
    guard let family = service.families.first else { return }
    var subsets: [JSON] = []
    var room = Self.endpointsSize
    var isTruncated = false
    for (ports, pods) in service.groups where !service.hasPorts || ports != [] {
      var (ready, unready): ([(IPAddress, JSON)], [(IPAddress, JSON)]) = ([], [])
      for (pod, state) in pods where service.takesUnready || !state.isMarked {
        guard let address = state.addresses.first(where: { $0.family == family }) else { continue }
        if room == 0 {
          isTruncated = true
          break
        }
        room -= 1
        var entry: JSON = ["ip": .string("\(address)"), "targetRef": service.reference(pod, state)]
        if !state.node.isEmpty { entry["nodeName"] = .string(state.node) }
        entry["hostname"] = service.hostname(state)
        if service.takesUnready || state.isReady {
          ready.append((address, entry))
        } else {
          unready.append((address, entry))
        }
      }
      if !ready.isEmpty || !unready.isEmpty { subsets.append(Self.subset(ports, ready, unready)) }
    }
    let key = ObjectKey(.endpoints, service.key.namespace, service.key.name)
    let before = store.json(key)
    var json = before ?? ["metadata": ["name": .string(key.name), "namespace": .string(key.namespace)]]
    var labels = service.json.labels
    labels[EndpointSliceLabels.headless] = service.isHeadless ? "" : nil
    labels[Self.endpointsManager] = "endpoint-controller"
    json[["metadata", "labels"]] = JSON(labels)
    if isTruncated {
      json[["metadata", "annotations", Self.capacity]] = "truncated"
    } else if json["metadata"]?["annotations"]?[Self.capacity] != nil {
      json[["metadata", "annotations", Self.capacity]] = nil
    }
    json["subsets"] = subsets.isEmpty ? nil : .array(subsets)
    json = json.defaulted(.endpoints)
    put(key, before == nil ? stamped(json, now) : json, now)
  }

  private static func subset(_ ports: JSON, _ ready: [(IPAddress, JSON)], _ unready: [(IPAddress, JSON)]) -> JSON {
    var subset: JSON = .empty
    for (name, addresses) in [("addresses", ready), ("notReadyAddresses", unready)] where !addresses.isEmpty {
      subset[name] = .array(addresses.sorted { $0.0 < $1.0 }.map(\.1))
    }
    let named = ports.array.map { port in
      var port = port
      if port["name"] == "" { port["name"] = nil }
      return port
    }
    if !named.isEmpty { subset["ports"] = .array(named) }
    return subset
  }

  mutating func removeEndpoints(of service: ObjectKey, _ now: APITime) {
    let key = ObjectKey(.endpoints, service.namespace, service.name)
    if store.object(key)?.labels[Self.endpointsManager] != nil { delete(key, now) }
  }
}
