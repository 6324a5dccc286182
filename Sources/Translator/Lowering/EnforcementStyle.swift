public import NetpolModel
public import RuleIR

/// A way to enforce policies, as a value that can be listed, passed and wrapped.
///
/// A style needs a name, a back end and `lower`. Every other property has a default that works for any style. Code that
/// renders, runs, measures or compares a style reads these properties and never checks which style it is.
public struct EnforcementStyle: Sendable {
  public typealias Backend = Ruleset.Backend

  public var name: String
  public let backend: Backend
  public var traits: EnforcerTraits
  /// Returns the rules that the enforcer would write on the view's node. A pure function: it needs no running lab and
  /// no clock.
  public var lower: @Sendable (NodeView) -> Lowered { didSet { together = nil } }
  /// The same for several nodes of one cluster, if the style can work out once what they share.
  var together: (@Sendable ([NodeView]) -> [Lowered])?

  /// Whether a packet meets only rules of policies that select one of its ends, and does not depend on others. If so, the
  /// others can be left out where only that packet counts.
  public var needsOwnPoliciesOnly = false
  /// Whether the style supports `NodeView.defaultDeny`.
  public var knowsDefaultDeny = false
  /// The controller whose full sync an agent can run for this style. `nil` if there is none: then the only agent is the
  /// one that changes what an event changes.
  public var fullSync: FullSync?
  /// The time that each pod on the node adds to a packet that is not for that pod, in nanoseconds (docs/benchmarks.md).
  /// Used to forecast how long a bench takes. 0 if the number of rules is fixed.
  public var costPerPod: Double
  /// True if the rules load and are stored like those of another style. Benchmarks of loading skip such a style.
  public var loadsLikeAnother = false
  /// What each keyed set contains, by set name. Benchmarks of set changes only change the sets listed here.
  public var setTitles: [SetName: String] = [:]
  /// What has happened when a step of the style's agent ends, for steps that `SyncStep.moment` does not describe well.
  public var moments: [SyncStep: String] = [:]
  /// How to recognise the style's rules among those of other programs. `nil`: by the names that it writes on the node.
  public var traces: Traces?
  /// Reads the ranges that the tables of a dump exempt. `nil`: the style's rules show none.
  public var exemptRanges: (@Sendable ([Table]) -> ExemptRanges)?
  /// Whether this style wrote the dump of a node.
  public var recognises: @Sendable (DumpNames) -> Bool

  public init(
    name: String, backend: Backend, traits: EnforcerTraits = EnforcerTraits(),
    lower: @escaping @Sendable (NodeView) -> Lowered
  ) {
    self.name = name
    self.backend = backend
    self.traits = traits
    self.lower = lower
    costPerPod = backend == .iptables ? 30 : 12
    recognises = { dump in IPFamily.allCases.contains { Self.fixedNames(lower, backend, $0).isIn(dump) } }
  }

  /// Lowers several nodes of one cluster, which must differ in nothing but the node.
  public func lowerAll(_ views: [NodeView]) -> [Lowered] { together.map { $0(views) } ?? views.map(lower) }

  /// The kube-router styles, one for each version and back end. k3s's comes first.
  public static let kubeRouters: [EnforcementStyle] = [.kubeRouterK3s, .kubeRouterIptables, .kubeRouterNftables]

  /// Every style. The default comes first.
  public static let all: [EnforcementStyle] = kubeRouters + [.compiled]

  public static func named(_ name: String, among styles: [EnforcementStyle] = all) -> EnforcementStyle? {
    styles.first { $0.name == name }
  }
}

// MARK: - Derived properties

extension EnforcementStyle {
  /// The agents that can apply the style. The default comes first.
  public var agents: [AgentKind] { fullSync == nil ? [.incremental] : [.fullSync, .incremental] }

  public var defaultAgent: AgentKind { agents[0] }

  /// Returns the first style that recognises the dump. A style that recognises fewer dumps must come before one that
  /// recognises more, unless the latter rejects the dumps of the former.
  public static func recognising(
    _ dump: DumpNames, among styles: [EnforcementStyle] = all
  ) -> EnforcementStyle? {
    styles.first { $0.backend == dump.backend && $0.recognises(dump) }
  }

  /// How to recognise the style's rules on the view's node.
  public func traces(on view: NodeView) -> Traces { traces ?? Traces(of: lower(view).ruleset) }

  /// Returns the same style with other rules. It is still reported, measured and synchronised as before.
  public func rewriting(
    named name: String? = nil, _ rewrite: @escaping @Sendable (NodeView, inout Lowered) -> Void
  ) -> EnforcementStyle {
    var style = self
    style.name = name ?? self.name
    style.lower = { [lower] view in
      var lowered = lower(view)
      rewrite(view, &lowered)
      return lowered
    }
    return style
  }

  /// The names that the style writes on every node, taken from a node without pods and policies.
  private static func fixedNames(
    _ lower: (NodeView) -> Lowered, _ backend: Backend, _ family: IPFamily
  ) -> DumpNames {
    let view = NodeView(
      node: "", nodeAddresses: [], namespaceLabels: [:], pods: [], policies: [], families: [family],
      serviceCIDRs: [], nodePorts: PortRange(30000, 32767), versionStamp: "1")
    return .own(lower(view).ruleset.tables, backend)
  }
}

extension DumpNames {
  /// Whether the dump contains all of these names. False if there are no names.
  fileprivate func isIn(_ dump: DumpNames) -> Bool { !isEmpty && dump.contains(self) }
}

/// Rules, and what the user should know about how they were made.
public struct Lowered: Hashable, Sendable {
  public var ruleset: Ruleset
  public var findings: [Finding]
  /// What the enforcer would also write but the kernel's programs refuse. With iptables this is the whole table (D15),
  /// with nft the chains and sets of the refused policies (D12). `nil` if nothing is refused.
  public var refused: Ruleset?
  /// What chance decides about the sets of named ports.
  public var sharedLists: [SharedLists] = []

  public init(
    _ ruleset: Ruleset, findings: [Finding] = [], refused: Ruleset? = nil, sharedLists: [SharedLists] = []
  ) {
    self.sharedLists = sharedLists
    self.ruleset = ruleset
    self.findings = findings
    self.refused = refused
  }
}

/// Something the enforcer would do that a reader of the policies does not expect.
public struct Finding: Hashable, Sendable, CustomStringConvertible {
  public enum Subject: Hashable, Sendable {
    case policy(PolicyID, SourceLocation?)
    case pod(PodID, SourceLocation?)
  }
  public let subject: Subject
  public let text: String
  public init(_ subject: Subject, _ text: String) {
    self.subject = subject
    self.text = text
  }
  public var description: String {
    let (kind, name, location) =
      switch subject {
      case .policy(let id, let location): (id.kind.rawValue, id.description, location)
      case .pod(let id, let location): ("Pod", id.description, location)
      }
    return "\(location.map { "\($0): " } ?? "")\(kind) \(name): \(text)"
  }
}
