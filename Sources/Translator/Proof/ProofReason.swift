public import Lowering

/// Why the rules of a style treat some packets differently from the specification.
public enum ProofReason: Hashable, Comparable, Sendable {
  case deviation(Deviation)
  /// D5: an ICMP type that policies never block.
  case icmp
  /// D25: conntrack can't assign the packet to a connection.
  case stray

  /// The name in docs and reports, such as `D1`.
  public var id: String { "D\(number)" }

  private var number: Int {
    switch self {
    case .deviation(let deviation): deviation.rawValue
    case .icmp: 5
    case .stray: 25
    }
  }

  public static func < (a: ProofReason, b: ProofReason) -> Bool { a.number < b.number }
}

extension ProofReason {
  /// One sentence about what the rules do.
  public var summary: String {
    switch self {
    case .deviation(let deviation): deviation.summary
    case .icmp: "these ICMP types pass whatever the policies say"
    case .stray: "a packet that conntrack can't assign to a connection (INVALID) is dropped, allowed flow or not"
    }
  }
}
