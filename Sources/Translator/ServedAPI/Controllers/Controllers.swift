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

  init(_ pace: Pace) { self.pace = pace }

  /// Takes note of a change, and of what it gives the controllers to do.
  mutating func note(_ event: ObjectEvent, _ store: ObjectStore, _ now: APITime) {}

  /// When the next step is due. `nil`: nothing is to do.
  public var nextDue: APITime? { nil }
}

extension ServedCluster {
  public var nextDue: APITime? { controllers.nextDue }

  /// Does what is due.
  public mutating func runControllers(_ now: APITime) {}
}
