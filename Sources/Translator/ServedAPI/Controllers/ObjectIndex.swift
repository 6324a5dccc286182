internal import NetpolModel
internal import Text

/// Ways to find objects without looking at all of them.
struct ObjectIndex: Sendable {
  /// Who an object is, and to whom it belongs.
  struct Belonging: Hashable, Sendable {
    let uid: String
    /// The uids of its owners.
    let owners: [String]
    /// The uid of the owner that controls it.
    let controller: String?

    init(_ json: JSON) {
      uid = json.uid
      owners = json.ownerReferences.compactMap { $0["uid"]?.string }
      controller = json.controllerReference?["uid"]?.string
    }
  }

  /// A label in a namespace.
  struct Pair: Hashable, Sendable {
    let namespace: String
    let key: String
    let value: String
  }

  private(set) var belongings: [ObjectKey: Belonging] = [:]
  /// Objects by their uid.
  private(set) var keys: [String: ObjectKey] = [:]
  /// Objects by the uid of an owner.
  private(set) var dependents: [String: Set<ObjectKey>] = [:]
  private(set) var byNamespace: [String: Set<ObjectKey>] = [:]
  /// Namespaces that are deleted, but not gone.
  var terminating: Set<String> = []

  private(set) var pods: [ObjectKey: PodState] = [:]
  private(set) var podsByNode: [String: Set<ObjectKey>] = [:]
  private(set) var podsByLabel: [Pair: Set<ObjectKey>] = [:]
  /// Pods that no one controls, by namespace.
  private(set) var orphans: [String: Set<ObjectKey>] = [:]
  /// The order in which pods came.
  private(set) var ages: [ObjectKey: Int] = [:]
  private var podsSeen = 0

  private(set) var nodes: [String: NodeState] = [:]
  /// How many nodes and pods have an address. Only strange input has one twice.
  private(set) var nodeAddresses: [IPAddress: Int] = [:]
  private(set) var podAddresses: [IPAddress: Int] = [:]

  /// The selectors of Services and workloads.
  private(set) var selectors: [ObjectKey: LabelSelector] = [:]
  /// The place of a selector in `selecting`.
  private var anchors: [ObjectKey: Pair?] = [:]
  /// Those whose selector asks for a label. Each is here once.
  private var selecting: [Pair: Set<ObjectKey>] = [:]
  /// Those whose selectors ask for no value of a label, by namespace.
  private var selectingOtherwise: [String: Set<ObjectKey>] = [:]

  /// The EndpointSlices of Services.
  private(set) var slices: [ObjectKey: Set<ObjectKey>] = [:]
  private var servicesOfSlices: [ObjectKey: ObjectKey] = [:]
  /// The pods that a Service had when its slices were made.
  var sizes: [ObjectKey: Int] = [:]
  private(set) var daemonSets: Set<ObjectKey> = []
}

extension ObjectIndex {
  /// `nil`: the object is gone.
  mutating func set(_ key: ObjectKey, _ belonging: Belonging?) {
    let before = belongings[key]
    if before == belonging { return }
    belongings[key] = belonging
    if let before {
      if keys[before.uid] == key { keys[before.uid] = nil }
      for owner in before.owners { dependents.take(key, from: owner) }
    }
    if let belonging {
      if !belonging.uid.isEmpty { keys[belonging.uid] = key }
      for owner in belonging.owners { dependents[owner, default: []].insert(key) }
    }
    if key.type.isNamespaced {
      if belonging == nil {
        byNamespace.take(key, from: key.namespace)
      } else {
        byNamespace[key.namespace, default: []].insert(key)
      }
    }
    if key.type == .daemonSets {
      if belonging == nil { daemonSets.remove(key) } else { daemonSets.insert(key) }
    }
  }

  mutating func set(_ key: ObjectKey, _ pod: PodState?) {
    let before = pods[key]
    if before == pod { return }
    pods[key] = pod
    if before?.node != pod?.node {
      if let before { podsByNode.take(key, from: before.node) }
      if let pod { podsByNode[pod.node, default: []].insert(key) }
    }
    if before?.labels != pod?.labels {
      for (name, value) in before?.labels ?? [:] {
        podsByLabel.take(key, from: Pair(namespace: key.namespace, key: name, value: value))
      }
      for (name, value) in pod?.labels ?? [:] {
        podsByLabel[Pair(namespace: key.namespace, key: name, value: value), default: []].insert(key)
      }
    }
    if let pod, pod.controller == nil {
      orphans[key.namespace, default: []].insert(key)
    } else {
      orphans.take(key, from: key.namespace)
    }
    for address in before?.ownAddresses ?? [] { podAddresses.take(address) }
    for address in pod?.ownAddresses ?? [] { podAddresses[address, default: 0] += 1 }
    if pod == nil {
      ages[key] = nil
    } else if before == nil {
      podsSeen += 1
      ages[key] = podsSeen
    }
  }

