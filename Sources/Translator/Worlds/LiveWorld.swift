public import NetpolModel
internal import Statistics

/// A world whose objects change one by one, driven by its seed. Pods are added, removed and relabelled, they end, and
/// they take over addresses. Policies are added, removed and changed. Namespaces are relabelled.
public struct LiveWorld: Sendable {
  public let seed: UInt64
  /// Every pod that has a place of its own, including pods that are absent. The lab is built for it. A pod that takes
  /// over an address has the place of the pod before it.
  public let places: Cluster
  public private(set) var cluster: Cluster
  private var random: SplitMix64
  private let writer: PolicyWriter
  /// Absent pods. They may be added unless another pod has their address.
  private var absent: [Pod] = []
  private var created = 0
  /// The description of the pod removal that happened at the start, if any.
  private var first: String?

  public init(seed: UInt64) {
    self.seed = seed
    var places = World(seed: seed).cluster
    // Its choice would follow the endpoints, and so change the places.
    places.settings.loadBalancing = nil
    self.places = places
    cluster = places
    writer = PolicyWriter(places)
    random = SplitMix64(seed: seed ^ 0x6c69_7665)
    if random.chance(50) { first = removePod() }
  }

  /// The state with all pods, then possibly a state with one pod removed, then `steps` changes.
  public func sequence(steps: Int) -> ClusterSequence {
    var world = self
    var states = [places]
    var changes: [String] = []
    if let first {
      states.append(cluster)
      changes.append(first)
    }
    for _ in 0..<steps {
      changes.append(world.step())
      states.append(world.cluster)
    }
    return ClusterSequence(places: places, states: states, changes: changes)
  }

  /// Changes one object and returns a short description.
  public mutating func step() -> String {
    for _ in 0..<20 {
      let change =
        switch random.below(16) {
        case 0...1: removePod()
        case 2...3: addPod()
        case 4...5: relabelPod()
        case 6...7: replacePod()
        case 8: endPod()
        case 9...10: addPolicy()
        case 11: removePolicy()
        case 12...14: changePolicy()
        default: relabelNamespace()
        }
      if let change { return change }
    }
    return "no change"
  }

  private mutating func removePod() -> String? {
    guard cluster.pods.count > 1 else { return nil }
    let pod = cluster.pods.remove(at: random.below(cluster.pods.count))
    leaveSlices(pod)
    absent.append(pod)
    return "pod \(pod.id) is removed"
  }

  private mutating func addPod() -> String? {
    let taken = Set(cluster.pods.filter { !$0.hostNetwork }.flatMap(\.podIPs))
    let free = absent.indices.filter { absent[$0].hostNetwork || taken.isDisjoint(with: absent[$0].podIPs) }
    guard let index = random.one(of: free) else { return nil }
    var pod = absent.remove(at: index)
    pod.labels = RandomWords.labels(&random)
    pod.ports = RandomWords.containerPorts(&random)
    renewHostPorts(&pod)
    insert(pod)
    return "pod \(pod.id) is added"
  }

  private mutating func relabelPod() -> String? {
    guard !cluster.pods.isEmpty else { return nil }
    let index = random.below(cluster.pods.count)
    let labels = RandomWords.labels(&random)
    guard cluster.pods[index].labels != labels else { return nil }
    cluster.pods[index].labels = labels
    return "pod \(cluster.pods[index].id) is relabelled"
  }

  /// Replaces a pod with another one that gets its address at once.
  private mutating func replacePod() -> String? {
    let candidates = cluster.pods.indices.filter { index in
      let pod = cluster.pods[index]
      return !pod.hostNetwork && !pod.podIPs.isEmpty && places.pods.contains { $0.stands(at: pod.podIPs) }
    }
    guard let index = random.one(of: candidates) else { return nil }
    var pod = cluster.pods.remove(at: index)
    let old = pod.id
    leaveSlices(pod)
    pod.id = PodID(WorldPlaces.namespace(&random), "r\(created)")
    created += 1
    pod.phase = .running
    pod.labels = RandomWords.labels(&random)
    pod.ports = RandomWords.containerPorts(&random)
    renewHostPorts(&pod)
    insert(pod)
    return "pod \(pod.id) takes over the address of \(old)"
  }

  /// Ends a pod. The API still shows its address, but the pod no longer has it.
  private mutating func endPod() -> String? {
    let candidates = cluster.pods.indices.filter { !cluster.pods[$0].phase.isTerminal }
    guard let index = random.one(of: candidates) else { return nil }
    cluster.pods[index].phase = .succeeded
    cluster.pods[index].isReady = false
    leaveSlices(cluster.pods[index])
    return "pod \(cluster.pods[index].id) ends"
  }

  private mutating func addPolicy() -> String? {
    guard cluster.policies.count < 5 else { return nil }
    let policy = writer.policy(10 + created, &random)
    created += 1
    cluster.policies.append(policy)
    cluster.policies.sort { $0.id < $1.id }
    return "policy \(policy.id) is added"
  }

  private mutating func removePolicy() -> String? {
    guard !cluster.policies.isEmpty else { return nil }
    return "policy \(cluster.policies.remove(at: random.below(cluster.policies.count)).id) is removed"
  }

  private mutating func changePolicy() -> String? {
    guard !cluster.policies.isEmpty else { return nil }
    let index = random.below(cluster.policies.count)
    var policy = writer.policy(0, &random)
    policy.id = cluster.policies[index].id
    // Often change only the egress direction.
    if random.chance(50) {
      policy.podSelector = cluster.policies[index].podSelector
      policy.isolates = cluster.policies[index].isolates
      policy.ingress = cluster.policies[index].ingress
    }
    cluster.policies[index] = policy
    return "policy \(policy.id) changes"
  }

  private mutating func relabelNamespace() -> String? {
    guard !cluster.namespaces.isEmpty else { return nil }
    let index = random.below(cluster.namespaces.count)
    cluster.namespaces[index].labels = RandomWords.namespaceLabels(&random)
    return "namespace \(cluster.namespaces[index].name) is relabelled"
  }

  /// Gives a pod that had host ports others, which fit its new ports.
  private mutating func renewHostPorts(_ pod: inout Pod) {
    if pod.hostPorts.isEmpty { return }
    var copy = random
    var aside = SplitMix64(seed: ~copy.next())
    pod.hostPorts = WaysIn.hostPorts(of: pod, in: cluster, &aside)
  }

  private mutating func insert(_ pod: Pod) {
    cluster.pods.append(pod)
    cluster.pods.sort { $0.id < $1.id }
  }

  /// Removes the pod from hand-written slices. Slices for selectors are added when the manifest is read.
  private mutating func leaveSlices(_ pod: Pod) {
    for index in cluster.endpointSlices.indices {
      cluster.endpointSlices[index].members.removeAll { $0.pod == pod.id }
    }
  }
}

extension Pod {
  /// A pod that has ended has no place to take over.
  fileprivate func stands(at addresses: [IPAddress]) -> Bool {
    !hostNetwork && !phase.isTerminal && podIPs == addresses
  }
}
