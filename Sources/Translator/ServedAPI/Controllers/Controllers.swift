internal import Text

/// What a cluster's controllers still have to do: the scheduler, the kubelets, and those of workloads, slices, namespaces
/// and owned objects.
public struct Controllers: Sendable {
  /// How long the steps of a pod take, in milliseconds.
  public struct Pace: Hashable, Sendable {
    /// From a pod's creation until it has a node.
    public var bind: Int
    /// From then until it runs and has its address.
    public var start: Int
    /// From its deletion until it is gone.
    public var stop: Int

    public init(bind: Int = 20, start: Int = 200, stop: Int = 200) {
      self.bind = bind
      self.start = start
      self.stop = stop
    }
  }

  public let pace: Pace
  var queue = StepQueue()
  var index = ObjectIndex()
  /// Pods that no node takes.
  var waiting: Set<ObjectKey> = []
  /// Pods whose node has no free address, by node.
  var addressless: [String: Set<ObjectKey>] = [:]
  /// Nodes whose pods were told of them.
  var startedNodes: Set<String> = []
  var podAddresses = PodAddresses()
  /// Workloads whose next pod has a name that another pod has, by that pod.
  var blocked: [ObjectKey: ObjectKey] = [:]
  /// The Service whose slices and Endpoints are being written. They tell its controller nothing new.
  var written: ObjectKey?
  /// What the pods of StatefulSets and DaemonSets are told apart by, by the uid of their owner.
  var revisions: [String: TemplateRevision] = [:]

  /// In milliseconds: how long a controller takes to see a change.
  static let reaction = 10
  /// Per call.
  static let steps = 100
  /// Objects that one step may create or delete, as ReplicaSets' `BurstReplicas`.
  static let burst = 100
  /// A pace of one more millisecond per this many objects that a step has to look at.
  static let objectsPerMillisecond = 20

  init(_ pace: Pace) { self.pace = pace }

  /// When the next step is due. `nil`: nothing is to do.
  public var nextDue: APITime? { queue.nextDue }

  mutating func enqueue(_ step: Step, _ due: APITime) { queue.add(step, due) }

  /// A step of a workload or Service that has `size` pods.
  mutating func enqueue(_ step: Step, size: Int, _ now: APITime) {
    queue.add(step, now + (Self.reaction + size / Self.objectsPerMillisecond))
  }

  mutating func enqueueOwner(_ uid: String, _ now: APITime) {
    guard let owner = index.keys[uid], owner.type.isWorkload else { return }
    enqueue(.workload(owner), size: index.dependents[uid]?.count ?? 0, now)
  }

  mutating func enqueueSlices(_ service: ObjectKey, _ now: APITime) {
    if service == written { return }
    enqueue(.slices(service), size: index.sizes[service] ?? 0, now)
  }
}

extension ServedCluster {
  /// When the next step of the controllers is due. `nil`: nothing is to do.
  public var nextDue: APITime? { controllers.nextDue }

  /// Does what is due, in the order in which it is due. A long queue takes more than one call.
  public mutating func runControllers(_ now: APITime) {
    for _ in 0..<Controllers.steps {
      guard let step = controllers.queue.next(now) else { return }
      perform(step, now)
    }
  }

  private mutating func perform(_ step: Step, _ now: APITime) {
    switch step {
    case .bind(let pod): bind(pod, now)
    case .start(let pod): start(pod, now)
    case .stop(let pod): stop(pod, now)
    case .node(let node): completeNode(node, now)
    case .lostNode(let name): removePods(ofLostNode: name, now)
    case .nodesChanged: retryAfterChangeOfNodes(now)
    case .workload(let workload): reconcile(workload, now)
    case .slices(let service): reconcileEndpoints(of: service, now)
    case .namespace(let name): emptyNamespace(name, now)
    case .collect(let uid): collectDependents(of: uid, now)
    }
  }
}

extension ResourceType {
  /// Whether a controller here makes objects for it.
  var isWorkload: Bool {
    switch self {
    case .deployments, .replicaSets, .replicationControllers, .statefulSets, .daemonSets, .jobs: true
    default: false
    }
  }
}
