internal import NetpolModel

extension PlannedNode {
  func text(_ networks: GeneratedNetworks) -> String {
    let blocks = networks.podCIDRs(number)
    let role = isControlPlane ? ["node-role.kubernetes.io/control-plane": "true"] : [:]
    let labels: Labels = [
      "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
      "kubernetes.io/hostname": name, "kubernetes.io/os": "linux",
      "topology.kubernetes.io/region": "region-1", "topology.kubernetes.io/zone": Self.zone(number),
    ]
    let addresses = networks.nodeAddresses(number).map { "- address: \($0)\n  type: InternalIP" }
    return """
      apiVersion: v1
      kind: Node
      metadata:
        creationTimestamp: "\(identity.time())"
        labels:
      \(labels.merging(role) { _, own in own }.lines.indented(4))
        name: \(name)
        resourceVersion: "\(identity.resourceVersion)"
        uid: \(identity.uid)
      spec:
        podCIDR: \(blocks.prefix(1).map(\.description).lines)
        podCIDRs:
      \(blocks.map { "  - \($0)" }.lines)
      status:
        addresses:
      \((addresses + ["- address: \(name)\n  type: Hostname"]).lines.indented(2))
        allocatable:
          cpu: "16"
          memory: 64Gi
          pods: "110"
        capacity:
          cpu: "16"
          memory: 64Gi
          pods: "110"
        conditions:
        - lastHeartbeatTime: "\(identity.time(after: 600))"
          lastTransitionTime: "\(identity.time(after: 20))"
          message: kubelet is posting ready status
          reason: KubeletReady
          status: "True"
          type: Ready
        daemonEndpoints:
          kubeletEndpoint:
            Port: 10250
        nodeInfo:
          architecture: amd64
          bootID: \(identity.part(1).uid)
          containerRuntimeVersion: containerd://2.1.4
          kernelVersion: 6.12.48-amd64
          kubeProxyVersion: v1.34.1
          kubeletVersion: v1.34.1
          machineID: \(identity.part(2).digest().prefix(32))
          operatingSystem: linux
          osImage: Debian GNU/Linux 13 (trixie)
          systemUUID: \(identity.part(3).uid)
      """
  }
}

extension PlannedNamespace {
  func text(_ identity: Identity) -> String {
    """
    apiVersion: v1
    kind: Namespace
    metadata:
      creationTimestamp: "\(identity.time())"
      labels:
    \(labels.lines.indented(4))
      name: \(name)
      resourceVersion: "\(identity.resourceVersion)"
      uid: \(identity.uid)
    spec:
      finalizers:
      - kubernetes
    status:
      phase: Active
    """
  }
}
