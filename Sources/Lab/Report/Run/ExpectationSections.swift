internal import Algorithms
internal import Documents
internal import Enforcement
internal import EngineComparison
internal import Lowering
internal import NetpolModel
internal import OrderedCollections
internal import Run
internal import Text

/// Expectations as text: a table for each group, and one of all claims.
struct ExpectationSections {
  private let results: [GroupResult]
  /// Whether every flow is shown. Otherwise only missed flows are, and a line for each group.
  private let inFull: Bool

  init(_ results: [GroupResult], inFull: Bool = true) {
    self.results = results
    self.inFull = inFull
  }

  var all: [Section] {
    if inFull { return results.map(group) + [disagreements, summary] }
    let hint = "To see every flow, use --claim with a claim or the name of a group, or -o json."
    return [
      Section([.heading("Expectations")] + results.flatMap(line)), disagreements, summary,
      Section([.paragraph(hint)]),
    ]
  }

  private func line(_ result: GroupResult) -> [Block] {
    var blocks = [Block.paragraph("\(result.title): \(verdict(result))", first: "  ", indent: 6)]
    if result.isDifferenceLeftOut { blocks.append(.paragraph(Self.leftOut, first: "      ", indent: 8)) }
    if let difference = result.difference {
      blocks.append(.paragraph(title(of: difference), first: "      ", indent: 8))
    }
    let missed = result.flows.filter { $0.state == .missed }
    return blocks + (missed.isEmpty ? [] : [table(missed)])
  }

  // MARK: - Groups

  private func group(_ result: GroupResult) -> Section {
    let group = result.group
    var blocks = [Block.paragraph("\(result.title): \(verdict(result))", indent: 4)]
    if let says = group.says { blocks.append(.paragraph("\"\(says)\"", first: "  ", indent: 3)) }
    if let variant = group.variant?.text { blocks.append(.paragraph(variant, first: "  ", indent: 4)) }
    blocks += rows(result.flows)
    if result.isDifferenceLeftOut { blocks.append(.paragraph(Self.leftOut, first: "  ", indent: 4)) }
    if let difference = result.difference { blocks += self.blocks(of: difference) }
    return Section(blocks)
  }

  /// `refuted as expected, 3 of 3 expectations met`.
  private func verdict(_ result: GroupResult) -> String {
    var parts: [String] = []
    if let document = result.document {
      parts.append(document.rawValue + (document == .undecided || !result.missed.isEmpty ? "" : " as expected"))
    }
    if result.askedCount > 0 { parts.append("\(result.metCount) of \(result.askedCount) expectations met") }
    let notAsked = result.flows.count - result.askedCount
    if notAsked > 0 { parts.append("\(notAsked) not asked") }
    return parts.isEmpty ? "no flows" : parts.joined(separator: ", ")
  }

  /// If there are many flows, those that are met are combined.
  private func rows(_ flows: [FlowResult]) -> [Block] {
    if flows.count <= Self.rowsAtMost { return [table(flows)] }
    let missed = flows.filter { $0.state == .missed }
    return entries(flows.filter { $0.state != .missed }) + (missed.isEmpty ? [] : [table(missed)])
  }

  private static let rowsAtMost = 24

  /// Combines flows that come from one entry of the document and have the same outcome.
  private func entries(_ flows: [FlowResult]) -> [Block] {
    struct Kind: Hashable {
      let location: SourceLocation?
      let wanted, happened: String
      let because: String?
    }
    var members: OrderedDictionary<Kind, [FlowBundle<ExpectedFlow.End>.Member]> = [:]
    for flow in flows {
      let kind = Kind(
        location: flow.expected.location, wanted: flow.expected.wanted, happened: flow.outcomes,
        because: flow.expected.because)
      members[kind, default: []].append(
        FlowBundle.Member(from: flow.expected.from, to: flow.expected.to, port: flow.expected.question))
    }
    return members.keys.enumerated().flatMap { index, kind -> [Block] in
      let bundles = FlowBundle.bundles(members.values[index])
      let lines = bundles.prefix(Self.bundlesAtMost).map { bundle in
        Block.paragraph("\(bundle.endsText) \(bundle.portsText): \(kind.happened)", first: "  ", indent: 6)
      }
      let more = bundles.dropFirst(Self.bundlesAtMost).map(\.count).reduce(0, +)
      let rest = more > 0 ? [Block.paragraph("and \(counted(more, "more flow")): \(kind.happened)", first: "  ")] : []
      let next = index + 1 < members.count ? members.keys[index + 1].because : nil
      return lines + rest + (kind.because == next ? [] : because(kind.because))
    }
  }

