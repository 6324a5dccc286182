internal import NetpolModel
internal import Text

enum EndpointSliceLabels {
  static let service = "kubernetes.io/service-name"
  static let manager = "endpointslice.kubernetes.io/managed-by"
  static let ownManager = "endpointslice-controller.k8s.io"
  static let headless = "service.kubernetes.io/headless"
}

/// A Service as the endpoint controllers see it, with its pods that have addresses.
struct SelectingService: Sendable {
  let key: ObjectKey
  let json: JSON
  let families: [IPFamily]
  /// Its pods by name, those apart on which its ports have other numbers.
  let groups: [(ports: JSON, pods: [(key: ObjectKey, state: PodState)])]
  let isHeadless: Bool
  /// `publishNotReadyAddresses`.
  let takesUnready: Bool

  /// `nil`: it has no selector.
  init?(_ key: ObjectKey, _ json: JSON, _ index: ObjectIndex) {
    guard let selector = index.selectors[key] else { return nil }
    self.key = key
    self.json = json
    let spec = json["spec"]
    let named = spec?["ipFamilies"]?.array.compactMap { $0.string.flatMap(IPFamily.init) } ?? []
    let addresses =
      [spec?["clusterIP"]?.string].compactMap(\.self) + (spec?["clusterIPs"]?.array.compactMap(\.string) ?? [])
    let found = named.isEmpty ? addresses.compactMap { IPAddress($0)?.family } : named
    families = found.isEmpty ? [.v4] : found.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    isHeadless = spec?["clusterIP"]?.string == "None"
    takesUnready = spec?["publishNotReadyAddresses"]?.bool ?? false
    let pods = index.pods(key.namespace, selector).compactMap { pod -> (key: ObjectKey, state: PodState)? in
      guard let state = index.pods[pod], !state.isTerminal, !state.addresses.isEmpty else { return nil }
      return (pod, state)
    }
    var byPorts: [JSON: [(key: ObjectKey, state: PodState)]] = [:]
    for (_, pods) in Dictionary(grouping: pods, by: \.state.ports) {
      guard let first = pods.first?.state else { continue }
      byPorts[Self.ports(json, on: first), default: []] += pods
    }
    groups = byPorts.map { ports, pods in (ports, pods.sorted { $0.key < $1.key }) }
      .sorted { $0.ports.text < $1.ports.text }
  }

  var count: Int { groups.reduce(0) { $0 + $1.pods.count } }
  var hasPorts: Bool { json["spec"]?["ports"]?.array.isEmpty == false }

  /// The Service's ports on a pod, without those for which the pod has no port of that name.
  private static func ports(_ json: JSON, on pod: PodState) -> JSON {
    .array(
      json["spec"]?["ports"]?.array.compactMap { port in
        let transport = port["protocol"]?.string ?? "TCP"
        guard let number = number(port["targetPort"] ?? port["port"], transport, pod) else { return nil }
        var resolved: JSON = [
          "name": port["name"] ?? "", "protocol": .string(transport), "port": .integer(number),
        ]
        resolved["appProtocol"] = port["appProtocol"]
        return resolved
      } ?? [])
  }

  private static func number(_ target: JSON?, _ transport: String, _ pod: PodState) -> Int? {
    switch target {
    case .integer(let number)?: number
    case .string(let name)?: pod.ports.first { $0.name == name && $0.transport == transport }?.number
    default: nil
    }
  }

  func reference(_ pod: ObjectKey, _ state: PodState) -> JSON {
    [
      "kind": "Pod", "namespace": .string(pod.namespace), "name": .string(pod.name), "uid": .string(state.uid),
    ]
  }

  func hostname(_ pod: PodState) -> JSON? {
    pod.hostname.isEmpty || pod.subdomain != key.name ? nil : .string(pod.hostname)
  }

  fileprivate func endpoint(_ pod: ObjectKey, _ state: PodState, _ family: IPFamily, _ index: ObjectIndex) -> JSON? {
    guard let address = state.addresses.first(where: { $0.family == family }) else { return nil }
    var endpoint: JSON = [
      "addresses": [.string("\(address)")], "targetRef": reference(pod, state),
      "conditions": [
        "ready": .bool(takesUnready || state.isReady && !state.isMarked), "serving": .bool(state.isReady),
        "terminating": .bool(state.isMarked),
      ],
    ]
    if !state.node.isEmpty { endpoint["nodeName"] = .string(state.node) }
    endpoint["zone"] = index.nodes[state.node]?.zone.map(JSON.string)
    endpoint["hostname"] = hostname(state)
    return endpoint
  }

  /// The labels of its slices: its own, and those of the controller.
  fileprivate var sliceLabels: JSON {
    var labels = json.labels
    labels[EndpointSliceLabels.headless] = isHeadless ? "" : nil
    labels[EndpointSliceLabels.service] = key.name
    labels[EndpointSliceLabels.manager] = EndpointSliceLabels.ownManager
    return JSON(labels)
  }
}

extension ServedCluster {
  /// `maxEndpointsPerSlice`.
  private static let sliceSize = 100

