internal import NetpolModel

/// Selectors that select a pod and as few others of its namespace as labels can tell apart.
struct PodSelectors {
  private let pods: [String: [Pod]]

  init(_ cluster: Cluster) { pods = Dictionary(grouping: cluster.pods, by: \.id.namespace) }

  /// The shortest one by the labels that the pod has; and one by labels that it lacks, if that selects fewer pods.
  func selectors(of pod: Pod) -> [LabelSelector] {
    let neighbours = pods[pod.id.namespace] ?? []
    let labels = stableLabels(of: pod)
    let selected = neighbours.filter { LabelSelector(matchLabels: labels).matches($0.labels) }
    let short = Self.shortened(labels, neighbours, selecting: selected.count)
    let absent = Self.absentKeys(of: pod, selected)
    let plain = LabelSelector(matchLabels: short)
    if absent.isEmpty { return [plain] }
    let exact = LabelSelector(
      matchLabels: Self.shortened(labels, neighbours, selecting: selected.count),
      matchExpressions: absent.map { .init(key: $0, operator: .doesNotExist) })
    return [plain, exact]
  }

  /// The labels that all pods of its workload have, apart from those that a new version or a new run changes.
  func stableLabels(of pod: Pod) -> Labels {
    var labels = pod.labels.filter { !Self.volatileKeys.contains($0.key) }
    // Each run of a CronJob has a Job of another name, which ends in its time.
    let isRun = { (name: String) in name.reversed().prefix(while: \.isNumber).count >= 6 }
    labels = labels.filter { key, value in
      !Self.jobKeys.contains(key) || pod.owner?.kind != "CronJob" && !isRun(value)
    }
    guard let owner = pod.owner else { return labels }
    for other in pods[pod.id.namespace] ?? [] where other.owner == owner {
      labels = labels.filter { other.labels[$0.key] == $0.value }
    }
    return labels
  }

  private static let jobKeys = ["job-name", "batch.kubernetes.io/job-name"]
  /// Labels by which controllers tell versions, runs and single pods apart.
  static let volatileKeys: Set<String> = [
    "pod-template-hash", "controller-revision-hash", "pod-template-generation", "controller-uid",
    "batch.kubernetes.io/controller-uid", "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/job-completion-index", "app.kubernetes.io/version", "version", "helm.sh/chart", "chart",
    "release-revision", "revision",
  ]
  /// Keys that name what a pod is. They are kept longest.
  private static let namingKeys = [
    "app.kubernetes.io/name", "app", "k8s-app", "name", "app.kubernetes.io/instance", "app.kubernetes.io/component",
    "component", "tier", "role",
  ]

  /// Drops labels without which no more pods are selected.
  private static func shortened(_ labels: Labels, _ pods: [Pod], selecting count: Int) -> Labels {
    let rank = { (key: String) in namingKeys.firstIndex(of: key) ?? namingKeys.count }
    var kept = labels
    for key in labels.keys.sorted(by: { (rank($0), $0) > (rank($1), $1) }) where kept.count > 1 {
      var fewer = kept
      fewer[key] = nil
      let selector = LabelSelector(matchLabels: fewer)
      if pods.count(where: { selector.matches($0.labels) }) == count { kept = fewer }
    }
    return kept
  }

  /// Keys that the pod lacks, and that tell it apart from others with the same labels.
  private static func absentKeys(of pod: Pod, _ selected: [Pod]) -> [String] {
    var others = selected.filter { other in
      other.labels.keys.contains { pod.labels[$0] == nil && !volatileKeys.contains($0) }
    }
    var keys: [String] = []
    while !others.isEmpty, keys.count < 8 {
      var counts: [String: Int] = [:]
      for key in others.flatMap(\.labels.keys) where pod.labels[key] == nil && !volatileKeys.contains(key) {
        counts[key, default: 0] += 1
      }
      guard let best = counts.max(by: { ($0.value, $1.key) < ($1.value, $0.key) })?.key else { return keys }
      keys.append(best)
      others.removeAll { $0.labels[best] != nil }
    }
    return keys.sorted()
  }
}
