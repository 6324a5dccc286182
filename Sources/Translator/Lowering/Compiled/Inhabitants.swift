internal import NetpolModel

/// The pods and addresses of the cluster, as a node's rules must see them, and the pods that selectors select.
struct Inhabitants {
  /// Pods with addresses of their own, sorted by namespace and name.
  let pods: [Pod]
  /// The pods of the view's node, by `spec.nodeName`.
  let local: [Pod]
  let findings: [Finding]
  private var resolution: PeerResolution
  /// Pods by the names of their container ports.
  private let exposing: [String: [Pod]]

  init(_ view: NodeView) {
    var taken: [IPAddress: String] = [:]
    for address in view.nodeAddresses { taken[address] = "node \(view.node)" }
    var pods: [Pod] = []
    var findings: [Finding] = []
    for pod in view.pods
    where !pod.hostNetwork && !pod.phase.isTerminal && pod.node != nil && !pod.podIPs.isEmpty {
      if let address = pod.podIPs.first(where: { taken[$0] != nil }) {
        let owner = taken[address] ?? ""
        findings.append(
          Finding(.pod(pod.id, pod.location), "shares address \(address) with \(owner): rules can't tell them apart")
        )
        continue
      }
      for address in pod.podIPs { taken[address] = "pod \(pod.id)" }
      pods.append(pod)
    }
    self.pods = pods
    local = pods.filter { $0.node == view.node }
    self.findings = findings
    exposing = pods.reduce(into: [:]) { result, pod in
      for name in Set(pod.ports.compactMap(\.name)) { result[name, default: []].append(pod) }
    }
    var known = view
    known.pods = pods
    // A namespace without an object gets the label that every namespace has.
    for name in Set(pods.map(\.id.namespace)) where known.namespaceLabels[name] == nil {
      known.namespaceLabels[name] = Namespace(name: name).labels
    }
    resolution = PeerResolution(known)
  }

  mutating func pods(_ scope: NetworkPolicy.NamespaceScope, _ selector: LabelSelector, from namespace: String) -> [Pod]
  {
    resolution.pods(scope, selector, from: namespace)
  }

  /// Returns the pods that give a container port one of the names in `ports`.
  func pods(naming ports: NetworkPolicy.Ports) -> [Pod] { ports.names.flatMap { exposing[$0] ?? [] } }
}

extension NetworkPolicy.Ports {
  /// The names of the named ports, each once, sorted.
  var names: [String] {
    Set(list.compactMap { if case .name(let name) = $0.number { name } else { nil } }).sorted()
  }
}
