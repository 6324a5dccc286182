/// What became of a packet that was really sent. Only the first three say anything about a verdict.
public enum Observation: Hashable, Sendable {
  /// The listener answered.
  case delivered
  /// Something on the way said no.
  case refused(Refusal)
  /// Nothing came back in time. That says something only where a control is delivered on the same way.
  case silent(after: Duration)
  /// It proves nothing, and why.
  case unusable(String)
}

/// Who said no, and how.
public enum Refusal: Hashable, Sendable {
  /// An ICMP or ICMPv6 error.
  case icmp(type: UInt8, code: UInt8)
  /// A TCP reset.
  case reset
  /// SCTP's ABORT.
  case abort
  /// The sender's own kernel would not send it.
  case local
}

extension Refusal: CustomStringConvertible {
  public var description: String {
    switch self {
    case .icmp(let type, let code): "ICMP \(type)/\(code)"
    case .reset: "RST"
    case .abort: "ABORT"
    case .local: "the sender's own kernel"
    }
  }
}

extension Observation {
  /// Not knowing is not denying: what is unusable says nothing.
  public var verdict: Verdict? {
    switch self {
    case .delivered: .allow
    case .refused, .silent: .deny
    case .unusable: nil
    }
  }
}

extension Observation: CustomStringConvertible {
  public var description: String {
    switch self {
    case .delivered: "delivered"
    case .refused(let refusal): "refused by \(refusal)"
    case .silent(let time): "silent after \(time)"
    case .unusable(let reason): "unusable: \(reason)"
    }
  }
}
