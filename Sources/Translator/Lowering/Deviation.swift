public import NetpolModel

/// A known difference between an enforcer and the specification. `DeviationModel` can be asked to apply it.
///
/// The raw values are the numbers in docs/deviations.md.
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
  case refusesStrangers = 14
  case abortedSync = 15
  case sharedNamedPortLists = 16
  case endPortBelowPort = 17
  case bridgeHidesPackets = 18
  case unknownHostIP = 19
  case multicastIngress = 20
  case acceptsBeforeKubeProxy = 21
  case refusesUnprogrammed = 22
  case sidecarPorts = 23
  case dropsUntranslatable = 24

  /// The name in docs and reports, such as `D1`.
  public var id: String { "D\(rawValue)" }

  /// One sentence that explains the deviation to a user whose packets get lost.
  public var summary: String {
    switch self {
    case .bothTypePolicy:
      "if one policy with both policyTypes selects both pods, an ingress or an egress rule alone allows the flow"
    case .unresolvedNamedPort:
      "if no pod exposes the named ports of a rule with pod peers, the rule opens every port between those pods"
    case .egressNamedPortToAnyone:
      "an egress rule with a named port and no peers opens the port number that its own namespace uses, to any address"
    case .egressNamedPortToBlock: "a named port in an egress rule has no effect towards an ipBlock"
    case .ownNodePorts:
      "a pod's egress policy does not apply to its own node's processes on NodePorts or at service-range addresses"
    case .hairpin:
      "a pod can reach itself through its Service or host port only if its own ingress or egress policies allow it"
    case .wholeIPv6: "::/0 covers only 2000::/3 and fd00::/8"
    case .longestPrefix: "the except of one ipBlock also removes addresses from another ipBlock of the same rule"
    case .overlappingBlocks: "overlapping ipBlocks in one rule make nft refuse the whole policy: its pods fail closed"
    case .refusesStrangers: "with default-deny a node refuses a pod that it doesn't know yet, in both directions"
    case .abortedSync: "a policy's NFLOG annotation is out of range, so no policy in the cluster is enforced"
    case .sharedNamedPortLists:
      "kube-router shares address lists between named ports, so a port's set may contain pods that don't expose it"
    case .unknownHostIP:
      "a pod whose hostIP is not an address of its node gets no chain, so its policies are not enforced"
    case .acceptsBeforeKubeProxy:
      "kube-router accepts a pod's packets before kube-proxy can drop them: loadBalancerSourceRanges don't apply, and "
        + "policy Local without a local endpoint doesn't either"
    case .refusesUnprogrammed:
      "with default-deny a node rejects all addresses in its pod CIDRs without a chain, even its own bridge and tunnel"
    case .sidecarPorts: "kube-router does not know the port names of sidecars: it reads them from spec.containers only"
    case .dropsUntranslatable:
      "kube-proxy drops packets to a load balancer with loadBalancerSourceRanges, even from these, if the endpoint has the "
        + "balancer's own address and port, as a host-network pod may"
    case .multicastIngress:
      "packets to a multicast group are checked against the sender's egress policies only, not the receivers' ingress"
    case .bridgeHidesPackets:
      "without bridge netfilter, packets between two pods on one bridge pass no rules, so no policy applies to them"
    case .endPortBelowPort: "an endPort lower than port is ignored, so the port itself is open"
    }
  }

  public static func < (a: Deviation, b: Deviation) -> Bool { a.rawValue < b.rawValue }
}

/// The ways in which a style's enforcer differs from the specification.
public struct EnforcerTraits: Hashable, Sendable {
  public let deviations: Set<Deviation>
  /// Transports for which the NodePort range is exempt from a pod's egress policy (D8).
  public let nodePortTransports: Set<Transport>
  /// True if excepts leave the rule before any of its blocks is checked (D11 with nft). False if they are in a
  /// hash:net, where the longest prefix decides.
  public let exceptsComeFirst: Bool

  /// True if echo requests and replies always pass, whatever the policies say (D5). False if they pass only where the
  /// policies allow everything between the two ends.
  public let letsPingsPass: Bool
  /// ICMP types that always pass, whatever the policies say: by family (D5).
  public let passingICMPTypes: [IPFamily: Set<UInt8>]
  /// True if every pod with rules drops packets that conntrack can't assign to a connection, even for allowed flows and
  /// ICMP errors (D13). False if such packets are dropped only where their flow is denied.
  public let dropsStrays: Bool
  /// True if rules judge what a node's own processes send.
  public let judgesOutput: Bool

  public init(
    deviations: Set<Deviation> = [], nodePortTransports: Set<Transport> = [], exceptsComeFirst: Bool = false,
    letsPingsPass: Bool = false, passingICMPTypes: [IPFamily: Set<UInt8>] = [:], dropsStrays: Bool = false,
    judgesOutput: Bool = false
  ) {
    self.deviations = deviations
    self.nodePortTransports = nodePortTransports
    self.exceptsComeFirst = exceptsComeFirst
    self.letsPingsPass = letsPingsPass
    self.passingICMPTypes = passingICMPTypes
    self.dropsStrays = dropsStrays
    self.judgesOutput = judgesOutput
  }

  /// Returns the same enforcer with other deviations.
  public func making(_ deviations: Set<Deviation>) -> EnforcerTraits {
    EnforcerTraits(
      deviations: deviations, nodePortTransports: nodePortTransports, exceptsComeFirst: exceptsComeFirst,
      letsPingsPass: letsPingsPass,
      passingICMPTypes: passingICMPTypes, dropsStrays: dropsStrays, judgesOutput: judgesOutput)
  }
}
