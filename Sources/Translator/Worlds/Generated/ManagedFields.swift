internal import NetpolModel

/// `metadata.managedFields` of a workload's pods: the fields that the controller wrote, and those of kubelet. They have
/// the shape of real ones, but stop where real ones list each field of a port or of a condition.
struct ManagedFields {
  private let manager: String
  private let container: String

  init(_ workload: PlannedWorkload) {
    manager = workload.kind == .cronJob ? "kube-controller-manager" : "k3s"
    container = workload.containerName
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
            f:containers:
              k:{"name":"\(container)"}:
                .: {}
                f:env: {}
                f:image: {}
                f:ports: {}
                f:resources: {}
            f:restartPolicy: {}
            f:volumes: {}
        manager: \(manager)
        operation: Update
        time: "\(pod.identity.time())"
      - apiVersion: v1
        fieldsType: FieldsV1
        fieldsV1:
          f:status:
            f:conditions: {}
            f:containerStatuses: {}
            f:podIP: {}
            f:podIPs: {}
        manager: kubelet
        operation: Update
        subresource: status
        time: "\(pod.identity.time(after: 9))"
    """
  }
}
