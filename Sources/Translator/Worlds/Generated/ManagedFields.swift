internal import NetpolModel

/// `metadata.managedFields` of a workload's pods: the fields that the controller wrote, and those of kubelet.
struct ManagedFields {
  private let isOfJob: Bool
  private let specFields: String

  init(_ workload: PlannedWorkload) {
    isOfJob = workload.kind == .cronJob
    let ports = workload.ports.map { port in
      """
      k:{"containerPort":\(port.number),"protocol":"\(port.transport.rawValue)"}:
        .: {}
        f:containerPort: {}
        f:name: {}
        f:protocol: {}
      """
    }
    let portFields = ports.isEmpty ? [] : ["f:ports:", "  .: {}", ports.lines.indented(2)]
    specFields = """
      f:containers:
        k:{"name":"\(workload.containerName)"}:
          .: {}
          f:env: {}
          f:image: {}
          f:imagePullPolicy: {}
          f:name: {}
      \((portFields.isEmpty ? ["f:resources: {}"] : portFields + ["f:resources: {}"]).lines.indented(4))
          f:securityContext: {}
          f:volumeMounts: {}
      f:dnsPolicy: {}
      f:restartPolicy: {}
      f:serviceAccountName: {}
      f:volumes: {}
      """
  }

  func text(_ pod: PlannedPod) -> String {
    """
      managedFields:
      - apiVersion: v1
        fieldsType: FieldsV1
        fieldsV1:
          f:metadata:
            f:annotations: {}
            f:generateName: {}
            f:labels: {}
            f:ownerReferences: {}
          f:spec:
    \(specFields.indented(8))
        manager: \(isOfJob ? "kube-controller-manager" : "k3s")
        operation: Update
        time: "\(pod.identity.time())"
    \(kubelet(pod))
    """
  }

  private func kubelet(_ pod: PlannedPod) -> String {
    """
      - apiVersion: v1
        fieldsType: FieldsV1
        fieldsV1:
          f:status:
            f:conditions:
              k:{"type":"ContainersReady"}:
                .: {}
                f:lastProbeTime: {}
                f:lastTransitionTime: {}
                f:status: {}
                f:type: {}
              k:{"type":"Ready"}:
                .: {}
                f:lastProbeTime: {}
                f:lastTransitionTime: {}
                f:status: {}
                f:type: {}
            f:containerStatuses: {}
            f:hostIP: {}
            f:phase: {}
            f:podIP: {}
            f:podIPs: {}
        manager: kubelet
        operation: Update
        subresource: status
        time: "\(pod.identity.time(after: 9))"
    """
  }
}
