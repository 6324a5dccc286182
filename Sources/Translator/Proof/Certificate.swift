internal import Enforcement
public import EngineComparison
internal import Evaluator
public import NetpolModel
internal import Oracle
internal import Path
internal import Rendering
internal import RuleIR

/// A proof that others can check: all classes of packets, with what the rules do and what the specification says.
/// docs/certificate.md has the schema.
public struct Certificate: Sendable {
  /// Numbers of one list, as first and last.
  public typealias Ranges = [ClosedRange<Int>]

  public struct Address: Sendable {
    public let ranges: [ClosedRange<IPAddress>]
    /// `nil`: no machine of the cluster has it.
    public let end: Endpoint?
  }

  public struct Question: Sendable {
    public enum Kind: Hashable, Sendable {
      case transport(Transport)
      case icmp, other
    }
    public let kind: Kind
    public let ranges: [ClosedRange<Int>]
  }

  public struct Class: Sendable {
    public let node: String
    public let isDeparture: Bool
    public let state: ConntrackState
    public let sources, destinations, questions: Ranges
    public let rules, specification: Verdict
    public let reasons: [ProofReason]
  }

  /// Packets about which nothing is claimed.
  public struct Gap: Sendable {
    public let node: String
    public let isDeparture: Bool
    public let state: ConntrackState
    public let sources, destinations, questions: Ranges
    public let why: String
  }

  public struct Family: Sendable {
    public let family: IPFamily
    public let addresses: [Address]
    public let questions: [Question]
    public internal(set) var classes: [Class]
    public internal(set) var gaps: [Gap]
  }

  /// The rules of one program on a node, as text.
  public struct RuleText: Sendable {
    public enum Format: String, Sendable { case iptables, ip6tables, ipset, nft }
    public let format: Format
    public let text: String
  }

  public private(set) var families: [Family] = []
  /// By node.
  public let rules: [String: [RuleText]]
  public private(set) var proof = Proof()

  /// Proves, and keeps every class. Throws `Unsupported` for a rule that has no text.
  public init(
    _ cluster: Cluster, _ comparer: Comparer,
    progress: (_ family: IPFamily, _ done: Int, _ of: Int) -> Void = { _, _, _ in }
  ) throws {
    rules = try comparer.enforced.rulesets.mapValues { try $0.flatMap(RuleText.all) }
    for family in cluster.families {
      let whole = FamilyProof(cluster, comparer, family)
      var products = ClassProducts(whole)
      proof.merge(whole.prove(entries: { products.add($0) }) { progress(family, $0, $1) })
      families.append(products.family)
    }
  }
}

extension Certificate.RuleText {
  fileprivate static func all(_ ruleset: Ruleset) throws -> [Certificate.RuleText] {
    if ruleset.backend == .nftables { return [Certificate.RuleText(format: .nft, text: try nftText(ruleset))] }
    var texts: [Certificate.RuleText] = []
    for (family, format) in [(IPFamily.v4, Format.iptables), (.v6, .ip6tables)] {
      let tables = ruleset.tables.filter { $0.family == family }
      if tables.isEmpty { continue }
      let text = try tables.map { try iptablesRestoreText($0) }.joined()
      texts.append(Certificate.RuleText(format: format, text: text))
    }
    return texts + [Certificate.RuleText(format: .ipset, text: try ipsetRestoreText(ruleset.sets))]
  }
}

/// Joins entries of questions and ends into products.
private struct ClassProducts {
  private struct Place: Hashable {
    let node: Int
    let isDeparture: Bool
    let state: ConntrackState
  }
  private struct Verdicts: Hashable {
    let rules, specification: Verdict?
    let reasons: [ProofReason]
    let why: String
  }
  /// What is the same for several questions of one end.
  private struct Part: Hashable {
    let end: Int
    let peers: Bits
    let verdicts: Verdicts
  }
  /// What is the same for several ends.
  private struct Product: Hashable {
    let peers, questions: Bits
    let verdicts: Verdicts
  }
  private struct Cell: Hashable {
    let place: Place
    let end, question: Int
  }

  private let whole: FamilyProof
  private var parts: [Place: [Part: Bits]] = [:]
  private var certified: [Cell: Bits] = [:]

  init(_ whole: FamilyProof) { self.whole = whole }

  private var count: Int { whole.space.addresses.count }

  mutating func add(_ entry: NodeProof.Entry) {
    let place = Place(node: entry.node, isDeparture: entry.isDeparture, state: entry.state)
    let verdicts = Verdicts(
      rules: entry.rules, specification: entry.specification, reasons: entry.reasons, why: "")
    let none = Bits(count: whole.space.questionCount)
    parts[place, default: [:]][Part(end: entry.end, peers: entry.peers, verdicts: verdicts), default: none].insert(
      entry.question)
    let cell = Cell(place: place, end: entry.end, question: entry.question)
    certified[cell] = certified[cell]?.union(entry.peers) ?? entry.peers
  }