  private func because(_ text: String?) -> [Block] {
    text.map { [.paragraph("because \($0)", first: "      ", indent: 6)] } ?? []
  }

  private func table(_ flows: [FlowResult]) -> Block {
    let columns = ["from", "to", "port", "expected", "packets"].map { Table.Column(title: $0, isLeading: true) }
    let rows = flows.enumerated().map { index, flow in
      var below: [Block] = []
      if flow.state == .missed { below += missed(flow) }
      if flow.state == .notAsked {
        let whys = Set(flow.pairs.compactMap(\.whyNot)).sorted()
        below.append(.paragraph("not asked: \(whys.joined(separator: "; "))", first: "      ", indent: 6))
      }
      // A reason that several flows share is shown after the last of them.
      let next = index + 1 < flows.count ? flows[index + 1].expected.because : nil
      if flow.expected.because != next { below += because(flow.expected.because) }
      return flow.row(below)
    }
    return .table(Table(columns, indent: 2, rows))
  }

  /// The pairs of a flow that missed the expectation, and the rules that decided.
  private func missed(_ flow: FlowResult) -> [Block] {
    if flow.pairs.isEmpty { return [.paragraph("there is no pair of endpoints to ask", first: "      ")] }
    return flow.pairs.filter { $0.state == .missed }.prefix(8).flatMap { pair -> [Block] in
      let happened =
        pair.whyNot.map { "not asked: \($0)" } ?? pair.answer.map { $0.outcomeText + $0.evaluatorText } ?? ""
      let lacking = flow.expected.codes.filter { code in pair.answer?.codes.contains(code) == false }
      let found = pair.answer?.codes.map(\.rawValue).sorted().joined(separator: ", ") ?? ""
      let codes =
        lacking.isEmpty
        ? "" : "; not because of \(lacking.map(\.rawValue).joined(separator: ", ")): its codes are \(found)"
      return [.paragraph("\(pair.from) -> \(pair.to): \(happened)\(codes)", first: "      ", indent: 8)]
        + (pair.answer?.comparison.journey.deciding ?? []).flatMap(blocks(of:))
    }
  }

  private func blocks(of rule: DecidingRule) -> [Block] {
    let origin = rule.originText.isEmpty ? "" : " \(rule.originText)"
    let title = "rule \(rule.machine) \(rule.chain) #\(rule.number)\(origin):"
    return [.paragraph(title, first: "        ", indent: 10), .code(rule.text, indent: 10)]
  }

  // MARK: - Differences

  private static let leftOut =
    "not compared with another group: the cluster has too many flows to list those that change; netpol-lab diff lists them"

  private func title(of difference: Difference) -> String {
    let reference = difference.reference.map { "group \"\($0)\"" } ?? "the manifests"
    var title = "compared with \(reference) (\(counted(difference.compared, "flow"))): "
    title +=
      difference.changes.isEmpty
      ? "no difference" : "\(difference.opened.count) opened, \(difference.closed.count) closed"
    if difference.unasked > 0 {
      title += " (packets were sent for \(difference.changes.count - difference.unasked) of them)"
    }
    return title
  }

  private func blocks(of difference: Difference) -> [Block] {
    let blocks = [("opened", difference.opened), ("closed", difference.closed)].flatMap { word, changes in
      let bundles = FlowBundle.bundles(
        changes.map { change in
          FlowBundle<Endpoint>.Member(
            from: change.flow.source, to: change.flow.destination,
            port: change.flow.question)
        })
      let shown = bundles.prefix(Self.bundlesAtMost).map { bundle in
        // With several destinations, only if all were compared on the same ports.
        let asked = Set(bundle.destinations.map { difference.ports[$0] ?? [] })
        let ports = asked.count == 1 ? asked.first.map(bundle.portsText) ?? "" : bundle.portsText
        let text = "\(word) \(bundle.endsText) \(ports): \(counted(bundle.count, "flow"))"
        return Block.paragraph(text, first: "    ", indent: 8)
      }
      let more = bundles.dropFirst(Self.bundlesAtMost).map(\.count).reduce(0, +)
      let rest = more > 0 ? [Block.paragraph("\(word): \(counted(more, "more flow"))", first: "    ")] : []
      return shown + rest
    }
    return [.paragraph(title(of: difference), first: "  ", indent: 4)] + blocks
  }

  private static let bundlesAtMost = 8

  // MARK: - All groups

  private var disagreements: Section {
    let failures = results.flatMap(\.failures)
    if failures.isEmpty { return Section([]) }
    let told = failures.prefix(20).flatMap { answer in
      [Block.paragraph("\(answer.flow): \(answer.outcomeText)\(answer.disagreementText)", indent: 4)]
        + answer.comparison.journey.deciding.flatMap(blocks(of:))
    }
    let more = failures.count > 20 ? [Block.paragraph("and \(failures.count - 20) more")] : []
    return Section(
      [.heading("DISAGREEMENTS in expectations: \(counted(failures.count, "flow"))")] + told + more)
  }

