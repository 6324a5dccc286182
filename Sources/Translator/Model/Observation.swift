/// What happened to a packet that was really sent. Only the first three cases give a verdict.
public enum Observation: Hashable, Sendable {
  /// The listener answered.
  case delivered
  /// Something on the path refused the packet.
  case refused(Refusal)
  /// No answer came in time. This is evidence only if a control packet on the same path is delivered.
  case silent(after: Duration)
  /// Connection tracking shows that the service sent it to this endpoint, and not to the one that was asked about.
  case elsewhere(String)
  /// The probe proves nothing. The string says why.
  case unusable(String)
}

/// What refused the packet, and how.
public enum Refusal: Hashable, Sendable {
  /// An ICMP or ICMPv6 error.
  case icmp(type: UInt8, code: UInt8)
  /// A TCP RST.
  case reset
  /// An SCTP ABORT.
  case abort
  /// The sender's own kernel refused to send it.
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
  /// The verdict, or `nil` if the observation is unusable: an unknown result is not a denial.
  public var verdict: Verdict? {
    switch self {
    case .delivered: .allow
    case .refused, .silent: .deny
    case .unusable, .elsewhere: nil
    }
  }
}

extension Observation: CustomStringConvertible {
  public var description: String {
    switch self {
    case .delivered: "delivered"
    case .refused(let refusal): "refused by \(refusal)"
    case .silent(let time): "silent after \(time)"
    case .elsewhere(let endpoint): "sent to another endpoint: \(endpoint)"
    case .unusable(let reason): "unusable: \(reason)"
    }
  }
}
