internal import NetpolModel
internal import Statistics

/// A workload with its pods, before it is written.
struct PlannedWorkload {
  let namespace: String
  let name: String
  let kind: WorkloadKind
  /// The labels of its template, without those that controllers add.
  let labels: Labels
  let image: String
  let ports: [PlannedPort]
  let requests: ResourceRequests
  /// `nil` for the cluster's own workloads.
  var tier: Tier?
  var application = ""
  var hostNetwork = false
  var pods: [PlannedPod] = []
  var services: [PlannedService] = []
  let identity: Identity
  let template: Identity

  /// The labels that select its pods.
  var selector: Labels {
    labels.filter { tier == nil || $0.key == Self.nameKey || $0.key == Self.componentKey }
  }

  static let nameKey = "app.kubernetes.io/name"
  static let componentKey = "app.kubernetes.io/component"

  mutating func addPods(
    _ count: Int, _ random: inout SplitMix64, state: (inout SplitMix64) -> PlannedPod.State
  ) {
    pods = (0..<count).map { ordinal in
      PlannedPod(
        name: podName(ordinal), ordinal: ordinal, state: state(&random), identity: Identity(random.next()))
    }
  }

  private func podName(_ ordinal: Int) -> String {
    let letters = identity.suffix(number: ordinal)
    return switch kind {
    case .deployment: "\(name)-\(templateHash)-\(letters)"
    case .statefulSet: "\(name)-\(ordinal)"
    case .daemonSet: "\(name)-\(letters)"
    case .cronJob: "\(jobName(ordinal))-\(letters)"
    }
  }

  /// Its pods have one container.
  var containerName: String { tier?.rawValue ?? name }

  /// `pod-template-hash`, `controller-revision-hash`.
  var templateHash: String { template.suffix(9) }
}

/// A Service for the pods of one workload.
struct PlannedService {
  enum Kind: Hashable { case clusterIP, headless, nodePort, loadBalancer }

  let name: String
  var kind: Kind
  var ports: [PlannedServicePort]
  /// The last 16 bits of its ClusterIPs. `nil` for a headless Service.
  var addressOffset: UInt16?
  /// Of its only port.
  var nodePort: UInt16?
  let identity: Identity
}

/// A pod with its place.
struct PlannedPod {
  enum State: Hashable { case ready, unready, pending, succeeded }

  let name: String
  /// The number in its workload.
  let ordinal: Int
  /// `nil` for a pod that no node has room for.
  var node: Int?
  var state: State
  /// Its number on the node. It gives the address.
  var slot = 0
  let identity: Identity
}

/// A namespace with its workloads.
struct PlannedNamespace {
  let name: String
  let labels: Labels
  /// Whether applications run in it, and not the cluster's own workloads.
  let isOfTeam: Bool
  var workloads: [PlannedWorkload] = []
}

/// A node with its labels.
struct PlannedNode {
  let number: Int
  let isControlPlane: Bool
  let identity: Identity

  init(number: Int, of count: Int, _ identity: Identity) {
    self.number = number
    isControlPlane = number < (count < 5 ? 1 : 3)
    self.identity = identity
  }

  var name: String { Self.name(number) }
  static func name(_ number: Int) -> String { "node-\(number + 1)" }
  static func zone(_ number: Int) -> String { "zone-\(["a", "b", "c"][number % 3])" }
}