  private var summary: Section {
    let claims = results.claims
    let rows = claims.map { claim -> [Table.Cell] in
      [
        .text(claim.claim), .text(claim.document?.text ?? "says nothing"),
        .text("\(claim.met) of \(claim.asked) met"),
        .text(claim.notAsked > 0 ? "\(claim.notAsked) not asked" : ""),
      ]
    }
    let missed = results.flatMap(\.missed).count
    let total = "\(results.map(\.metCount).reduce(0, +)) of \(results.map(\.askedCount).reduce(0, +)) expectations met"
    let columns = (0..<4).map { _ in Table.Column(isLeading: true) }
    let table: [Block] = claims.isEmpty ? [] : [.heading("Claims"), .table(Table(columns, indent: 2, rows))]
    return Section(table + [.paragraph(total + (missed > 0 ? ", \(missed) MISSED." : "."))])
  }
}

extension ClaimResult.DocumentVerdict {
  fileprivate var text: String { self == .partly ? "holds in part" : rawValue }
}

extension GroupResult {
  /// The claim, unless the name begins with it, and the name.
  var title: String { (group.claim.map { group.name.hasPrefix($0) ? "" : "\($0) " } ?? "") + group.name }
}

extension ExpectedFlow {
  /// `denied (rejected)`.
  var wanted: String { expect.rawValue + (mechanism.map { " (\($0.outcome.text))" } ?? "") }
}

extension FlowResult {
  /// In the columns of its group's table.
  fileprivate func row(_ below: [Block]) -> Table.Row {
    let port = expected.question.description + (expected.family.map { " \($0.rawValue)" } ?? "")
    let detail = (expected.group.map { " in \($0)" } ?? "") + (expected.endpoint.map { " by \($0)" } ?? "")
    let (from, to) = (expected.from.description, expected.to.description + detail)
    return Table.Row(
      [.text(from), .text(to), .text(port), .text(expected.wanted), .text(happened)],
      remark: state == .missed ? "MISSED" : "",
      sentence: "\(from) -> \(to) \(port): expected \(expected.wanted), \(happened)", below: below)
  }

  /// The distinct outcomes of its pairs.
  fileprivate var outcomes: String {
    pairs.map(\.word).uniqued().joined(separator: ", ")
  }

  /// `rejected`, or with several pairs `delivered (3), dropped (1)`.
  var happened: String {
    if pairs.isEmpty { return "nothing to ask" }
    return OrderedDictionary(grouping: pairs, by: \.word)
      .map { pairs.count == 1 ? $0 : "\($0) (\($1.count))" }.joined(separator: ", ")
  }
}

extension PairResult {
  /// `delivered`, `delivered [D8]`.
  fileprivate var word: String {
    guard let answer else { return "not asked" }
    let deviations = answer.deviations.map(\.id).joined(separator: " ")
    return answer.outcome.text + (deviations.isEmpty ? "" : " [\(deviations)]")
  }
}

extension Answer {
  /// Says so if the evaluator differs from the packets.
  fileprivate var evaluatorText: String {
    guard let evaluated = comparison.evaluated, evaluated != observed else { return "" }
    return ", but the evaluator says \(evaluated.rawValue)"
  }

  fileprivate var disagreementText: String {
    var text = "; evaluator \(comparison.evaluated?.rawValue ?? PacketOutcome.noRoute.text)"
    if let specified = comparison.specified { text += ", specification \(specified.verdict.rawValue)" }
    return text
  }
}

extension Answer {
  /// The outcome with its reason.
  var outcomeText: String { outcome.text + (why.map { ": \($0)" } ?? "") }
}

extension Expectations.Variant {
  /// `without icn/a; with variants/b.yaml; bridge netfilter off`.
  var text: String? {
    var parts: [String] = []
    if !without.isEmpty { parts.append("without \(namesText(of: without))") }
    if !add.isEmpty { parts.append("with \(add.joined(separator: ", "))") }
    for change in labels {
      let subject =
        switch change.subject {
        case .namespace(let name): "namespace \(name)"
        case .pod(let id): "pod \(id)"
        }
      parts.append("\(subject): \(change.key)\(change.value.map { "=\($0)" } ?? " removed")")
    }
    if let overlay { parts.append("overlay \(overlay.rawValue)") }
    if let bridgeNetfilter { parts.append("bridge netfilter \(bridgeNetfilter ? "on" : "off")") }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }
}
