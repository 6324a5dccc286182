internal import NetpolModel

/// Writes the pods of one workload. What they share is written once.
struct PodObjects {
  private let workload: PlannedWorkload
  private let networks: GeneratedNetworks
  private let fields: ManagedFields
  private let specHead: String
  private let specTail: String

  init(_ workload: PlannedWorkload, _ networks: GeneratedNetworks) {
    self.workload = workload
    self.networks = networks
    fields = ManagedFields(workload)
    let template = PodTemplateText(workload)
    specHead = template.head
    specTail = template.tail
  }

  func text(_ pod: PlannedPod) -> String {
    let place = pod.node.map { ["  nodeName: \(PlannedNode.name($0))"] } ?? []
    return (["apiVersion: v1", "kind: Pod", metadata(pod), specHead] + place + [specTail, status(pod)]).lines
  }

  private func metadata(_ pod: PlannedPod) -> String {
    let identity = pod.identity
    let owner = workload.owner(of: pod)
    return """
      metadata:
        annotations:
          checksum/config: \(workload.template.digest(7))
      \(annotations)
        creationTimestamp: "\(identity.time())"
        generateName: \(pod.name.prefix(generatedLength(pod)))
        labels:
      \(workload.podLabels(pod).lines.indented(4))
      \(fields.text(pod))
        name: \(pod.name)
        namespace: \(workload.namespace)
        ownerReferences:
        - apiVersion: \(owner.version)
          blockOwnerDeletion: true
          controller: true
          kind: \(owner.kind)
          name: \(owner.name)
          uid: \(owner.uid)
        resourceVersion: "\(identity.resourceVersion)"
        uid: \(identity.uid)
      """
  }

  /// How much of the name is in `generateName`: all but the letters, or but a StatefulSet's number.
  private func generatedLength(_ pod: PlannedPod) -> Int {
    workload.kind == .statefulSet ? workload.name.count + 1 : pod.name.count - 5
  }

  private var annotations: String {
    guard let port = workload.ports.first(where: { $0.name == "metrics" }) else {
      return "    cluster-autoscaler.kubernetes.io/safe-to-evict: \"true\""
    }
    return """
          prometheus.io/path: /metrics
          prometheus.io/port: "\(port.number)"
          prometheus.io/scrape: "true"
      """
  }

  private func status(_ pod: PlannedPod) -> String {
    guard let node = pod.node else { return Self.pending(pod) }
    let addresses =
      workload.hostNetwork ? networks.nodeAddresses(node) : networks.podAddresses(node, slot: pod.slot)
    let hosts = networks.nodeAddresses(node)
    return """
      status:
        conditions:
      \(conditions(pod))
        containerStatuses:
        - containerID: containerd://\(pod.identity.digest(1))
          image: \(workload.image)
          imageID: \(workload.image.prefix { $0 != ":" })@sha256:\(workload.template.digest(2))
          lastState: {}
          name: \(workload.containerName)
          ready: \(pod.state == .ready)
          restartCount: \(pod.state == .unready ? 3 : 0)
          started: \(pod.state != .succeeded)
          state:
      \(state(pod).indented(6))
        hostIP: \(hosts.firstText)
        hostIPs:
      \(hosts.map { "  - ip: \($0)" }.lines)
        phase: \(pod.state == .succeeded ? "Succeeded" : "Running")
        podIP: \(addresses.firstText)
        podIPs:
      \(addresses.map { "  - ip: \($0)" }.lines)
        qosClass: Burstable
        startTime: "\(pod.identity.time())"
      """
  }

  private func conditions(_ pod: PlannedPod) -> String {
    let isReady = pod.state == .ready
    let list = [
      ("PodReadyToStartContainers", pod.state != .succeeded, 4), ("Initialized", true, 0), ("Ready", isReady, 9),
      ("ContainersReady", isReady, 9), ("PodScheduled", true, 0),
    ]
    let reason = pod.state == .succeeded ? "PodCompleted" : isReady ? nil : "ContainersNotReady"
    return list.map { type, holds, seconds in
      let cause = holds ? "" : reason.map { "\n    reason: \($0)" } ?? ""
      return """
          - lastProbeTime: null
            lastTransitionTime: "\(pod.identity.time(after: seconds))"\(cause)
            status: "\(holds ? "True" : "False")"
            type: \(type)
        """
    }.lines
  }

  private func state(_ pod: PlannedPod) -> String {
    guard pod.state == .succeeded else { return "running:\n  startedAt: \"\(pod.identity.time(after: 3))\"" }
    return """
      terminated:
        containerID: containerd://\(pod.identity.digest(1))
        exitCode: 0
        finishedAt: "\(pod.identity.time(after: 95))"
        reason: Completed
        startedAt: "\(pod.identity.time(after: 3))"
      """
  }

  private static func pending(_ pod: PlannedPod) -> String {
    """
    status:
      conditions:
      - lastProbeTime: null
        lastTransitionTime: "\(pod.identity.time())"
        message: no node has enough memory
        reason: Unschedulable
        status: "False"
        type: PodScheduled
      phase: Pending
      qosClass: Burstable
    """
  }
}

extension [IPAddress] {
  fileprivate var firstText: String { first.map { "\($0)" } ?? "" }
}
