internal import NetpolModel
internal import YAMLText
internal import Yams

/// Texts of manifests, and changes of single objects in them.
struct SourceEdits {
  private(set) var sources: [ManifestSource]
  private let cluster: Cluster

  init(_ sources: [ManifestSource], _ cluster: Cluster) {
    self.sources = sources
    self.cluster = cluster
  }

  /// Returns `false` if the texts have no place for the change that is known.
  mutating func apply(_ edit: UnitEdit) -> Bool {
    switch edit {
    case .addPolicy(let policy): return add(policy)
    case .removePolicy(let id): return removePolicy(id)
    case .addRule(let rule, let direction, let id):
      return changePolicy(id) { text, root in
        guard let spec = root[entry: "spec"] else { return false }
        let value = rule.yaml(direction)
        return spec[entry: direction.keyword].map { text.append(value, to: $0) }
          ?? text.append(direction.keyword, .list([value]), to: spec)
      }
    case .removeRule(let place): return remove(place)
    case .addPeer(let peer, let place):
      return changeRule(place, [place.direction.peerField]) { $0.append(peer.yaml, to: $1) }
    case .removePeer(let index, let place):
      return changeRule(place, [place.direction.peerField]) { $0.remove(index, from: $1) }
    case .addPort(let port, let place): return changeRule(place, ["ports"]) { $0.append(port.yaml, to: $1) }
    case .removePort(let index, let place): return changeRule(place, ["ports"]) { $0.remove(index, from: $1) }
    case .addType(let direction, let id):
      return changeTypes(id, to: [direction]) { $0.append(.string(direction.rawValue), to: $1) }
    case .removeType(let direction, let id):
      return changeTypes(id, to: []) { text, list in
        guard case .sequence(let words) = list, let index = words.firstIndex(where: { $0.word == direction.rawValue })
        else { return false }
        return text.remove(index, from: list)
      }
    case .label(let owner, let key, let value): return setLabel(owner, key, value)
    }
  }

  // MARK: - Policies

  private mutating func changePolicy(_ id: PolicyID, _ change: (inout EditedText, Yams.Node) -> Bool) -> Bool {
    self.change(id.kind.rawValue, (id.namespace, id.name)) { text, place in change(&text, place.root) }
  }

  private mutating func changeRule(
    _ place: UnitEdit.RulePlace, _ path: [String], _ change: (inout EditedText, Yams.Node) -> Bool
  ) -> Bool {
    changePolicy(place.policy) { text, root in
      guard case .sequence(let rules)? = root.value(["spec", place.direction.keyword]),
        rules.indices.contains(place.index),
        let value = rules[place.index].value(path)
      else { return false }
      return change(&text, value)
    }
  }

  private mutating func remove(_ place: UnitEdit.RulePlace) -> Bool {
    let policy = cluster.policies.first { $0.id == place.policy }
    // Without policyTypes, a policy isolates for egress as long as it has egress rules.
    if place.direction == .egress, policy?.typesLocation == nil, policy?.egress.count == 1 {
      guard
        changePolicy(
          place.policy,
          { text, root in
            root[entry: "spec"].map { text.append("policyTypes", .list(["Ingress", "Egress"]), to: $0) } ?? false
          })
      else { return false }
    }
    return changePolicy(place.policy) { text, root in
      root.value(["spec", place.direction.keyword]).map { text.remove(place.index, from: $0) } ?? false
    }
  }

  /// `added`: if the types are not written, all are, with these and those that the policy has by default.
  private mutating func changeTypes(
    _ id: PolicyID, to added: Set<Direction>, _ change: (inout EditedText, Yams.Node) -> Bool
  ) -> Bool {
    guard let policy = cluster.policies.first(where: { $0.id == id }) else { return false }
    return changePolicy(id) { text, root in
      guard let spec = root[entry: "spec"] else { return false }
      if let list = spec[entry: "policyTypes"] { return change(&text, list) }
      let types = added.isEmpty ? [Direction.ingress] : policy.isolates.union(added)
      return text.append(
        "policyTypes", .list(Direction.allCases.filter(types.contains).map { .string($0.rawValue) }), to: spec)
    }
  }

