internal import NetpolModel

/// The Service `default/kubernetes`, which every cluster has, and its EndpointSlice: the API servers of the
/// control-plane nodes.
enum APIServerObjects {
  /// k3s's default for `--https-listen-port`.
  private static let port = 6443

  static func service(_ plan: ClusterPlan, _ identity: Identity) -> String {
    let addresses = plan.networks.serviceAddresses(1).prefix(1)
    return """
      apiVersion: v1
      kind: Service
      metadata:
        creationTimestamp: "\(identity.time())"
        labels:
          component: apiserver
          provider: kubernetes
        name: kubernetes
        namespace: default
        resourceVersion: "\(identity.resourceVersion)"
        uid: \(identity.uid)
      spec:
        clusterIP: \(addresses.map(\.description).joined())
        clusterIPs:
      \(addresses.map { "  - \($0)" }.lines)
        internalTrafficPolicy: Cluster
        ipFamilies:
        - \(addresses.map(\.family.rawValue).joined())
        ipFamilyPolicy: SingleStack
        ports:
        - name: https
          port: 443
          protocol: TCP
          targetPort: \(port)
        sessionAffinity: None
        type: ClusterIP
      status:
        loadBalancer: {}
      """
  }

  static func slice(_ plan: ClusterPlan, _ identity: Identity) -> String {
    let nodes = plan.nodes.filter(\.isControlPlane)
    let addresses = nodes.flatMap { plan.networks.nodeAddresses($0.number).prefix(1) }
    return """
      addressType: \(addresses.prefix(1).map(\.family.rawValue).joined())
      apiVersion: discovery.k8s.io/v1
      endpoints:
      - addresses:
      \(addresses.map { "  - \($0)" }.lines)
        conditions:
          ready: true
      kind: EndpointSlice
      metadata:
        creationTimestamp: "\(identity.time())"
        labels:
          kubernetes.io/service-name: kubernetes
        name: kubernetes
        namespace: default
        resourceVersion: "\(identity.resourceVersion)"
        uid: \(identity.uid)
      ports:
      - name: https
        port: \(port)
        protocol: TCP
      """
  }
}
