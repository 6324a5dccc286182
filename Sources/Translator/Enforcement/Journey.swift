internal import Evaluator
public import NetpolModel
public import Path
internal import RuleIR

/// A flow's way through the rules, as reports show it. It is computed once and passed on with the flow's results.
///
/// It contains no packets, and only the rules that decided. For a whole matrix the rest would take gigabytes.
public struct Journey: Hashable, Sendable {
  /// How the packet was stopped.
  public enum Stop: Hashable, Sendable {
    case dropped
    /// An ICMP error is sent, if anybody can receive it.
    case portUnreachable
    case tcpReset
  }

  public let hops: [Position]
  public let end: Walk.End
  /// `nil` if no rule stopped it.
  public let stop: Stop?
  /// The hooks at which the packet was judged or changed.
  public let steps: [PathStep]
  /// The rules that decided, each once, in the order in which the packet met them.
  public let deciding: [DecidingRule]
  /// The marks with which it got to the hooks.
  public let marks: [UInt32]

  public init(
    hops: [Position], end: Walk.End, stop: Stop?, steps: [PathStep], deciding: [DecidingRule], marks: [UInt32] = []
  ) {
    self.marks = marks
    self.hops = hops
    self.end = end
    self.stop = stop
    self.steps = steps
    self.deciding = deciding
  }

  /// Where a service's rules sent the packet. `nil` if none did.
  public var translatedTo: (address: IPAddress, port: UInt16)? { steps.translatedTo }

  /// `nil` if no packet was sent that a rule could judge.
  public var verdict: Verdict? { end.verdict }

  /// Whether the packet arrives, and rules of the node that gets it refuse the answer.
  public var stopsAnswer: Bool {
    guard case .stopped(let position) = end, position.hook == .output, let last = hops.dropLast().last else {
      return false
    }
    return last == Position(node: position.node, pod: position.pod, hook: .input)
  }
}

extension EnforcedCluster {
  /// Follows the flow's first packet through the rules of every node on its way.
  public func journey(of flow: Flow) -> Journey { Journey(walk(flow), flow.family, in: self) }
}

extension Journey {
  public init(_ walk: EvaluatedWalk, _ family: IPFamily, in enforced: EnforcedCluster) {
    marks = walk.hooks.map(\.packet.mark)
    hops = walk.walk.positions
    end = walk.walk.end
    stop = walk.stop.flatMap(Stop.init)
    steps = walk.path
    deciding = walk.deciding.map { DecidingRule($1, at: $0, family, in: enforced) }
  }
}

extension Journey.Stop {
  /// Returns `nil` if the packet was let through.
  init?(_ verdict: Outcome.Verdict) {
    switch verdict {
    case .accept: return nil
    case .drop: self = .dropped
    case .reject(.portUnreachable): self = .portUnreachable
    case .reject(.tcpReset): self = .tcpReset
    }
  }
}
