internal import Evaluator
public import NetpolModel
public import Path

/// A flow's first packet at one hook of a node: what the policies there saw, or how it was translated.
public struct PathStep: Hashable, Sendable {
  public enum Event: Hashable, Sendable {
    /// Judged by the filter rules.
    case passed
    case stopped
    /// A service's address became an endpoint's.
    case destinationTranslated(IPAddress, port: UInt16)
    /// The source became an address of the node.
    case masqueraded(IPAddress)
  }

  public let position: Position
  /// The packet's addresses and port before the event. Policies see a packet of OUTPUT after its destination is translated.
  public let source: IPAddress
  public let destination: IPAddress
  public let port: UInt16
  public let event: Event
  /// Whether the packet now goes to a pod that sends it on.
  public let leadsOn: Bool

  init(
    position: Position, source: IPAddress, destination: IPAddress, port: UInt16, event: Event, leadsOn: Bool = false
  ) {
    self.position = position
    self.source = source
    self.destination = destination
    self.port = port
    self.event = event
    self.leadsOn = leadsOn
  }
}

extension [PathStep] {
  /// The first address that a node's rules put on the packet for a service or host port. That of a pod that sends the
  /// packet on doesn't count.
  var translatedTo: (address: IPAddress, port: UInt16)? {
    for step in self where step.position.pod == nil && !step.leadsOn {
      if case .destinationTranslated(let address, let port) = step.event { return (address, port) }
    }
    return nil
  }
}

extension EvaluatedWalk {
  /// Where a service's rules sent the packet. `nil` if none did.
  public var translatedTo: (address: IPAddress, port: UInt16)? { path.translatedTo }

  /// The hooks at which the packet is judged or changed, in the order it meets them.
  public var path: [PathStep] {
    hooks.flatMap { hook -> [PathStep] in
      let (before, after) = (hook.packet, hook.outcome.packet)
      let step = { (event: PathStep.Event) in
        PathStep(
          position: hook.position, source: before.source, destination: before.destination, port: before.port,
          event: event, leadsOn: forwarderAddresses.contains(after.destination))
      }
      var steps: [PathStep] = []
      if before.destination != after.destination || before.port != after.port {
        steps.append(step(.destinationTranslated(after.destination, port: after.port)))
      }
      if before.source != after.source { steps.append(step(.masqueraded(after.source))) }
      // OUTPUT translates before it judges.
      let judged = PathStep(
        position: hook.position, source: before.source, destination: after.destination, port: after.port,
        event: hook.outcome.verdict == .accept ? .passed : .stopped)
      // No policy judges inside a pod.
      let isJudged = hook.position.pod == nil && [.input, .forward, .output].contains(hook.position.hook)
      if isJudged || hook.outcome.verdict != .accept { steps.append(judged) }
      return steps
    }
  }
}

extension Packet {
  /// The destination port, or 0 if the packet has none.
  fileprivate var port: UInt16 { if case .transport(_, _, let port) = payload { port } else { 0 } }
}
