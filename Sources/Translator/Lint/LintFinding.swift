public import NetpolModel

/// Something in a cluster's policies that probably doesn't do what its author thinks.
public struct LintFinding: Hashable, Sendable {
  public enum Severity: String, Hashable, Sendable, CaseIterable, Comparable {
    /// It has no effect at all, or the opposite one.
    case error
    /// It has probably another effect than meant.
    case warning
    /// Worth knowing.
    case note

    public static func < (a: Severity, b: Severity) -> Bool { a.rank < b.rank }
    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  }

  public let code: Code
  public let severity: Severity
  /// What it is about: `shop/db`, `service/shop/web`, `namespace/shop`.
  public let object: String
  /// Where in the object: `ingress rule 0, peer 1`. Empty: the object itself.
  public let part: String
  public let location: SourceLocation?
  /// What is wrong, and how to mend it. Two clauses without a full stop.
  public let text: String
  public let remedy: String
  /// Changes that do what was probably meant. Empty: only its author can tell.
  public let fix: [UnitEdit]
  /// A flow that shows it as things are. `nil`: the changes show it, or no packet can.
  public private(set) var witness: Witness?

  /// Two ends, and what packets between them do for at least one port that matters there.
  public struct Witness: Hashable, Sendable {
    public let source: Endpoint
    public let destination: Endpoint
    public let verdict: Verdict
  }

  /// About a rule of a policy.
  init(
    _ code: Code, _ severity: Severity, _ policy: NetworkPolicy, _ place: RulePlace, _ text: String, remedy: String,
    fix: [UnitEdit] = []
  ) {
    self.init(
      code, severity, object: "\(policy.id)", part: place.description, text, remedy: remedy,
      fix: fix, at: place.location ?? policy.location)
  }

  /// About a policy.
  init(
    _ code: Code, _ severity: Severity, _ policy: NetworkPolicy, _ text: String, remedy: String,
    fix: [UnitEdit] = [], at location: SourceLocation?
  ) {
    self.init(code, severity, object: "\(policy.id)", text, remedy: remedy, fix: fix, at: location ?? policy.location)
  }

  init(
    _ code: Code, _ severity: Severity, object: String, part: String = "", _ text: String, remedy: String,
    fix: [UnitEdit] = [], at location: SourceLocation?
  ) {
    self.code = code
    self.severity = severity
    self.object = object
    self.part = part
    self.location = location
    self.text = text
    self.remedy = remedy
    self.fix = fix
  }
}

extension LintFinding {
  /// The same with a flow that shows it. `nil` for an end that isn't there.
  func shown(from source: Endpoint?, to destination: Endpoint?, _ verdict: Verdict) -> LintFinding {
    guard let source, let destination, source != destination else { return self }
    var finding = self
    finding.witness = Witness(source: source, destination: destination, verdict: verdict)
    return finding
  }
}

/// A rule of a policy, or one of its entries.
struct RulePlace: CustomStringConvertible {
  enum Entry {
    case peer(Int)
    case port(Int)
  }

  let direction: Direction
  let index: Int
  let rule: NetworkPolicy.Rule
  var entry: Entry?

  func peer(_ number: Int) -> RulePlace { with(.peer(number)) }
  func port(_ number: Int) -> RulePlace { with(.port(number)) }

  private func with(_ entry: Entry) -> RulePlace {
    var place = self
    place.entry = entry
    return place
  }

  /// The rule in a policy.
  func rule(of policy: NetworkPolicy) -> UnitEdit.RulePlace { .init(policy.id, direction, index) }

  /// Puts other peers in the place of one. They come first, since a rule without any peer admits everybody.
  func replacing(peer number: Int, of policy: NetworkPolicy, by peers: [NetworkPolicy.Peer]) -> [UnitEdit] {
    peers.isEmpty ? [] : peers.map { .addPeer($0, rule(of: policy)) } + [.removePeer(number, rule(of: policy))]
  }

  var location: SourceLocation? {
    let own: SourceLocation? =
      switch entry {
      case .peer(let number): rule.places.peers.dropFirst(number).first
      case .port(let number): rule.places.ports.dropFirst(number).first
      case nil: nil
      }
    return own ?? rule.location
  }

  var description: String {
    let own =
      switch entry {
      case .peer(let number): ", peer \(number)"
      case .port(let number): ", port \(number)"
      case nil: ""
      }
    return "\(direction.keyword) rule \(index)\(own)"
  }
}

extension NetworkPolicy {
  /// The rules that are in force.
  var places: [RulePlace] {
    Direction.allCases.filter(isolates.contains).flatMap { direction in
      rules(direction).enumerated().map { RulePlace(direction: direction, index: $0, rule: $1) }
    }
  }
}
