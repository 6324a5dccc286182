internal import Enforcement
package import EngineComparison
package import Lowering
package import NetpolModel
internal import Path
internal import Testing

/// A cluster from manifests, judged by oracle and evaluator in the k3s style.
package struct SmallWorld {
  package let cluster: Cluster
  package let comparer: Comparer

  /// Two namespaces on two nodes. `policies` is appended.
  package init(policies: String, extra: String = "", style: EnforcementStyle = .kubeRouterK3s) throws {
    let text = Self.base + extra + policies
    cluster = try readWorld(text, asStored: true)
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
    \(podText("app/web", on: "node1", labels: "app: web", ports: ["name: http, containerPort: 8080", "name: admin, containerPort: 9000"]))
    \(podText("app/web2", on: "node2", labels: "app: web", ports: ["name: http, containerPort: 8081"]))
    \(podText("app/client", on: "node1", labels: "app: client"))
    \(podText("other/client", on: "node2", labels: "app: client", ports: ["name: http, containerPort: 9090"]))

    """
}
