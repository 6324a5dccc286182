internal import Agent
internal import Glibc
internal import Kernel
public import Lowering
public import NetpolModel

/// How long it takes until the API server has a started pod's address. This depends on the kubelet and the API server.
public enum APIDelay: Hashable, Sendable {
  case none
  case constant(Duration)
  case uniform(ClosedRange<Duration>)
  case exponential(mean: Duration)

  func sample(_ random: inout some RandomNumberGenerator) -> Duration {
    switch self {
    case .none: .zero
    case .constant(let delay): delay
    case .uniform(let range):
      range.lowerBound + (range.upperBound - range.lowerBound) * Double.random(in: 0...1, using: &random)
    case .exponential(let mean): mean * -log(Double.random(in: Double.leastNonzeroMagnitude...1, using: &random))
    }
  }
}

/// What a lag run measures, and how often.
public struct LagOptions: Sendable {
  public var style: EnforcementStyle
  public var agent: AgentKind
  public var trials = 50
  /// Further changes of the cluster per second while packets flow. Each makes every enforcer sync.
  public var churn = 0.0
  public var apiDelay = APIDelay.none
  /// Time between two datagrams of the densest stream. `nil`: as dense as the windows need without slowing the
  /// enforcer's programs.
  public var spacing: Duration?
  /// How often each kind of request is made. 0 makes none.
  public var requests = 5
  /// A window longer than this is a failure.
  public var maxGap: Duration?
  /// Measures only streams to and from this endpoint. `nil` for all.
  public var target: Endpoint?

  public init(style: EnforcementStyle) {
    self.style = style
    agent = style.defaultAgent
  }
}

extension AgentKind {
  func enforcer(
    _ view: NodeView, style: EnforcementStyle, in namespace: NetworkNamespace, worker: NamespaceWorker,
    onThreadStart: @escaping @Sendable () -> Void, observer: @escaping @Sendable (SyncMoment) -> Void
  ) throws -> any Enforcer {
    switch self {
    case .fullSync:
      try EnforcementAgent(
        view, style: style, in: namespace, worker: worker, onThreadStart: onThreadStart, observer: observer)
    case .incremental:
      IncrementalAgent(
        view, style: style, in: namespace, worker: worker, onThreadStart: onThreadStart, observer: observer)
    }
  }
}
