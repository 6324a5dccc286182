internal import NetpolModel

/// Labels of a flow's pods and namespaces that some selector asks for.
struct LabelEdits {
  private let cluster: Cluster

  init(_ cluster: Cluster) { self.cluster = cluster }

  /// Every value that a selector names for a key, and the key's absence.
  func edits(for ends: [Endpoint]) -> [UnitEdit] {
    let pods = ends.compactMap { if case .pod(let id) = $0 { cluster.pod(id) } else { nil } }.filter { !$0.hostNetwork }
    let policies = cluster.policies
    let ownKeys = Self.values(
      policies.flatMap { policy in
        [policy.podSelector]
          + policy.selectors.map(\.pods)
      })
    let namespaceKeys = Self.values(policies.flatMap { $0.selectors.compactMap(\.namespaces) })
    var found: [UnitEdit] = []
    var seen: Set<UnitEdit> = []
    for pod in pods {
      for (owner, keys, labels) in [
        (UnitEdit.LabelOwner(of: pod), ownKeys, pod.labels),
        (.namespace(pod.id.namespace), namespaceKeys, cluster.labels(ofNamespace: pod.id.namespace)),
      ] {
        for (key, values) in keys.sorted(by: { $0.key < $1.key }) where !Self.fixedKeys.contains(key) {
          for value in values.sorted() where labels[key] != value {
            let edit = UnitEdit.label(owner, key: key, value: value)
            if seen.insert(edit).inserted, isPossible(edit) { found.append(edit) }
          }
          let removal = UnitEdit.label(owner, key: key, value: nil)
          if labels[key] != nil, seen.insert(removal).inserted, isPossible(removal) { found.append(removal) }
        }
      }
    }
    return found
  }

  /// Whether every Service keeps its pods, and a workload the labels of its template, by which its selector finds them.
  func isPossible(_ edit: UnitEdit) -> Bool {
    guard case .label(let owner, let key, let value) = edit else { return true }
    let pods = cluster.pods.filter(owner.owns)
    if case .workload = owner, pods.contains(where: { $0.labels[key] != nil }) { return false }
    return pods.allSatisfy { pod in
      var changed = pod
      changed.labels[key] = value
      return cluster.services.allSatisfy {
        $0.id.namespace != pod.id.namespace || $0.selects(pod) == $0.selects(changed)
      }
    }
  }

  /// Labels that no user sets.
  private static let fixedKeys = PodSelectors.volatileKeys.union(["kubernetes.io/metadata.name"])

  private static func values(_ selectors: [LabelSelector]) -> [String: Set<String>] {
    var values: [String: Set<String>] = [:]
    for requirement in selectors.flatMap(\.requirements) {
      values[requirement.key, default: []].formUnion(requirement.values)
    }
    // A key that must only be there.
    for (key, known) in values where known.isEmpty { values[key] = ["true"] }
    return values
  }
}

extension NetworkPolicy {
  /// Those of its peers.
  fileprivate var selectors: [(namespaces: LabelSelector?, pods: LabelSelector)] {
    (ingress + egress).flatMap(\.peers.list).compactMap { peer in
      switch peer {
      case .block: nil
      case .pods(.own, let pods): (nil, pods)
      case .pods(.matching(let namespaces), let pods): (namespaces, pods)
      }
    }
  }
}