  var family: Certificate.Family {
    var all = parts
    for (place, part) in gaps {
      for (key, questions) in part { all[place, default: [:]][key] = questions }
    }
    var classes: [Certificate.Class] = []
    var gaps: [Certificate.Gap] = []
    for (place, parts) in all.sorted(by: { Self.rank($0.key).lexicographicallyPrecedes(Self.rank($1.key)) }) {
      var products: [Product: Bits] = [:]
      for (part, questions) in parts {
        products[Product(peers: part.peers, questions: questions, verdicts: part.verdicts), default: Bits(count: count)]
          .insert(part.end)
      }
      let sorted = products.sorted {
        ($0.value.first ?? 0, $0.key.questions.first ?? 0, $0.key.peers.first ?? 0) < (
          $1.value.first ?? 0, $1.key.questions.first ?? 0, $1.key.peers.first ?? 0
        )
      }
      for (product, ends) in sorted {
        let (sources, destinations) = place.isDeparture ? (ends, product.peers) : (product.peers, ends)
        let node = whole.topology.nodes[place.node].name
        if let rules = product.verdicts.rules, let specification = product.verdicts.specification {
          classes.append(
            Certificate.Class(
              node: node, isDeparture: place.isDeparture, state: place.state, sources: sources.ranges,
              destinations: destinations.ranges, questions: product.questions.ranges, rules: rules,
              specification: specification, reasons: product.verdicts.reasons))
        } else {
          gaps.append(
            Certificate.Gap(
              node: node, isDeparture: place.isDeparture, state: place.state, sources: sources.ranges,
              destinations: destinations.ranges, questions: product.questions.ranges, why: product.verdicts.why))
        }
      }
    }
    return Certificate.Family(
      family: whole.family, addresses: whole.certifiedAddresses, questions: whole.certifiedQuestions, classes: classes,
      gaps: gaps)
  }

  private static func rank(_ place: Place) -> [Int] {
    [place.node, place.isDeparture ? 0 : 1, ConntrackState.allCases.firstIndex(of: place.state) ?? 0]
  }

  /// Everything that no class has.
  private var gaps: [Place: [Part: Bits]] {
    var gaps: [Place: [Part: Bits]] = [:]
    let everything = Bits(allBelow: count)
    for node in whole.topology.nodes.indices {
      let (pods, own) = (whole.rules.pods[node], whole.rules.own[node])
      // With those that every node has, such as that of NodeLocal DNS.
      let local = Bits(whole.topology.nodes[node].localAddresses.compactMap(whole.space.number), count: count)
      let mine = own.union(local)
      for end in pods.union(mine).numbers {
        for isDeparture in [true, false] {
          let universe =
            isDeparture
            ? mine.contains(end) ? everything.subtracting(mine) : everything.without(end)
            : everything.subtracting(mine).subtracting(pods)
          for state in [ConntrackState.new, .established, .related, .invalid] {
            let place = Place(node: node, isDeparture: isDeparture, state: state)
            for question in 0..<whole.space.questionCount {
              var left = universe
              if let known = certified[Cell(place: place, end: end, question: question)] { left.subtract(known) }
              if left.isEmpty { continue }
              let verdicts = Verdicts(
                rules: nil, specification: nil, reasons: [],
                why: "a service or a host port decides first, or it is never on a wire, or goes to a group")
              gaps[place, default: [:]][
                Part(end: end, peers: left, verdicts: verdicts), default: Bits(count: whole.space.questionCount)
              ].insert(question)
            }
          }
        }
      }
    }
    return gaps
  }
}

extension FamilyProof {
  fileprivate var certifiedAddresses: [Certificate.Address] {
    space.addresses.indices.map { number in
      let owner = specified.ends[number].endpoint
      let end: Endpoint? = if case .address = owner { nil } else { owner }
      let ranges = weights.ranges(number, space.addresses[number].bits).map {
        IPAddress(family: family, bits: $0.lowerBound)...IPAddress(family: family, bits: $0.upperBound)
      }
      return Certificate.Address(ranges: ranges, end: end)
    }
  }

  fileprivate var certifiedQuestions: [Certificate.Question] {
    let ports = space.ports.representatives
    let lengths = portCounts
    return ports.indices.map { number in
      let first = Int(ports[number].port)
      return Certificate.Question(
        kind: .transport(ports[number].transport), ranges: [first...(first + Int(lengths[number]) - 1)])
    }
      + space.portless.map { one in
        Certificate.Question(
          kind: one.icmpTypes.isEmpty ? .other : .icmp,
          ranges: Bits(one.icmpTypes.union(one.protocols).map { Int($0) }, count: 256).ranges)
      }
  }
}

extension Bits {
  /// The numbers as ranges, sorted.
  fileprivate var ranges: [ClosedRange<Int>] {
    var ranges: [ClosedRange<Int>] = []
    visit { number in
      if let last = ranges.last, last.upperBound + 1 == number {
        ranges[ranges.count - 1] = last.lowerBound...number
      } else {
        ranges.append(number...number)
      }
    }
    return ranges
  }
}
