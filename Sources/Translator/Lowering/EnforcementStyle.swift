public import NetpolModel
public import RuleIR

/// A way to enforce policies: a value that can be listed, passed and wrapped.
///
/// A name, a back end and `lower` are enough. Whatever else is asked of a style, by whoever renders, runs, measures or
/// compares it, is a value here with a default that holds for any: nobody asks which style it is.
public struct EnforcementStyle: Sendable {
  public typealias Backend = Ruleset.Backend

  public var name: String
  public let backend: Backend
  public var traits: EnforcerTraits
  /// What the enforcer would write on the node of the view. Pure: no running lab, no clock.
  public var lower: @Sendable (NodeView) -> Lowered

  /// Whether it does something about `NodeView.defaultDeny`.
  public var knowsDefaultDeny = false
  /// The controller whose work an agent can do for it; nil: none, and its agent changes what an event changes.
  public var fullSync: FullSync?
  /// What each pod of the node that a packet is not for adds to the packet, nanoseconds, as docs/benchmarks.md has it; for a
  /// forecast of how long a bench takes. 0: the number of its rules is fixed.
  public var costPerPod: Double
  /// Its rules are loaded and stored as those of another style: who measures that leaves it out.
  public var loadsLikeAnother = false
  /// What is in its keyed sets, for whoever measures changes of them. Only those named here are changed.
  public var setTitles: [SetName: String] = [:]
  /// What has happened when a step of its agent is over, where `SyncStep.moment` does not say it well.
  public var moments: [SyncStep: String] = [:]
  /// By what its rules are known among those of others; nil: by the names that it writes on the very node.
  public var traces: Traces?
  /// Whether the dump of a node is of this style.
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

  /// What kube-router writes, in its versions and with its back ends; k3s's first.
  public static let kubeRouters: [EnforcementStyle] = [.kubeRouterK3s, .kubeRouterIptables, .kubeRouterNftables]

  /// Every style, the default first.
  public static let all: [EnforcementStyle] = kubeRouters + [.compiled]

  public static func named(_ name: String, among styles: [EnforcementStyle] = all) -> EnforcementStyle? {
    styles.first { $0.name == name }
  }
}

// MARK: - What follows from these

extension EnforcementStyle {
  /// The default first.
  public var agents: [AgentKind] { fullSync == nil ? [.incremental] : [.fullSync, .incremental] }

  public var defaultAgent: AgentKind { agents[0] }

  /// Of a dump that more than one recognises it is the first's: whoever recognises less comes first, or says no to the
  /// dumps of the others.
  public static func recognising(
    _ dump: DumpNames, among styles: [EnforcementStyle] = all
  ) -> EnforcementStyle? {
    styles.first { $0.backend == dump.backend && $0.recognises(dump) }
  }

  /// By what its rules are known on the node of the view.
  public func traces(on view: NodeView) -> Traces { traces ?? Traces(of: lower(view).ruleset) }

  /// The same style with other rules. It is still told, measured and synchronised as before.
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

  /// The names of what stands on any node: on one without pods and policies.
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
  /// Names of nobody are nowhere.
  fileprivate func isIn(_ dump: DumpNames) -> Bool { !isEmpty && dump.contains(self) }
}

/// Rules, and what their user should know of how they came about.
public struct Lowered: Hashable, Sendable {
  public var ruleset: Ruleset
  public var findings: [Finding]
  /// What the enforcer would write besides and the kernel's programs refuse: of iptables' tables the whole (D15), of nft's
  /// the chains and sets of the refused policies (D12). Nil: nothing is refused.
  public var refused: Ruleset?

  public init(_ ruleset: Ruleset, findings: [Finding] = [], refused: Ruleset? = nil) {
    self.ruleset = ruleset
    self.findings = findings
    self.refused = refused
  }
}

/// Something that the enforcer would do and that a reader of the policies does not expect.
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
