package import Lowering
internal import Manifests
package import NetpolModel
package import Run

/// Two nodes, a Deployment with a pod on each, a client and another pod, a NodePort service, an external host.
package enum ExpectationsWorld {
  package static let objects = """
    \(twoNodesText("externalHosts: [{name: lan, addresses: [192.168.1.50]}]"))
    apiVersion: apps/v1
    kind: Deployment
    metadata: {namespace: app, name: web}
    spec:
      replicas: 2
      selector: {matchLabels: {app: web}}
      template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, ports: [{containerPort: 8080}]}]}}
    ---
    \(podText("app/client", on: "node1", labels: "app: client"))
    \(podText("app/other", on: "node2", labels: "app: other"))
    apiVersion: v1
    kind: Service
    metadata: {namespace: app, name: web}
    spec:
      type: NodePort
      clusterIP: 10.43.0.80
      selector: {app: web}
      ports: [{port: 80, targetPort: 8080, nodePort: 30080}]
    ---
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {namespace: app, name: web-in}
    spec:
      podSelector: {matchLabels: {app: web}}
      ingress: [{from: [{podSelector: {matchLabels: {app: client}}}], ports: [{port: 8080}]}]
    ---

    """

  /// The file that `add` names: a pod that may send nothing, and a service that answers only on its endpoint's node.
  package static let third = """
    \(podText("app/third", on: "node2", labels: "app: third"))
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {namespace: app, name: third-out}
    spec: {podSelector: {matchLabels: {app: third}}, policyTypes: [Egress]}
    ---
    apiVersion: v1
    kind: Service
    metadata: {namespace: app, name: local}
    spec:
      type: NodePort
      externalTrafficPolicy: Local
      selector: {app: client}
      ports: [{port: 80, nodePort: 30081}]
    """

  package static func text(_ groups: String) -> String {
    objects + "apiVersion: netpol-lab/v1alpha1\nkind: Expectations\ngroups:\n" + groups
  }

  /// Does what the command does with files, but without files.
  package static func groups(_ groups: String) throws -> (cluster: Cluster, groups: [GroupToCheck]) {
    try read(text(groups))
  }

  /// The same for any world.
  package static func read(_ text: String) throws -> (cluster: Cluster, groups: [GroupToCheck]) {
    let reading = try readManifests([ManifestSource(name: "world.yaml", text: text)])
    let cluster = { (group: Expectations.Group) in
      try reading.cluster(of: group) { ManifestSource(name: $0, text: third) }
    }
    let toCheck = try reading.expectations.map { group in
      let other = reading.expectations.first { $0.name == group.comparedWith }
      let reference = try other.map { GroupToCheck.Reference(name: $0.name, cluster: try cluster($0)) }
      let base = group.variant == nil ? nil : GroupToCheck.Reference(name: nil, cluster: reading.cluster)
      return GroupToCheck(group, cluster: try cluster(group), reference: reference ?? base)
    }
    return (reading.cluster, toCheck.addingHosts().groups)
  }

  package static func run(_ text: String, style: EnforcementStyle = .kubeRouterK3s) async throws -> RunReport {
    try await blocking {
      let (cluster, groups) = try groups(text)
      return try ClusterRun(style: style, asksMatrix: false).run(cluster, expecting: groups, version: "test")
    }
  }
}
