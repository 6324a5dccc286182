public import Documents
internal import NetpolModel
public import Proof
internal import Text

/// Two rule sets compared for every packet: `netpol-lab/equal/v1`, documented in docs/prove.md.
public struct EqualityReport {
  let comparison: RulesComparison
  /// Names of the two sides.
  let one, other: String
  let version: String

  public init(_ comparison: RulesComparison, _ one: String, _ other: String, version: String) {
    self.comparison = comparison
    self.one = one
    self.other = other
    self.version = version
  }

  public var isEqual: Bool { comparison.isEqual }

  public var document: Document {
    Document(
      schema: "netpol-lab/equal/v1",
      facts: [
        Fact("version", version), Fact("one", one), Fact("other", other), Fact("equal", comparison.isEqual),
        Fact("packets", comparison.packets), Fact("classes", comparison.classes),
        Fact("differences", objects),
      ],
      sections: [Section([.heading(title)]), Section(blocks)])
  }

  var objects: [UnequalObject] { comparison.differences.map(UnequalObject.init) }

  /// What differs, for the report of another command.
  package var blocks: [Block] {
    let shown = 30
    let lines = rows
    return lines.prefix(shown).enumerated().map { index, line in
      .paragraph(line, first: index == 0 ? "smallest: " : "  ", indent: 4)
    } + (lines.count > shown ? [.paragraph("… and \(lines.count - shown) more; -o json has all", first: "  ")] : [])
  }

  var title: String {
    let count = "\(ProofReport.power(comparison.packets)) packets in \(counted(comparison.classes, "class", "classes"))"
    if comparison.isEqual { return "equal: \(one) and \(other) do the same with \(count)" }
    return "not equal: \(one) and \(other) differ for \(counted(rows.count, "pair")) of ends, of \(count)"
  }

  /// A result for each pair of ends.
  package func results(in group: String) -> [Document.Result] {
    let rule = Document.Result.Rule(
      "verdicts-differ", "The two sets of rules treat some packets differently", page: "docs/prove.md")
    return rows.map { row in
      let parts = row.split(separator: ": ", maxSplits: 1).map(String.init)
      return Document.Result(rule, .found(.error), in: group, parts[0], parts.count > 1 ? parts[1] : "")
    }
  }

  private static let everyPort = Transport.allCases.map { "all \($0.rawValue)" }

  /// One line for each pair of ends, by what the sides do.
  private var rows: [String] {
    struct Key: Hashable {
      let from, to: String
      let state: ConntrackState
      let first: Verdict
    }
    var order: [Key] = []
    var asked: [Key: [String]] = [:]
    for difference in comparison.differences {
      let name = { (end: Flow.End) -> String in
        if case .address = end.endpoint { return "\(end.address)" }
        return "\(end.endpoint)"
      }
      let key = Key(
        from: name(difference.source),
        to: (difference.service.map { "\($0), which becomes " } ?? "") + name(difference.destination),
        state: difference.state, first: difference.first)
      if asked[key] == nil { order.append(key) }
      for text in difference.asked.map(\.text) where asked[key]?.contains(text) != true {
        asked[key, default: []].append(text)
      }
    }
    return order.map { key in
      let all = asked[key] ?? []
      let what =
        all.starts(with: Self.everyPort) ? (["all ports"] + all.dropFirst(3)).abridged(to: 8) : all.abridged(to: 8)
      let verdicts =
        key.first == .allow ? "\(one) allows it, \(other) refuses it" : "\(one) refuses it, \(other) allows it"
      return "\(key.from) -> \(key.to) \(what)\(key.state == .new ? "" : " \(key.state.rawValue)"): \(verdicts)"
    }
  }
}

extension Packet.Payload {
  /// `TCP/80`, `ICMP type 8`, `protocol 4`
  var text: String {
    switch self {
    case .transport(let transport, _, let port): "\(transport.rawValue)/\(port)"
    case .icmp(let type): "ICMP type \(type)"
    case .other(let number): "protocol \(number)"
    }
  }
}

extension RulesComparison.Asked {
  /// `TCP/80`, `TCP/8000-8100`, `all UDP`, `ICMP type 8`, `other ICMP types`
  var text: String {
    switch payload {
    case .transport(let transport, _, let port):
      if count == 65_536 { return "all \(transport.rawValue)" }
      return count == 1 ? payload.text : "\(payload.text)-\(Int(port) + count - 1)"
    case .icmp: return count == 1 ? payload.text : "other ICMP types"
    case .other: return count == 1 ? payload.text : "other protocols"
    }
  }
}

struct UnequalObject: Encodable {
  let node, place, from, to, sourceAddress, destinationAddress, state, one: String
  let serviceAddress: String?
  let asked: [String]

  init(_ difference: RulesComparison.Difference) {
    node = difference.node
    place = difference.place == .departure ? "departure" : "arrival"
    from = difference.source.endpoint.description
    to = difference.destination.endpoint.description
    sourceAddress = difference.source.address.description
    destinationAddress = difference.destination.address.description
    serviceAddress = difference.service?.description
    state = difference.state.rawValue
    one = difference.first.rawValue
    asked = difference.asked.map(\.text)
  }
}