  /// Makes a Service's EndpointSlices and Endpoints say what its pods are. Slices that others made stay as they are.
  mutating func reconcileEndpoints(of key: ObjectKey, _ now: APITime) {
    controllers.written = key
    defer { controllers.written = nil }
    let slices = (controllers.index.slices[key] ?? []).sorted()
    let own = slices.filter {
      store.object($0)?.labels[EndpointSliceLabels.manager] == EndpointSliceLabels.ownManager
    }
    guard let json = store.json(key) else {
      for slice in own { delete(slice, now) }
      removeEndpoints(of: key, now)
      return
    }
    if json.isMarked || controllers.index.terminating.contains(key.namespace) { return }
    // Whoever wrote a slice without a manager wants no others.
    let isStated = slices.contains { store.object($0)?.labels[EndpointSliceLabels.manager] == nil }
    guard !isStated, let service = SelectingService(key, json, controllers.index) else { return }
    controllers.index.sizes[key] = service.count
    var left = own.compactMap { slice in
      store.json(slice).flatMap { $0.isMarked ? nil : (key: slice, json: $0) }
    }
    for family in service.families {
      let isOfFamily = { (slice: (key: ObjectKey, json: JSON)) in slice.json["addressType"]?.string == family.rawValue }
      reconcileSlices(of: service, family, left.filter(isOfFamily), now)
      left.removeAll(where: isOfFamily)
    }
    for slice in left { delete(slice.key, now) }
    reconcileEndpointsObject(of: service, now)
  }

  private mutating func reconcileSlices(
    of service: SelectingService, _ family: IPFamily, _ slices: [(key: ObjectKey, json: JSON)], _ now: APITime
  ) {
    var groups: [(ports: JSON, endpoints: [String: JSON])] = []
    for (ports, pods) in service.groups {
      var endpoints: [String: JSON] = [:]
      for (pod, state) in pods {
        endpoints[pod.name] = service.endpoint(pod, state, family, controllers.index)
      }
      if !endpoints.isEmpty { groups.append((ports, endpoints)) }
    }
    // A Service without endpoints has a slice that says so.
    if groups.isEmpty { groups = [([], [:])] }
    var slices = slices
    for (ports, endpoints) in groups {
      let isOfGroup = { (slice: (key: ObjectKey, json: JSON)) in (slice.json["ports"] ?? []) == ports }
      reconcileSlices(of: service, family, ports, endpoints, slices.filter(isOfGroup), now)
      slices.removeAll(where: isOfGroup)
    }
    for slice in slices { delete(slice.key, now) }
  }

  /// Each endpoint stays in its slice. New ones go where there is room, first into slices that change anyway.
  private mutating func reconcileSlices(
    of service: SelectingService, _ family: IPFamily, _ ports: JSON, _ endpoints: [String: JSON],
    _ slices: [(key: ObjectKey, json: JSON)], _ now: APITime
  ) {
    var missing = endpoints
    var contents: [(slice: (key: ObjectKey, json: JSON), endpoints: [JSON], isChanged: Bool)] = []
    for slice in slices {
      let before = slice.json["endpoints"]?.array ?? []
      let after = before.prefix(Self.sliceSize).compactMap {
        missing.removeValue(forKey: $0["targetRef"]?["name"]?.string ?? "")
      }
      contents.append((slice, after, after != before))
    }
    var new = missing.sorted { $0.key < $1.key }.map(\.value)[...]
    for isChanged in [true, false] {
      for place in contents.indices where contents[place].isChanged == isChanged && !new.isEmpty {
        let room = Self.sliceSize - contents[place].endpoints.count
        if room <= 0 { continue }
        contents[place].endpoints += new.prefix(room)
        contents[place].isChanged = true
        new = new.dropFirst(room)
      }
    }
    var hasSlice = false
    for (slice, endpoints, _) in contents {
      if endpoints.isEmpty, hasSlice || !new.isEmpty || contents.contains(where: { !$0.endpoints.isEmpty }) {
        delete(slice.key, now)
        continue
      }
      hasSlice = true
      var json = slice.json
      json["endpoints"] = .array(endpoints)
      json[["metadata", "labels"]] = service.sliceLabels
      put(slice.key, json, now)
    }
    while !new.isEmpty || !hasSlice {
      hasSlice = true
      makeSlice(of: service, family, ports, Array(new.prefix(Self.sliceSize)), now)
      new = new.dropFirst(Self.sliceSize)
    }
  }

  private mutating func makeSlice(
    of service: SelectingService, _ family: IPFamily, _ ports: JSON, _ endpoints: [JSON], _ now: APITime
  ) {
    let prefix = String("\(service.key.name)-".prefix(58))
    guard let key = freeKey(.endpointSlices, service.key, prefix) else { return }
    let json: JSON = [
      "metadata": [
        "name": .string(key.name), "generateName": .string(prefix), "namespace": .string(key.namespace),
        "labels": service.sliceLabels, "ownerReferences": [service.json.reference(service.key)],
      ],
      "addressType": .string(family.rawValue), "endpoints": .array(endpoints), "ports": ports,
    ]
    put(key, stamped(json.defaulted(.endpointSlices), now), now)
  }
}
