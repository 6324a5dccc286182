public import NetpolModel

/// A rule acts if all its matches hold.
public struct Rule: Hashable, Sendable {
  /// In the order of evaluation and printing.
  public var matches: [Match]
  public var statements: [Statement]
  public var comment: String?
  public var origin: Origin?
  /// `nil` if the statements alone describe the rule.
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

  /// The role of a rule for the policies, if its statements don't show it.
  public enum Role: Hashable, Sendable {
    /// A rule of the enforcer: packets that it returns are exempt from the policies here.
    case exemption
    /// A rule of another program: accepting a packet here is not a policy's decision.
    case foreign
  }
}

/// The objects that a rule was made from. This is the only link from rules to policies.
public struct Origin: Hashable, Sendable {
  public var policy: PolicyID?
  public var pod: PodID?
  public var direction: Direction?
  /// Index in `spec.ingress` or `spec.egress`.
  public var rule: Int?
  /// Indexes in `from` or `to` of the peers that the rule covers. Empty if it covers any peer.
  public var peers: [Int]
  /// The named port that the rule or set covers.
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

/// The end of a packet that a match examines.
public enum Side: String, Hashable, Sendable, CaseIterable {
  case source = "src"
  case destination = "dst"
}

/// The bits of a mark under a mask (`xt_mark`, nft `meta mark`).
public struct Mark: Hashable, Sendable {
  public var value: UInt32
  public var mask: UInt32
  public init(_ value: UInt32, mask: UInt32) {
    self.value = value
    self.mask = mask
  }
}

/// The token bucket of `xt_limit` and nft `limit`: `rate` packets per unit, `burst` packets at once.
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

/// A condition on a packet. The enum is closed: the evaluator and every renderer switch over all cases.
public enum Match: Hashable, Sendable {
  case address(Side, CIDR, negated: Bool = false)
  case inSet(Side, SetName, negated: Bool = false)
  /// The address is in one of these networks (an anonymous set of nft). They are sorted and don't touch.
  case addresses(Side, [CIDR], negated: Bool = false)
  /// The fields form a key of the `KeyedSet`. A packet that lacks one of them is in no set, such as a ping, which has
  /// no ports.
  case keyed([PacketField], in: SetName)
  case transport(Transport)
  /// The destination port of a transport.
  case port(Transport, PortRange)
  /// The source port of a transport.
  case sourcePort(Transport, PortRange)
  /// Destination ports by `xt_multiport`. The same meaning as `port` with different text.
  case multiport(Transport, [PortRange])
  /// The ICMP type in an IPv4 table, the ICMPv6 type in an IPv6 table.
  case icmpType(UInt8)
  case conntrack(Set<ConntrackState>)
  /// The destination of the packet's connection was translated on this machine (nft `ct status dnat`).
  case translated
  /// The packet passes between two ports of one bridge (`xt_physdev`).
  case bridged
  /// The address on that side is one of the node's own (`xt_addrtype`, `fib … type local`).
  case local(Side)
  case mark(Mark, negated: Bool = false)
  case limit(RateLimit)
  /// A random number is below `share` of 2^31 (`xt_statistic` in mode random).
  case random(share: UInt32)
  /// The Differentiated Services code point (`xt_dscp`, nft `ip dscp`). Only the lab's own rules have it.
  case codePoint(UInt8)
}

/// What a rule does with a packet.
public enum Statement: Hashable, Sendable {
  public enum Rejection: Hashable, Sendable {
    /// ICMP type 3 code 3, ICMPv6 type 1 code 4.
    case portUnreachable
    case tcpReset
  }
  /// What a new connection is translated to.
  public struct Destination: Hashable, Sendable {
    public var address: IPAddress
    public var port: UInt16
    public init(_ address: IPAddress, port: UInt16) {
      self.address = address
      self.port = port
    }
  }
  case counter
  /// mark = (mark & ~mask) ^ value, as MARK --set-xmark.
  case setMark(Mark)
  /// mark = the map's value for the key. If the map lacks the key, the rule ends here, as if it had not matched.
  case setMarkFrom([PacketField], map: SetName)
  /// The packet belongs to no connection, and no address of it is translated (`CT --notrack`). Never ends a rule.
  case notrack
  /// NFLOG, nft `log group`. Never ends a rule.
  case log(group: UInt16, prefix: String? = nil)
  case jump(ChainName)
  /// As a jump, but what returns from the chain leaves this chain too.
  case goto(ChainName)
  /// The map's verdict for the key. If the map lacks the key, the rule ends here, as if it had not matched.
  case verdictFrom([PacketField], map: SetName)
  /// Goes to one of the chains, at random with equal chances (nft `numgen random mod N vmap`).
  case gotoRandomly([ChainName])
  case `return`
  case accept
  case drop
  case reject(Rejection)
  /// A new connection's destination becomes this address and, if given, port. Ends the nat table at this hook.
  case dnat(IPAddress, port: UInt16?)
  /// The same with one of these destinations, at random with equal chances (nft `numgen random mod N map`).
  case dnatRandomly([Destination])
  /// A new connection's source becomes the address of the outgoing interface. Ends the nat table at this hook.
  case masquerade(randomFully: Bool)
}

extension Statement {
  /// The chains that the statement itself names. A map's verdicts may name more.
  public var chains: [ChainName] {
    switch self {
    case .jump(let chain), .goto(let chain): [chain]
    case .gotoRandomly(let chains): chains
    case .counter, .setMark, .setMarkFrom, .notrack, .log, .verdictFrom, .return, .accept, .drop, .reject, .dnat,
      .dnatRandomly,
      .masquerade:
      []
    }
  }

  /// Whether it translates a new connection's destination.
  public var translatesDestination: Bool {
    switch self {
    case .dnat, .dnatRandomly: true
    default: false
    }
  }
}
