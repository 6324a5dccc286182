public import NetpolModel

/// A rule acts when all its matches hold.
public struct Rule: Hashable, Sendable {
  /// In the order in which they are tested and printed.
  public var matches: [Match]
  public var statements: [Statement]
  public var comment: String?
  public var origin: Origin?
  /// Nil: its statements say all.
  public var role: Role?

  public init(
    _ matches: [Match] = [], _ statements: [Statement], comment: String? = nil, origin: Origin? = nil,
    role: Role? = nil
  ) {
    self.matches = matches
    self.statements = statements
    self.comment = comment
    self.origin = origin
    self.role = role
  }

  /// What a rule is to the policies, where its statements don't tell.
  public enum Role: Hashable, Sendable {
    /// The enforcer's: what it returns is exempt from the policies here.
    case exemption
    /// Another program's: what it accepts is no policy's answer.
    case foreign
  }
}

/// What a rule was made from: the only link from rules up to policies.
public struct Origin: Hashable, Sendable {
  public var policy: PolicyID?
  public var pod: PodID?
  public var direction: Direction?
  /// Index in `spec.ingress` or `spec.egress`.
  public var rule: Int?
  /// Indexes in `from` or `to` of the peers that the rule stands for; empty where it stands for any peer.
  public var peers: [Int]
  /// The named port that the rule or set stands for.
  public var portName: String?
  public var location: SourceLocation?

  public init(
    policy: PolicyID? = nil, pod: PodID? = nil, direction: Direction? = nil, rule: Int? = nil, peers: [Int] = [],
    portName: String? = nil, location: SourceLocation? = nil
  ) {
    self.policy = policy
    self.pod = pod
    self.direction = direction
    self.rule = rule
    self.peers = peers
    self.portName = portName
    self.location = location
  }
}

/// Which end of a packet a match looks at.
public enum Side: String, Hashable, Sendable, CaseIterable {
  case source = "src"
  case destination = "dst"
}

/// A mark's bits under a mask (`xt_mark`, nft `meta mark`).
public struct Mark: Hashable, Sendable {
  public var value: UInt32
  public var mask: UInt32
  public init(_ value: UInt32, mask: UInt32) {
    self.value = value
    self.mask = mask
  }
}

/// Token bucket of `xt_limit` and nft `limit`: `rate` a unit, `burst` at once.
public struct RateLimit: Hashable, Sendable {
  public enum Unit: String, Hashable, Sendable, CaseIterable {
    case second = "sec"
    case minute = "min"
    case hour
    case day
    public var seconds: Int {
      switch self {
      case .second: 1
      case .minute: 60
      case .hour: 3600
      case .day: 86400
      }
    }
  }
  public var rate: Int
  public var unit: Unit
  public var burst: Int
  public init(_ rate: Int, per unit: Unit, burst: Int) {
    self.rate = rate
    self.unit = unit
    self.burst = burst
  }
}

/// What a rule asks of a packet. Closed: the evaluator and each renderer switch over all of it.
public enum Match: Hashable, Sendable {
  case address(Side, CIDR, negated: Bool = false)
  case inSet(Side, SetName, negated: Bool = false)
  /// The fields are a key of the `KeyedSet`. A packet without one of them, as a ping without ports, is in none.
  case keyed([PacketField], in: SetName)
  case transport(Transport)
  /// Destination port of a transport.
  case port(Transport, PortRange)
  /// Destination ports by `xt_multiport`: the same meaning, another text.
  case multiport(Transport, [PortRange])
  /// ICMP type of an IPv4 table, ICMPv6 type of an IPv6 one.
  case icmpType(UInt8)
  case conntrack(Set<ConntrackState>)
  /// The packet passes between two ports of one bridge (`xt_physdev`).
  case bridged
  /// The address of that side is one of the node's own (`xt_addrtype`, `fib … type local`).
  case local(Side)
  case mark(Mark, negated: Bool = false)
  case limit(RateLimit)
  /// A random number is below `share` of 2^31 (`xt_statistic` in mode random).
  case random(share: UInt32)
}

/// What a rule does.
public enum Statement: Hashable, Sendable {
  public enum Rejection: Hashable, Sendable {
    /// ICMP type 3 code 3, ICMPv6 type 1 code 4.
    case portUnreachable
    case tcpReset
  }
  case counter
  /// mark = (mark & ~mask) ^ value, as MARK --set-xmark.
  case setMark(Mark)
  /// mark = what the map gives the key; of a key that it does not have the rule ends here, as if it had not matched.
  case setMarkFrom([PacketField], map: SetName)
  /// NFLOG, nft `log group`. Never ends a rule.
  case log(group: UInt16, prefix: String? = nil)
  case jump(ChainName)
  case `return`
  case accept
  case drop
  case reject(Rejection)
  /// A new connection's destination becomes this address and, if given, port. Ends the nat table at this hook.
  case dnat(IPAddress, port: UInt16?)
  /// A new connection's source becomes the address of the interface that it leaves by. Ends the nat table at this hook.
  case masquerade(randomFully: Bool)
}
