/// The direction of traffic, seen from the pod that a policy isolates.
public enum Direction: String, Hashable, Sendable, CaseIterable {
  case ingress = "Ingress"
  case egress = "Egress"

  public var opposite: Direction { self == .ingress ? .egress : .ingress }
  /// `ingress` or `egress`, as in a policy's spec.
  public var keyword: String { rawValue.lowercased() }
}

/// networking.k8s.io/v1 NetworkPolicy with the API server's defaults applied.
public struct NetworkPolicy: Hashable, Sendable {
  public var id: PolicyID
  public var podSelector: LabelSelector
  /// `policyTypes`; never empty.
  public var isolates: Set<Direction>
  public var ingress: [Rule]
  public var egress: [Rule]
  public var annotations: Labels
  public var location: SourceLocation?
  /// Of `spec.podSelector` and `spec.policyTypes`.
  public var selectorLocation: SourceLocation?
  public var typesLocation: SourceLocation?
  /// Whether its `egress` is written out as an empty list, so that nobody forgot it.
  public var statesNoEgress = false

  public init(
    id: PolicyID, podSelector: LabelSelector = .everything, isolates: Set<Direction>, ingress: [Rule] = [],
    egress: [Rule] = [], annotations: Labels = [:], location: SourceLocation? = nil
  ) {
    self.id = id
    self.podSelector = podSelector
    self.isolates = isolates
    self.ingress = ingress
    self.egress = egress
    self.annotations = annotations
    self.location = location
  }

  /// The rules for this direction, even if the policy does not isolate it.
  public func rules(_ direction: Direction) -> [Rule] { direction == .ingress ? ingress : egress }

  /// One entry of `spec.ingress` or `spec.egress`. In both lists a rule can only allow traffic.
  public struct Rule: Hashable, Sendable {
    public var peers: Peers
    public var ports: Ports
    public var location: SourceLocation?
    public var places = Places()
    public init(peers: Peers = .any, ports: Ports = .all, location: SourceLocation? = nil) {
      self.peers = peers
      self.ports = ports
      self.location = location
    }

    /// Where the rule's entries are written. Empty for a rule that was not read from a file.
    public struct Places: Hashable, Sendable {
      public var peers: [SourceLocation] = []
      /// By peer: its `except` entries.
      public var excepts: [[SourceLocation]] = []
      public var ports: [SourceLocation] = []
      public init() {}
    }
  }

  /// "If this field is empty or missing, this rule matches all sources" (or destinations).
  public enum Peers: Hashable, Sendable {
    case any
    /// Never empty.
    case listed([Peer])
    public var list: [Peer] { if case .listed(let peers) = self { peers } else { [] } }
  }

  public enum Peer: Hashable, Sendable {
    case pods(in: NamespaceScope, matching: LabelSelector)
    case block(IPBlock)
  }

  public enum NamespaceScope: Hashable, Sendable {
    /// The policy's own namespace: the peer has no namespaceSelector.
    case own
    case matching(LabelSelector)
  }

  public struct IPBlock: Hashable, Sendable {
    public var cidr: CIDR
    public var except: [CIDR]
    public init(_ cidr: CIDR, except: [CIDR] = []) {
      self.cidr = cidr
      self.except = except
    }
    public func contains(_ address: IPAddress) -> Bool {
      cidr.contains(address) && !except.contains { $0.contains(address) }
    }
  }

  /// "If this field is empty or missing, this rule matches all ports."
  public enum Ports: Hashable, Sendable {
    case all
    /// Never empty.
    case listed([PortRule])
    public var list: [PortRule] { if case .listed(let ports) = self { ports } else { [] } }
  }

  /// One entry of `ports`.
  public struct PortRule: Hashable, Sendable {
    public enum Number: Hashable, Sendable {
      /// `port` is missing.
      case any
      /// `port`, and `endPort` if present. In valid input `through` is not below the port.
      case number(UInt16, through: UInt16?)
      case name(String)
    }
    public var transport: Transport
    public var number: Number
    public init(_ transport: Transport = .tcp, _ number: Number = .any) {
      self.transport = transport
      self.number = number
    }
  }
}

extension NetworkPolicy {
  /// The same policy, wherever it is written.
  public var unlocated: NetworkPolicy {
    var other = self
    (other.location, other.selectorLocation, other.typesLocation) = (nil, nil, nil)
    other.statesNoEgress = false
    for index in other.ingress.indices { other.ingress[index].unlocate() }
    for index in other.egress.indices { other.egress[index].unlocate() }
    return other
  }
}

extension NetworkPolicy.Rule {
  fileprivate mutating func unlocate() {
    location = nil
    places = Places()
  }
}
