// A world for the tests of `lag`. There are no tests here.
import NetpolModel
import TestSupport
import Testing

@testable import Lag

/// A client that may connect to two servers over TCP only: one admits it by its labels, the other by its address. On a
/// third port the second server admits it too, but the client's own egress policy does not.
enum ConnectionsAlone {
  static func actors() throws -> LagActors {
    let cluster = try cluster()
    return LagActors(cluster, newcomer: try newcomer(in: cluster))
  }

  static func cluster() throws -> Cluster {
    let pods = ["client", "db", "cache"].map { name in
      """
      {apiVersion: v1, kind: Pod, metadata: {namespace: app, name: \(name), labels: {app: \(name)}},
       spec: {nodeName: node1, containers: [{name: c}]}}
      """
    }
    let policies = [
      policy("db", "ingress: [{from: [{podSelector: {matchLabels: {app: client}}}], ports: [{port: 5432}]}]"),
      policy("cache", "ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 6379}, {port: 8080}]}]"),
      policy("client", "egress: [{ports: [{port: 5432}, {port: 6379}]}], ingress: []"),
    ]
    let text = (pods + policies).joined(separator: "\n---\n")
    return try readWorld(text)
  }

  static func newcomer(in cluster: Cluster) throws -> Pod { try #require(cluster.pod(PodID("app", "client"))) }

  private static func policy(_ app: String, _ rules: String) -> String {
    let types = rules.contains("egress") ? "Ingress, Egress" : "Ingress"
    return """
      {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {namespace: app, name: \(app)},
       spec: {podSelector: {matchLabels: {app: \(app)}}, policyTypes: [\(types)], \(rules)}}
      """
  }
}
