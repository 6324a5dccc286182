internal import NetpolModel

/// Who has which address in the cluster, as a node's rules must see it, and whom selectors mean.
struct Inhabitants {
  /// Pods with addresses of their own, in the order of namespace and name.
  let pods: [Pod]
  /// Those of the node, by `spec.nodeName`.
  let local: [Pod]
  let findings: [Finding]
  private var resolution: PeerResolution
  /// By name of a container port.
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
          Finding(.pod(pod.id, pod.location), "has the address \(address) of \(owner) too: no rule can tell them apart")
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
    // A namespace without an object has the label that every namespace has.
    for name in Set(pods.map(\.id.namespace)) where known.namespaceLabels[name] == nil {
      known.namespaceLabels[name] = Namespace(name: name).labels
    }
    resolution = PeerResolution(known)
  }

  mutating func pods(_ scope: NetworkPolicy.NamespaceScope, _ selector: LabelSelector, from namespace: String) -> [Pod]
  {
    resolution.pods(scope, selector, from: namespace)
  }

  /// Pods that give a port one of the names in `ports`.
  func pods(naming ports: NetworkPolicy.Ports) -> [Pod] { ports.names.flatMap { exposing[$0] ?? [] } }
}

extension NetworkPolicy.Ports {
  /// The names of ports, each once.
  var names: [String] {
    Set(list.compactMap { if case .name(let name) = $0.number { name } else { nil } }).sorted()
  }
}
