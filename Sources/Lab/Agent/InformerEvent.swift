internal import Algorithms
internal import Lowering
public import NetpolModel

/// A change in the cluster that an informer reports.
public enum InformerEvent: Sendable {
  case podAdded(Pod)
  case podUpdated(Pod)
  case podDeleted(PodID)
  case namespaceAdded(Namespace)
  case namespaceUpdated(Namespace)
  case namespaceDeleted(String)
  case policyAdded(NetworkPolicy)
  case policyUpdated(NetworkPolicy)
  case policyDeleted(PolicyID)
}

extension NodeView {
  func pod(_ id: PodID) -> Pod? {
    let (index, isTaken) = pods.place(of: id, \.id)
    return isTaken ? pods[index] : nil
  }

  /// Applies an event. Returns whether kube-router's handlers request a sync for it (`pod.go`, `namespace.go` and
  /// `policy.go` of its `pkg/controllers/netpol`).
  ///
  /// As in client-go's informers, adding an existing object updates it, and updating an unknown object adds it.
  mutating func apply(_ event: InformerEvent) -> Bool {
    switch event {
    case .podAdded(let pod), .podUpdated(let pod):
      guard let old = pods.replace(pod, \.id) else { return pod.isActionable }
      return old.phase != pod.phase || old.podIP != pod.podIP || old.podIPs != pod.podIPs || old.hostIP != pod.hostIP
        || old.labels != pod.labels
    case .podDeleted(let id): return pods.remove(id, \.id)
    case .namespaceAdded(let namespace), .namespaceUpdated(let namespace):
      return namespaceLabels.updateValue(namespace.labels, forKey: namespace.name) != namespace.labels
    case .namespaceDeleted(let name): return namespaceLabels.removeValue(forKey: name) != nil
    case .policyAdded(let policy), .policyUpdated(let policy):
      policies.replace(policy, \.id)
      return true
    case .policyDeleted(let id): return policies.remove(id, \.id)
    }
  }
}

extension Array {
  /// The index where `name` is, or would be, in an array sorted by name.
  fileprivate func place<ID: Comparable>(of name: ID, _ id: (Element) -> ID) -> (index: Int, isTaken: Bool) {
    let index = partitioningIndex { id($0) >= name }
    return (index, index < count && id(self[index]) == name)
  }

  /// Puts an element in its place. Returns the element that was there, if any.
  @discardableResult
  fileprivate mutating func replace<ID: Comparable>(_ element: Element, _ id: (Element) -> ID) -> Element? {
    let (index, isTaken) = place(of: id(element), id)
    guard isTaken else {
      insert(element, at: index)
      return nil
    }
    let old = self[index]
    self[index] = element
    return old
  }

  /// Returns false if there was none.
  fileprivate mutating func remove<ID: Comparable>(_ name: ID, _ id: (Element) -> ID) -> Bool {
    let (index, isTaken) = place(of: name, id)
    if isTaken { remove(at: index) }
    return isTaken
  }
}
