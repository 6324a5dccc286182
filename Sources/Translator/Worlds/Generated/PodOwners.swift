internal import NetpolModel

extension PlannedWorkload {
  /// The object that made a pod: a Deployment has a ReplicaSet for it, a CronJob a Job.
  func owner(of pod: PlannedPod) -> PlannedOwner {
    switch kind {
    case .deployment:
      PlannedOwner(version: "apps/v1", kind: "ReplicaSet", name: "\(name)-\(templateHash)", uid: template.uid)
    case .statefulSet, .daemonSet:
      PlannedOwner(version: "apps/v1", kind: kind.rawValue, name: name, uid: identity.uid)
    case .cronJob:
      PlannedOwner(
        version: "batch/v1", kind: "Job", name: jobName(pod.ordinal), uid: jobIdentity(pod.ordinal).uid)
    }
  }

  /// The labels of its template, and those that the controller adds.
  func podLabels(_ pod: PlannedPod) -> Labels {
    let added: Labels =
      switch kind {
      case .deployment: ["pod-template-hash": templateHash]
      case .statefulSet:
        [
          "apps.kubernetes.io/pod-index": "\(pod.ordinal)", "controller-revision-hash": "\(name)-\(templateHash)",
          "statefulset.kubernetes.io/pod-name": pod.name,
        ]
      case .daemonSet: ["controller-revision-hash": templateHash, "pod-template-generation": "1"]
      case .cronJob:
        [
          "batch.kubernetes.io/controller-uid": owner(of: pod).uid,
          "batch.kubernetes.io/job-name": jobName(pod.ordinal), "controller-uid": owner(of: pod).uid,
          "job-name": jobName(pod.ordinal),
        ]
      }
    return labels.merging(added) { _, own in own }
  }

  /// The Job of one run of a CronJob. Its number is the minute since 1970 for which it was planned.
  func jobName(_ ordinal: Int) -> String { "\(name)-\(29_480_000 + 1440 * ordinal)" }

  func jobIdentity(_ ordinal: Int) -> Identity { identity.part(ordinal) }
}

/// An owner reference.
struct PlannedOwner: Hashable {
  let version: String
  let kind: String
  let name: String
  let uid: String
}
