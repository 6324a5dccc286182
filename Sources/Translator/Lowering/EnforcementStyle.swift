public import NetpolModel
public import RuleIR

/// A way to enforce policies: a value that can be listed, passed and wrapped.
public struct EnforcementStyle: Sendable {
  public typealias Backend = Ruleset.Backend

  public let name: String
  public let backend: Backend
  public let traits: EnforcerTraits
  /// What the enforcer would write on the node of the view. Pure: no running lab, no clock.
  public let lower: @Sendable (NodeView) -> Lowered

  public init(
    name: String, backend: Backend, traits: EnforcerTraits, lower: @escaping @Sendable (NodeView) -> Lowered
  ) {
    self.name = name
    self.backend = backend
    self.traits = traits
    self.lower = lower
  }

  /// What kube-router writes, in its versions and with its back ends; k3s's first.
  public static let kubeRouters: [EnforcementStyle] = [.kubeRouterK3s, .kubeRouterIptables, .kubeRouterNftables]

  /// Every style, the default first.
  public static let all: [EnforcementStyle] = kubeRouters + [.compiled]

  public static func named(_ name: String) -> EnforcementStyle? { all.first { $0.name == name } }
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
