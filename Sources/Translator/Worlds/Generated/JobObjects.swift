internal import NetpolModel

/// The Jobs of a CronJob. They say whose the pods are, which a pod of a Job doesn't.
struct JobObjects {
  let workload: PlannedWorkload

  var texts: [String] {
    let template = PodTemplateText(workload)
    let spec = [template.head, template.tail].lines
    return workload.pods.map { text($0, spec) }
  }

  private func text(_ pod: PlannedPod, _ spec: String) -> String {
    let identity = workload.jobIdentity(pod.ordinal)
    return """
      apiVersion: batch/v1
      kind: Job
      metadata:
        creationTimestamp: "\(identity.time())"
        generation: 1
        labels:
      \(workload.labels.lines.indented(4))
        name: \(workload.jobName(pod.ordinal))
        namespace: \(workload.namespace)
        ownerReferences:
        - apiVersion: batch/v1
          blockOwnerDeletion: true
          controller: true
          kind: CronJob
          name: \(workload.name)
          uid: \(workload.identity.uid)
        resourceVersion: "\(identity.resourceVersion)"
        uid: \(identity.uid)
      spec:
        backoffLimit: 3
        completions: 1
        parallelism: 1
        template:
          metadata:
            labels:
      \(workload.podLabels(pod).lines.indented(8))
      \(spec.indented(4))
      status:
      \(status(pod, identity).indented(2))
      """
  }

  private func status(_ pod: PlannedPod, _ identity: Identity) -> String {
    guard pod.state == .succeeded else { return "active: 1\nstartTime: \"\(identity.time())\"" }
    return """
      completionTime: "\(identity.time(after: 97))"
      conditions:
      - lastProbeTime: "\(identity.time(after: 97))"
        lastTransitionTime: "\(identity.time(after: 97))"
        status: "True"
        type: Complete
      startTime: "\(identity.time())"
      succeeded: 1
      """
  }
}
