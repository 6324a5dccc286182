/// `kind: Expectations`: flows and their expected outcomes.
public struct Expectations: Hashable, Sendable {
  public var groups: [Group]
  public init(groups: [Group]) { self.groups = groups }

  /// Flows that belong together, such as one claim or one step of a rollout.
  public struct Group: Hashable, Sendable {
    public var name: String
    /// The number of a claim, such as A1.
    public var claim: String?
    /// The claim in the document's own words.
    public var says: String?
    /// How this group's cluster differs from the cluster in the manifests.
    public var variant: Variant?
    /// The group whose cluster is compared with this one. `nil`: the cluster in the manifests.
    public var comparedWith: String?
    public var flows: [ExpectedFlow]
    public var location: SourceLocation?
    public init(
      name: String, claim: String? = nil, says: String? = nil, variant: Variant? = nil, comparedWith: String? = nil,
      flows: [ExpectedFlow] = [], location: SourceLocation? = nil
    ) {
      self.name = name
      self.claim = claim
      self.says = says
      self.variant = variant
      self.comparedWith = comparedWith
      self.flows = flows
      self.location = location
    }
  }

  /// A change to the cluster.
  public struct Variant: Hashable, Sendable {
    /// Policies to remove.
    public var without: [PolicyID]
    /// Files whose objects are added, or replace objects of the same name. Paths as written, relative to the document's
    /// folder.
    public var add: [String]
    public var labels: [LabelChange]
    public var bridgeNetfilter: Bool?
    public var overlay: Overlay?
    public init(
      without: [PolicyID] = [], add: [String] = [], labels: [LabelChange] = [], bridgeNetfilter: Bool? = nil,
      overlay: Overlay? = nil
    ) {
      self.without = without
      self.add = add
      self.labels = labels
      self.bridgeNetfilter = bridgeNetfilter
      self.overlay = overlay
    }
  }

  public struct LabelChange: Hashable, Sendable {
    public enum Subject: Hashable, Sendable {
      case namespace(String)
      case pod(PodID)
    }
    public var subject: Subject
    public var key: String
    /// `nil` removes the label.
    public var value: String?
    public init(_ subject: Subject, _ key: String, _ value: String?) {
      self.subject = subject
      self.key = key
      self.value = value
    }
  }
}

/// One flow, or one flow for each pod if an end names several pods.
public struct ExpectedFlow: Hashable, Sendable {
  public typealias End = EndpointReference

  /// How a denied packet is lost, in the words of `PacketOutcome`.
  public enum Mechanism: String, Hashable, Sendable, CaseIterable {
    case reject = "rejected"
    case drop = "dropped"
    case noRoute

    public var outcome: PacketOutcome {
      switch self {
      case .reject: .rejected
      case .drop: .dropped
      case .noRoute: .noRoute
      }
    }
  }

  public var from: End
  public var to: End
  public var question: Flow.Question
  /// The multicast group to send to. `to` is the listener.
  public var group: IPAddress?
  /// The only endpoint of the service that is asked about: a pod or an address. `nil`: each of them.
  public var endpoint: End?
  /// `deny` means not delivered.
  public var expect: ExpectedVerdict
  public var mechanism: Mechanism?
  /// What the document claims, if that differs.
  public var document: Verdict?
  public var because: String?
  /// The codes in `because`, each of which must be among the answer's.
  public var codes: [Code] = []
  public var family: IPFamily?
  public var location: SourceLocation?

  public init(
    from: End, to: End, question: Flow.Question, group: IPAddress? = nil, expect: ExpectedVerdict,
    mechanism: Mechanism? = nil,
    document: Verdict? = nil, because: String? = nil, family: IPFamily? = nil, location: SourceLocation? = nil
  ) {
    self.from = from
    self.to = to
    self.question = question
    self.group = group
    self.expect = expect
    self.mechanism = mechanism
    self.document = document
    self.because = because
    self.family = family
    self.location = location
  }
}
