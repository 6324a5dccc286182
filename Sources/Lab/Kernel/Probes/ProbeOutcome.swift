/// What one probe observed. Only the first three cases are evidence for a verdict.
public enum ProbeOutcome: Hashable, Sendable {
  /// The listener answered.
  case delivered
  /// A refusal came back.
  case refused(ProbeRefusal)
  /// Nothing came back before the timeout.
  ///
  /// Over UDP and SCTP, the request didn't reach the listener. Over TCP, the answer to the SYN may have been lost
  /// instead, because the listener learns of a connection only after the client has answered in turn. A next hop that
  /// doesn't answer ARP is also silent, for the first 3 s. So silence needs a control probe that is delivered on the
  /// same path.
  case silent(after: Duration)
  /// The probe proves nothing, for the given reason: the sender had no route, or the request arrived but its reply was
  /// lost.
  case unusable(String)
}

/// How a probe was refused.
public enum ProbeRefusal: Hashable, Sendable {
  /// An ICMP or ICMPv6 error that a packet filter sends: 3/3 and 1/4 are "port unreachable".
  case icmp(type: UInt8, code: UInt8)
  /// A TCP segment with RST. Before Linux 5.8 also any other refusal of TCP, because the ICMP error wasn't reported.
  case reset
  /// An SCTP ABORT, and no INIT ACK before the timeout.
  case abort
  /// The sender's own kernel refused (EPERM, EACCES): a rule in its OUTPUT chain dropped a datagram, or a route
  /// prohibits it.
  case local
}

extension ProbeRefusal: CustomStringConvertible {
  public var description: String {
    switch self {
    case .icmp(let type, let code): "ICMP \(type)/\(code)"
    case .reset: "RST"
    case .abort: "ABORT"
    case .local: "the sender's own kernel"
    }
  }
}

extension ProbeOutcome: CustomStringConvertible {
  public var description: String {
    switch self {
    case .delivered: "delivered"
    case .refused(let refusal): "refused by \(refusal)"
    case .silent(let time): "silent after \(time)"
    case .unusable(let reason): "unusable: \(reason)"
    }
  }
}
