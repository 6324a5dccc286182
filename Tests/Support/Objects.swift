internal import Manifests
package import NetpolModel

/// A Pod as a document. `id` is `namespace/name`. Labels, ports, the rest of the spec and the status are YAML in flow
/// style without the braces: `app: web`, `containerPort: 80`.
package func podText(
  _ id: String, on node: String, labels: String = "", ports: [String] = [], spec: String = "", status: String = ""
) -> String {
  let (namespace, name) = halves(id)
  let metadata = "namespace: \(namespace), name: \(name)" + (labels.isEmpty ? "" : ", labels: {\(labels)}")
  let listed = ports.map { "{\($0)}" }.joined(separator: ", ")
  let container = "{name: c" + (ports.isEmpty ? "" : ", ports: [\(listed)]") + "}"
  return """
    apiVersion: v1
    kind: Pod
    metadata: {\(metadata)}
    spec: {nodeName: \(node), containers: [\(container)]\(spec.isEmpty ? "" : ", " + spec)}
    \(status.isEmpty ? "---" : "status: {\(status)}\n---")

    """
}

/// A NetworkPolicy as a document. `spec` is YAML in any style.
package func policyText(_ id: String, _ spec: String, annotations: String = "") -> String {
  let (namespace, name) = halves(id)
  let lines = spec.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n")
  return """
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {namespace: \(namespace), name: \(name), annotations: {\(annotations)}}
    spec:
    \(lines)
    ---

    """
}

/// The lab's own Cluster document: two nodes, each with an address and a pod CIDR. `more` is additional YAML.
package func twoNodesText(_ more: String = "") -> String {
  """
  apiVersion: netpol-lab/v1alpha1
  kind: Cluster
  nodes:
  - {name: node1, addresses: [192.168.20.11], podCIDRs: [10.42.0.0/24]}
  - {name: node2, addresses: [192.168.20.12], podCIDRs: [10.42.1.0/24]}
  \(more)
  ---

  """
}

/// The cluster that the documents describe. With `asStored`, even if the API server would reject them. Throws
/// `ManifestError`.
package func readWorld(
  _ text: String, name: String = "world.yaml", asStored: Bool = false
) throws -> Cluster {
  let source = ManifestSource(name: name, text: text)
  return try readManifests([source], options: ReadOptions(validation: asStored ? .asStored : .apiServer)).cluster
}

private func halves(_ id: String) -> (namespace: Substring, name: Substring) {
  let parts = id.split(separator: "/", maxSplits: 1)
  return (parts[0], parts[parts.count - 1])
}