  mutating func set(_ name: String, _ node: NodeState?) {
    let before = nodes[name]
    if before == node { return }
    nodes[name] = node
    for address in before?.addresses ?? [] { nodeAddresses.take(address) }
    for address in node?.addresses ?? [] { nodeAddresses[address, default: 0] += 1 }
  }

  mutating func set(_ key: ObjectKey, _ selector: LabelSelector?) {
    let before = selectors[key]
    if before == selector { return }
    selectors[key] = selector
    if before != nil, let anchor = anchors.removeValue(forKey: key) {
      if let anchor { selecting.take(key, from: anchor) } else { selectingOtherwise.take(key, from: key.namespace) }
    }
    guard let selector else { return }
    let pairs = selector.matchLabels.map { Pair(namespace: key.namespace, key: $0.key, value: $0.value) }
    // The label for which the fewest ask.
    let anchor = pairs.min { a, b in
      (selecting[a]?.count ?? 0, a.key) < (selecting[b]?.count ?? 0, b.key)
    }
    anchors[key] = .some(anchor)
    if let anchor {
      selecting[anchor, default: []].insert(key)
    } else {
      selectingOtherwise[key.namespace, default: []].insert(key)
    }
  }

  /// The slices of Services. `nil`: the slice is gone, or is no Service's.
  mutating func set(_ slice: ObjectKey, service: ObjectKey?) {
    let before = servicesOfSlices[slice]
    if before == service { return }
    if let before { slices.take(slice, from: before) }
    servicesOfSlices[slice] = service
    if let service { slices[service, default: []].insert(slice) }
  }

  func service(ofSlice slice: ObjectKey) -> ObjectKey? { servicesOfSlices[slice] }
}

extension ObjectIndex {
  /// The Services and workloads whose selectors match labels.
  func selecting(_ namespace: String, _ labels: Labels) -> Set<ObjectKey> {
    var found: Set<ObjectKey> = []
    for (key, value) in labels {
      for candidate in selecting[Pair(namespace: namespace, key: key, value: value)] ?? []
      where selectors[candidate]?.matches(labels) == true {
        found.insert(candidate)
      }
    }
    for candidate in selectingOtherwise[namespace] ?? [] where selectors[candidate]?.matches(labels) == true {
      found.insert(candidate)
    }
    return found
  }

  /// The pods of a namespace with matching labels, by name.
  func pods(_ namespace: String, _ selector: LabelSelector, onlyOrphans: Bool = false) -> [ObjectKey] {
    var sets = selector.matchLabels.map {
      podsByLabel[Pair(namespace: namespace, key: $0.key, value: $0.value)] ?? []
    }
    if onlyOrphans { sets.append(orphans[namespace] ?? []) }
    let candidates = sets.min { $0.count < $1.count } ?? byNamespace[namespace] ?? []
    return candidates.filter { key in
      guard let pod = pods[key], selector.matches(pod.labels) else { return false }
      return !onlyOrphans || pod.controller == nil
    }.sorted()
  }

  /// The pods that an owner controls, by name.
  func pods(of controller: String) -> [ObjectKey] {
    (dependents[controller] ?? []).filter { pods[$0]?.controller == controller }.sorted()
  }
}

extension PodState {
  /// Addresses that no other may have.
  fileprivate var ownAddresses: [IPAddress] { isHostNetwork ? [] : addresses }
}

extension [IPAddress: Int] {
  fileprivate mutating func take(_ address: IPAddress) {
    if let count = self[address] { self[address] = count > 1 ? count - 1 : nil }
  }
}

extension Dictionary where Value == Set<ObjectKey> {
  /// Removes an element of one set, and an empty set.
  fileprivate mutating func take(_ element: ObjectKey, from key: Key) {
    self[key]?.remove(element)
    if self[key]?.isEmpty == true { self[key] = nil }
  }
}
