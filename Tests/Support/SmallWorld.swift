internal import Enforcement
package import EngineComparison
package import Lowering
internal import Manifests
package import NetpolModel
internal import Path
internal import Testing

/// A cluster from manifests, judged by oracle and evaluator in the k3s style.
package struct SmallWorld {
  package let cluster: Cluster
  package let comparer: Comparer

  /// Two namespaces on two nodes; policies are appended.
  package init(policies: String, extra: String = "", style: EnforcementStyle = .kubeRouterK3s) throws {
    let text = Self.base + extra + policies
    var options = ReadOptions()
    options.validation = .asStored
    cluster = try readManifests([ManifestSource(name: "world.yaml", text: text)], options: options).cluster
    comparer = Comparer(
      cluster, try EnforcedCluster(cluster, Topology(cluster), style, versionStamp: "1"))
  }

  package func compare(
    _ from: String, _ to: String, _ port: UInt16, _ transport: Transport = .tcp, _ family: IPFamily = .v4,
    group: IPAddress? = nil
  ) throws -> Comparison {
    let flow = try #require(
      comparer.enforced.topology.flow(
        from: try endpoint(from), to: try endpoint(to), TransportPort(transport, port), family,
        destinationAddress: group))
    return comparer.compare(flow, nil)
  }

  private func endpoint(_ name: String) throws -> Endpoint { try #require(Endpoint(EndpointReference(name))) }

  package static let base = """
    apiVersion: v1
    kind: Namespace
    metadata: {name: app, labels: {team: a}}
    ---
    apiVersion: v1
    kind: Namespace
    metadata: {name: other, labels: {team: b}}
    ---
    apiVersion: v1
    kind: Pod
    metadata: {namespace: app, name: web, labels: {app: web}}
    spec: {nodeName: node1, containers: [{name: c, ports: [{name: http, containerPort: 8080}, {name: admin, containerPort: 9000}]}]}
    ---
    apiVersion: v1
    kind: Pod
    metadata: {namespace: app, name: web2, labels: {app: web}}
    spec: {nodeName: node2, containers: [{name: c, ports: [{name: http, containerPort: 8081}]}]}
    ---
    apiVersion: v1
    kind: Pod
    metadata: {namespace: app, name: client, labels: {app: client}}
    spec: {nodeName: node1, containers: [{name: c}]}
    ---
    apiVersion: v1
    kind: Pod
    metadata: {namespace: other, name: client, labels: {app: client}}
    spec: {nodeName: node2, containers: [{name: c, ports: [{name: http, containerPort: 9090}]}]}
    ---

    """
}
