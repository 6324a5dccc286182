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
    var subsets: [JSON: (ready: [(IPAddress, JSON)], unready: [(IPAddress, JSON)])] = [:]
    var count = 0
    var isTruncated = false
    for (pod, state) in service.pods where service.takesUnready || !state.isMarked {
      guard let address = state.addresses.first(where: { $0.family == family }) else { continue }
      let ports = service.ports(on: state)
      if service.hasPorts, ports == [] { continue }
      if count == Self.endpointsSize {
        isTruncated = true
        break
      }
      count += 1
      var entry: JSON = ["ip": .string("\(address)"), "targetRef": service.reference(pod, state)]
      if !state.node.isEmpty { entry["nodeName"] = .string(state.node) }
      entry["hostname"] = service.hostname(state)
      if service.takesUnready || state.isReady {
        subsets[ports, default: ([], [])].ready.append((address, entry))
      } else {
        subsets[ports, default: ([], [])].unready.append((address, entry))
      }
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
    let sorted = subsets.sorted { $0.key.text < $1.key.text }.map { ports, addresses in
      Self.subset(ports, addresses.ready, addresses.unready)
    }
    json["subsets"] = sorted.isEmpty ? nil : .array(sorted)
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
