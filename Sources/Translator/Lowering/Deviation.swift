public import NetpolModel

/// A known difference between an enforcer and the specification, which `DeviationModel` can be asked to make.
///
/// Numbers are those of docs/deviations.md.
public enum Deviation: Int, Hashable, Sendable, CaseIterable, Comparable {
  case bothTypePolicy = 1
  case unresolvedNamedPort = 2
  case egressNamedPortToAnyone = 3
  case egressNamedPortToBlock = 4
  case ownNodePorts = 8
  case hairpin = 9
  case wholeIPv6 = 10
  case longestPrefix = 11
  case overlappingBlocks = 12
  case abortedSync = 15
  case sharedNamedPortLists = 16
  case endPortBelowPort = 17
  case bridgeHidesPackets = 18
  case unknownHostIP = 19
  case multicastIngress = 20
  case acceptsBeforeKubeProxy = 21
  case refusesUnprogrammed = 22

  /// `D1` …
  public var id: String { "D\(rawValue)" }

  /// One sentence for a person whose packets vanish.
  public var summary: String {
    switch self {
    case .bothTypePolicy:
      "two pods selected by one policy of both types: a rule of either direction satisfies both sides"
    case .unresolvedNamedPort:
      "a rule with pod peers whose named ports nobody exposes opens every port between those pods"
    case .egressNamedPortToAnyone:
      "an egress rule with a named port and no peers opens the number to any address, by the names of its own namespace"
    case .egressNamedPortToBlock: "an egress rule leaves out a named port towards an ipBlock"
    case .ownNodePorts:
      "a pod's egress policy does not apply to its own node's processes on the NodePort range or in a service range"
    case .hairpin: "a pod that reaches itself by its service needs its own policies' consent, in one direction at least"
    case .wholeIPv6: "::/0 covers only 2000::/3 and fd00::/8"
    case .longestPrefix: "an except of one ipBlock also cuts another ipBlock of the rule"
    case .overlappingBlocks: "overlapping ipBlocks in one rule make nft refuse the whole policy: its pods fail closed"
    case .abortedSync: "a policy's NFLOG annotation is out of range, so no policy of the cluster is enforced"
    case .sharedNamedPortLists:
      "pods land in the set of a named port that they don't expose, since kube-router shares address lists between ports"
    case .unknownHostIP: "a pod whose hostIP is no address of its node gets no chain: its policies are not enforced"
    case .acceptsBeforeKubeProxy:
      "kube-router accepts a pod's packets before kube-proxy's firewall is asked: loadBalancerSourceRanges don't hold for them"
    case .refusesUnprogrammed:
      "with default-deny a node refuses what has an address of its pod CIDRs and no chain: its own bridge and tunnel too"
    case .multicastIngress:
      "what is sent to a multicast group is judged by the sender's egress alone: no rule has the group for a receiver"
    case .bridgeHidesPackets:
      "without bridge netfilter no rule sees what two pods of one bridge send each other: no policy holds between them"
    case .endPortBelowPort: "an endPort below its port is ignored: the port itself is open"
    }
  }

  public static func < (a: Deviation, b: Deviation) -> Bool { a.rawValue < b.rawValue }
}

/// How a style's enforcer differs from the specification.
public struct EnforcerTraits: Hashable, Sendable {
  public let deviations: Set<Deviation>
  /// Transports whose NodePort range is exempt from a pod's egress policy (D8).
  public let nodePortTransports: Set<Transport>
  /// Excepts leave the rule before any of its blocks is asked (D11 with nft); with a hash:net the longest prefix decides.
  public let exceptsComeFirst: Bool

  /// An echo request and its reply pass whatever the policies say (D5); else where they admit everything between its ends.
  public let letsPingsPass: Bool
  /// What conntrack can't assign to a connection is dropped at every pod that has rules, be it admitted or an ICMP error
  /// (D13); else where its flow is denied.
  public let dropsStrays: Bool

  public init(
    deviations: Set<Deviation> = [], nodePortTransports: Set<Transport> = [], exceptsComeFirst: Bool = false,
    letsPingsPass: Bool = false, dropsStrays: Bool = false
  ) {
    self.deviations = deviations
    self.nodePortTransports = nodePortTransports
    self.exceptsComeFirst = exceptsComeFirst
    self.letsPingsPass = letsPingsPass
    self.dropsStrays = dropsStrays
  }

  /// The same enforcer with other deviations.
  public func making(_ deviations: Set<Deviation>) -> EnforcerTraits {
    EnforcerTraits(
      deviations: deviations, nodePortTransports: nodePortTransports, exceptsComeFirst: exceptsComeFirst,
      letsPingsPass: letsPingsPass, dropsStrays: dropsStrays)
  }
}
