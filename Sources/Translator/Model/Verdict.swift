/// Whether a flow's first packet is delivered. The raw value is the word for it in reports, JSON and Expectations
/// documents.
public enum Verdict: String, Hashable, Sendable, CaseIterable {
  case allow = "allowed"
  case deny = "denied"
}

/// Why the API's semantics give a verdict; sentences are made from it, never parsed.
public enum Reason: Hashable, Sendable {
  /// Traffic between a pod and its own address does not leave the pod.
  case sameEndpoint
  /// "Traffic to and from the node where a Pod is running is always allowed."
  case ownNode(Direction)
  /// The end is no pod, or no policy isolates it in this direction.
  case notIsolated(Direction)
  case admitted(Direction, by: PolicyID, rule: Int, peer: Int?)
  case isolated(Direction, by: [PolicyID])
  /// The service translates to this endpoint; a policy of the receiver sees the address.
  case translated(NamespacedName, to: Endpoint, port: UInt16, seenFrom: IPAddress)
  /// The client is in none of the service's `loadBalancerSourceRanges`.
  case outOfSourceRanges(NamespacedName)
  /// The service has no endpoint that may be sent to.
  case noEndpoints(NamespacedName)
}

public struct Judgement: Hashable, Sendable {
  public let verdict: Verdict
  public let because: [Reason]
  public init(_ verdict: Verdict, because: [Reason]) {
    self.verdict = verdict
    self.because = because
  }
}
