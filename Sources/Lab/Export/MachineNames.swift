internal import NetpolModel
internal import Path

/// What the machines are called in a script: as in the cluster, if that means nothing to a shell, otherwise by number.
struct MachineNames {
  private var names: [Endpoint: String] = [:]
  /// The network between nodes and hosts outside.
  static let lan = "lan"

  init(_ topology: Topology) {
    let nodes = topology.nodes.map { (Endpoint.node($0.name), "node-", $0.name) }
    let pods = topology.pods.keys.sorted().map { (Endpoint.pod($0), "pod-", "\($0.namespace).\($0.name)") }
    let hosts = topology.externals.map { (Endpoint.external($0.name), "host-", $0.name) }
    for (number, (endpoint, kind, name)) in (nodes + pods + hosts).enumerated() {
      // A pod's namespace has no dot, so two pods never have one name.
      let hasOneName = if case .pod(let id) = endpoint { !id.namespace.contains(".") } else { true }
      let isUsable = name.isPlain && !name.contains("/") && name.utf8.count <= 100 && hasOneName
      names[endpoint] = kind + (isUsable ? name : "-\(number + 1)")
    }
  }

  /// Of a node, of a pod with a namespace of its own or of a host outside.
  subscript(machine: Endpoint) -> String { names[machine] ?? "none" }
}
