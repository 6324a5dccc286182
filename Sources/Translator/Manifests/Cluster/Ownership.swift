internal import NetpolModel

/// Which workloads have their pods in the input, and whom a pod belongs to.
struct Ownership {
  /// A workload by kind and name, in its namespace.
  private struct Holder: Hashable {
    let namespace: String
    let workload: Pod.Workload
  }

  /// The owners of each object other than a pod.
  private var owners: [Holder: [Pod.Workload]] = [:]
  private var controllers: [Holder: Pod.Workload] = [:]
  private var workloads: Set<Holder> = []
  private var withPods: Set<Holder> = []

  init(pods: [PodManifest], workloads: [Workload], others: SkippedObjects) {
    self.workloads = Set(workloads.map(Self.holder))
    for workload in workloads {
      owners[Self.holder(workload)] = workload.owners
      controllers[Self.holder(workload)] = workload.controller
    }
    for object in others.owned {
      owners[Holder(namespace: object.namespace, workload: object.object)] = object.owners
    }
    for pod in pods { mark(pod.owners, pod.pod.labels, in: pod.pod.id.namespace) }
    // The other way round too: a StatefulSet of the input has the pods of the Prometheus that owns it.
    for workload in workloads where !isMadeByAnother(workload) {
      mark(workload.owners, workload.labels, in: workload.id.namespace)
    }
  }

  private static func holder(_ workload: Workload) -> Holder {
    Holder(namespace: workload.id.namespace, workload: Pod.Workload(kind: workload.kind, name: workload.id.name))
  }

  /// Whether pods of the workload are in the input, or a workload that it owns.
  func hasPods(_ workload: Pod.Workload, in namespace: String) -> Bool {
    withPods.contains(Holder(namespace: namespace, workload: workload))
  }

  /// Whether the input has the workload that keeps this one: the Deployment of a ReplicaSet.
  func isMadeByAnother(_ workload: Workload) -> Bool {
    workload.owners.contains { owner in
      Self.makers[workload.kind]?.contains(owner.kind) == true
        && workloads.contains(Holder(namespace: workload.id.namespace, workload: owner))
    }
  }

  /// Controllers whose objects are made by another one that also counts their pods.
  private static let makers: [String: Set<String>] = [
    "ReplicaSet": ["Deployment", "Rollout"], "ReplicationController": ["DeploymentConfig"],
    "VirtualMachineInstance": ["VirtualMachine"], "Configuration": [Workload.knativeService],
  ]

  /// Knative's labels tell what the owners don't if its Revisions are not in the input.
  private mutating func mark(_ list: [Pod.Workload], _ labels: Labels, in namespace: String) {
    for owner in list { mark(owner, in: namespace) }
    for (key, kind) in Workload.knativeLabels {
      if let name = labels[key] { mark(Pod.Workload(kind: kind, name: name), in: namespace) }
    }
  }

  /// Marks a workload and all above it. The names tell more than the input may show: `web-5d4f` is a ReplicaSet of the
  /// Deployment or Rollout `web`, `backup-2891` a Job of the CronJob `backup`, `db-1` a ReplicationController of the
  /// DeploymentConfig `db`.
  private mutating func mark(_ workload: Pod.Workload, in namespace: String) {
    var pending = [workload]
    while let next = pending.popLast() {
      let holder = Holder(namespace: namespace, workload: next)
      guard withPods.insert(holder).inserted else { continue }
      pending += owners[holder] ?? []
      if next.kind == "VirtualMachineInstance" { pending.append(Pod.Workload(kind: "VirtualMachine", name: next.name)) }
      let makers = [
        "ReplicaSet": ["Deployment", "Rollout"], "Job": ["CronJob"], "ReplicationController": ["DeploymentConfig"],
      ]
      guard let dash = next.name.lastIndex(of: "-") else { continue }
      pending += (makers[next.kind] ?? []).map { Pod.Workload(kind: $0, name: String(next.name[..<dash])) }
    }
  }

  /// The workload under which users know the pod: the Deployment of its ReplicaSet, the CronJob of its Job. If the input
  /// doesn't show the link, the label tells that a Deployment or Rollout puts on its pods.
  func owner(of pod: Pod, createdBy controller: Pod.Workload) -> Pod.Workload {
    let holder = Holder(namespace: pod.id.namespace, workload: controller)
    if let maker = controllers[holder], Self.isKnownThrough(maker.kind, controller.kind) { return maker }
    switch controller.kind {
    case "ReplicaSet":
      for (label, kind) in [("pod-template-hash", "Deployment"), ("rollouts-pod-template-hash", "Rollout")] {
        guard let hash = pod.labels[label], !hash.isEmpty, controller.name.hasSuffix("-\(hash)"),
          controller.name.utf8.count > hash.utf8.count + 1
        else { continue }
        return Pod.Workload(kind: kind, name: String(controller.name.dropLast(hash.count + 1)))
      }
    case "ReplicationController":
      if let name = pod.labels["deploymentconfig"], controller.name.hasPrefix("\(name)-") {
        return Pod.Workload(kind: "DeploymentConfig", name: name)
      }
    case "VirtualMachineInstance":
      let machine = Pod.Workload(kind: "VirtualMachine", name: controller.name)
      if workloads.contains(Holder(namespace: pod.id.namespace, workload: machine)) { return machine }
    default: break
    }
    return controller
  }

  private static func isKnownThrough(_ maker: String, _ kind: String) -> Bool {
    kind == "Job" && maker == "CronJob" || makers[kind]?.contains(maker) == true
  }
}