  private mutating func removePolicy(_ id: PolicyID) -> Bool {
    change(id.kind.rawValue, (id.namespace, id.name)) { text, place in
      place.item.map { text.remove($0.index, from: $0.list) } ?? text.removeDocument(of: place.root)
    }
  }

  /// In the file of its namespace's first policy, or else of the first policy, or else of the first pods.
  private mutating func add(_ policy: NetworkPolicy) -> Bool {
    let neighbours = cluster.policies.filter { $0.id.namespace == policy.id.namespace } + cluster.policies
    for neighbour in neighbours.prefix(20) {
      let done = change(neighbour.id.kind.rawValue, (neighbour.id.namespace, neighbour.id.name)) { text, place in
        place.item.map { text.append(policy.yaml, to: $0.list) } ?? text.appendDocument(policy.yaml)
      }
      if done { return true }
    }
    return false
  }

  // MARK: - Labels

  private mutating func setLabel(_ owner: UnitEdit.LabelOwner, _ key: String, _ value: String?) -> Bool {
    switch owner {
    case .namespace(let name):
      if change("Namespace", (nil, name), { $0.setLabel(in: $1.root, [], key, value) }) { return true }
      guard let value, cluster.namespaces.contains(where: { $0.name == name && $0.isAssumed }) else { return false }
      return add(namespace: name, key, value)
    case .pod(let id):
      return change("Pod", (id.namespace, id.name)) { $0.setLabel(in: $1.root, [], key, value) }
    case .workload(let namespace, let owner):
      let path =
        owner.kind == "CronJob" ? ["spec", "jobTemplate", "spec", "template"] : ["spec", "template"]
      return change(owner.kind, (namespace, owner.name)) { $0.setLabel(in: $1.root, path, key, value) }
    }
  }

  /// An object for a namespace that only other objects name.
  private mutating func add(namespace: String, _ key: String, _ value: String) -> Bool {
    let object = YAML.mapping([
      ("apiVersion", "v1"), ("kind", "Namespace"),
      ("metadata", .mapping([("name", .string(namespace)), ("labels", .mapping([(key, .string(value))]))])),
    ])
    for index in sources.indices {
      var text = EditedText(sources[index].text)
      if text.appendDocument(object) {
        sources[index] = sources[index].with(text)
        return true
      }
    }
    return false
  }

  private mutating func change(
    _ kind: String, _ id: (namespace: String?, name: String), _ change: (inout EditedText, ObjectPlace) -> Bool
  ) -> Bool {
    for index in sources.indices where sources[index].text.contains(id.name) {
      guard let place = ObjectPlace(kind, id, in: sources[index]) else { continue }
      var text = EditedText(sources[index].text)
      guard change(&text, place) else { return false }
      sources[index] = sources[index].with(text)
      return true
    }
    return false
  }
}

extension EditedText {
  /// `path`: to what has the metadata.
  fileprivate mutating func setLabel(in root: Yams.Node, _ path: [String], _ key: String, _ value: String?) -> Bool {
    guard let owner = root.value(path) else { return false }
    guard let metadata = owner[entry: "metadata"] else {
      guard let value else { return false }
      return append("metadata", .mapping([("labels", .mapping([(key, .string(value))]))]), to: owner)
    }
    guard let labels = metadata[entry: "labels"] else {
      guard let value else { return false }
      return append("labels", .mapping([(key, .string(value))]), to: metadata)
    }
    guard let value else { return remove(key, from: labels) }
    return labels[entry: key].map { replace($0, by: .string(value)) } ?? append(key, .string(value), to: labels)
  }
}

extension ManifestSource {
  fileprivate func with(_ text: EditedText) -> ManifestSource {
    ManifestSource(name: name, text: text.text, fromDirectory: fromDirectory)
  }
}

extension Direction {
  fileprivate var peerField: String { self == .ingress ? "from" : "to" }
}
