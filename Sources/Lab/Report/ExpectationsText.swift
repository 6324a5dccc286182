internal import Enforcement
internal import EngineComparison
internal import Evaluator
internal import Lowering
internal import NetpolModel
internal import Run
internal import Text

/// Expectations for a person: a table for each group, and one of all claims.
struct ExpectationsText {
  private let results: [GroupResult]
  private let width: Int
  /// Every flow is told; otherwise those that were missed, and a line for each group.
  private let inFull: Bool

  init(_ results: [GroupResult], width: Int, inFull: Bool = true) {
    self.results = results
    self.width = width
    self.inFull = inFull
  }

  /// Paragraphs.
  var parts: [String] {
    if inFull { return results.map(group) + disagreements + summary }
    let hint = "Flow by flow: --claim with a claim or the name of a group, or -o json."
    return [(["Expectations"] + results.flatMap(line)).joined(separator: "\n")] + disagreements + summary + [hint]
  }

  private func line(_ result: GroupResult) -> [String] {
    var lines = wrapped("\(title(result)): \(verdict(result))", width: width, first: "  ", indent: 6)
    if let difference = result.difference {
      lines += wrapped(title(of: difference), width: width, first: "      ", indent: 8)
    }
    let missed = result.flows.filter { $0.state == .missed }
    return lines + (missed.isEmpty ? [] : table(missed))
  }

  // MARK: - Groups

  private func group(_ result: GroupResult) -> String {
    let group = result.group
    var lines = wrapped("\(title(result)): \(verdict(result))", width: width, indent: 4)
    if let says = group.says { lines += wrapped("\"\(says)\"", width: width, first: "  ", indent: 3) }
    if let variant = group.variant?.text { lines += wrapped(variant, width: width, first: "  ", indent: 4) }
    lines += rows(result.flows)
    if let difference = result.difference { lines += text(of: difference) }
    return lines.joined(separator: "\n")
  }

  private func title(_ result: GroupResult) -> String {
    let group = result.group
    return (group.claim.map { group.name.hasPrefix($0) ? "" : "\($0) " } ?? "") + group.name
  }

  /// `refuted as expected, 3 of 3 met`.
  private func verdict(_ result: GroupResult) -> String {
    var parts: [String] = []
    if let document = result.document {
      parts.append(document.rawValue + (document == .undecided || !result.missed.isEmpty ? "" : " as expected"))
    }
    if result.askedCount > 0 { parts.append("\(result.metCount) of \(counted(result.askedCount, "expectation")) met") }
    let notAsked = result.flows.count - result.askedCount
    if notAsked > 0 { parts.append("\(notAsked) not asked") }
    return parts.isEmpty ? "no flows" : parts.joined(separator: ", ")
  }

  /// Of many flows those that are met are told together.
  private func rows(_ flows: [FlowResult]) -> [String] {
    if flows.count <= Self.rowsAtMost { return table(flows) }
    let missed = flows.filter { $0.state == .missed }
    return entries(flows.filter { $0.state != .missed }) + (missed.isEmpty ? [] : table(missed))
  }

  private static let rowsAtMost = 24

  /// Flows that one entry of the document stands for, and that ended alike.
  private func entries(_ flows: [FlowResult]) -> [String] {
    struct Kind: Hashable {
      let location: SourceLocation?
      let wanted, happened: String
      let because: String?
    }
    var order: [Kind] = []
    var members: [Kind: [FlowBundle<ExpectedFlow.End>.Member]] = [:]
    for flow in flows {
      let kind = Kind(
        location: flow.expected.location, wanted: flow.expected.wanted, happened: flow.outcomes,
        because: flow.expected.because)
      if members[kind] == nil { order.append(kind) }
      members[kind, default: []].append(
        FlowBundle.Member(from: flow.expected.from, to: flow.expected.to, port: flow.expected.question))
    }
    return order.enumerated().flatMap { index, kind -> [String] in
      let bundles = FlowBundle.bundles(members[kind] ?? [])
      let lines = bundles.prefix(Self.bundlesAtMost).flatMap { bundle in
        let text = "\(bundle.endsText) \(bundle.portsText): \(kind.happened)"
        return wrapped(text, width: width, first: "  ", indent: 6)
      }
      let more = bundles.dropFirst(Self.bundlesAtMost).map(\.count).reduce(0, +)
      let rest = more > 0 ? ["  and \(counted(more, "flow")) more: \(kind.happened)"] : []
      let next = index + 1 < order.count ? order[index + 1].because : nil
      return lines + rest + (kind.because == next ? [] : because(kind.because))
    }
  }

  private func because(_ text: String?) -> [String] {
    text.map { wrapped("because \($0)", width: width, first: "      ", indent: 6) } ?? []
  }

  private func table(_ flows: [FlowResult]) -> [String] {
    let cells = flows.map(FlowCells.init)
    let all = cells.map(\.text) + (cells.isEmpty ? [] : [FlowCells.header])
    let columns = (0..<FlowCells.header.count).map { column in all.map { $0[column].count }.max() ?? 0 }
    let mark = flows.contains { $0.state == .missed } ? 8 : 0
    let isTable = 2 + columns.reduce(0, +) + 2 * (columns.count - 1) + mark <= width
    var lines = isTable && !cells.isEmpty ? [row(FlowCells.header, columns)] : []
    for (index, flow) in flows.enumerated() {
      let mark = flow.state == .missed ? "MISSED" : ""
      if isTable {
        lines.append(row(cells[index].text + (mark.isEmpty ? [] : [mark]), columns + [0]))
      } else {
        let sentence = cells[index].sentence + (mark.isEmpty ? "" : " \(mark)")
        lines += wrapped(sentence, width: width, first: "  ", indent: 6)
      }
      if flow.state == .missed { lines += missed(flow) }
      if flow.state == .notAsked {
        let whys = Set(flow.pairs.compactMap(\.whyNot)).sorted()
        lines += wrapped("not asked: \(whys.joined(separator: "; "))", width: width, first: "      ", indent: 6)
      }
      // A reason that several flows share is told behind the last.
      let next = index + 1 < flows.count ? flows[index + 1].expected.because : nil
      if flow.expected.because != next { lines += because(flow.expected.because) }
    }
    return lines
  }

  private func row(_ cells: [String], _ widths: [Int]) -> String {
    "  " + zip(cells, widths).map { $0.padded($1) }.joined(separator: "  ").trimmingEnd
  }

  /// Which pairs of a flow did not do it, and the rules that decided.
  private func missed(_ flow: FlowResult) -> [String] {
    if flow.pairs.isEmpty { return ["      there is no pair of ends"] }
    return flow.pairs.filter { $0.state == .missed }.prefix(8).flatMap { pair -> [String] in
      let happened = pair.whyNot ?? pair.answer.map { $0.outcome.text + $0.evaluatorText } ?? ""
      let lines = wrapped("\(pair.from) -> \(pair.to): \(happened)", width: width, first: "      ", indent: 8)
      return lines + (pair.answer?.comparison.journey.deciding ?? []).flatMap(text(of:))
    }
  }

  private func text(of rule: DecidingRule) -> [String] {
    let origin = rule.originText.isEmpty ? "" : " \(rule.originText)"
    let title = "rule \(rule.node) \(rule.chain) #\(rule.number)\(origin):"
    return wrapped(title, width: width, first: "        ", indent: 10) + ["          " + rule.text]
  }

  // MARK: - Differences

  private func title(of difference: Difference) -> String {
    let reference = difference.reference.map { "group \"\($0)\"" } ?? "the manifests"
    var title = "against \(reference), of \(counted(difference.compared, "flow")): "
    title +=
      difference.changes.isEmpty
      ? "none differs" : "opened: \(difference.opened.count), closed: \(difference.closed.count)"
    if difference.unasked > 0 {
      title += " (packets were sent for \(difference.changes.count - difference.unasked) of them)"
    }
    return title
  }

  private func text(of difference: Difference) -> [String] {
    let lines = [("opened", difference.opened), ("closed", difference.closed)].flatMap { word, changes in
      let bundles = FlowBundle.bundles(
        changes.map { change in
          FlowBundle<Endpoint>.Member(
            from: change.flow.source, to: change.flow.destination,
            port: change.flow.question)
        })
      let shown = bundles.prefix(Self.bundlesAtMost).flatMap { bundle in
        // Of several destinations only where all were compared on the same ports.
        let asked = Set(bundle.destinations.map { difference.ports[$0] ?? [] })
        let ports = asked.count == 1 ? asked.first.map(bundle.portsText) ?? "" : bundle.portsText
        let text = "\(word) \(bundle.endsText) \(ports): \(counted(bundle.count, "flow"))"
        return wrapped(text, width: width, first: "    ", indent: 8)
      }
      let more = bundles.dropFirst(Self.bundlesAtMost).map(\.count).reduce(0, +)
      return shown + (more > 0 ? ["    \(word): and \(counted(more, "flow")) more"] : [])
    }
    return wrapped(title(of: difference), width: width, first: "  ", indent: 4) + lines
  }

  private static let bundlesAtMost = 8

  // MARK: - All groups

  private var disagreements: [String] {
    let failures = results.flatMap(\.failures)
    if failures.isEmpty { return [] }
    let lines = failures.prefix(20).flatMap { answer in
      wrapped("\(answer.flow): \(answer.outcome.text)\(answer.disagreementText)", width: width, indent: 4)
        + answer.comparison.journey.deciding.flatMap(text(of:))
    }
    let more = failures.count > 20 ? ["and \(failures.count - 20) more"] : []
    return [
      (["DISAGREEMENTS in expectations: \(counted(failures.count, "flow"))"] + lines + more).joined(separator: "\n")
    ]
  }

  private var summary: [String] {
    let claims = results.claims
    let rows = claims.map { claim in
      [
        claim.claim, claim.document?.text ?? "says nothing", "\(claim.met) of \(claim.asked) met",
        claim.notAsked > 0 ? "\(claim.notAsked) not asked" : "",
      ]
    }
    let columns = (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }
    let missed = results.flatMap(\.missed).count
    let total = "\(results.map(\.metCount).reduce(0, +)) of \(results.map(\.askedCount).reduce(0, +)) expectations met"
    let table = claims.isEmpty ? [] : ["Claims"] + rows.map { row($0, columns) }
    return [(table + [total + (missed > 0 ? ", \(missed) MISSED." : ".")]).joined(separator: "\n")]
  }
}

extension ClaimResult.DocumentVerdict {
  fileprivate var text: String { self == .partly ? "holds in part" : rawValue }
}

/// A flow in the columns of its group's table.
private struct FlowCells {
  static let header = ["from", "to", "port", "expected", "packets"]
  let text: [String]
  let sentence: String

  init(_ flow: FlowResult) {
    let expected = flow.expected
    let wanted = expected.wanted
    let port = expected.question.description + (expected.family.map { " \($0.rawValue)" } ?? "")
    let to = expected.to.description + (expected.group.map { " in \($0)" } ?? "")
    text = [expected.from.description, to, port, wanted, flow.happened]
    sentence = "\(text[0]) -> \(text[1]) \(port): expected \(wanted), \(flow.happened)"
  }
}

extension ExpectedFlow {
  /// `denied (rejected)`.
  fileprivate var wanted: String { expect.rawValue + (mechanism.map { " (\($0.outcome.text))" } ?? "") }
}

extension FlowResult {
  /// What the flow came to, whatever the number of its pairs.
  fileprivate var outcomes: String {
    var words: [String] = []
    for word in pairs.map(\.word) where !words.contains(word) { words.append(word) }
    return words.joined(separator: ", ")
  }

  /// `rejected`, or of several pairs `delivered (3), dropped (1)`.
  fileprivate var happened: String {
    var order: [String] = []
    var counts: [String: Int] = [:]
    for pair in pairs {
      let word = pair.word
      if counts[word] == nil { order.append(word) }
      counts[word, default: 0] += 1
    }
    if order.isEmpty { return "nothing to ask" }
    return order.map { pairs.count == 1 ? $0 : "\($0) (\(counts[$0] ?? 0))" }.joined(separator: ", ")
  }
}

extension PairResult {
  /// `delivered`, `delivered [D8]`.
  fileprivate var word: String {
    guard let answer else { return state == .notAsked ? "not asked" : "impossible" }
    let deviations = answer.deviations.map(\.id).joined(separator: " ")
    return answer.outcome.kind.text + (deviations.isEmpty ? "" : " [\(deviations)]")
  }
}

extension Answer {
  /// Where the evaluator says something else than the packets.
  fileprivate var evaluatorText: String {
    guard let evaluated = comparison.evaluated, evaluated != observed else { return "" }
    return ", by the rules in the evaluator \(evaluated.rawValue)"
  }

  fileprivate var disagreementText: String {
    var text = "; evaluator \(comparison.evaluated?.rawValue ?? PacketOutcome.noRoute.text)"
    if let specified = comparison.specified { text += ", specification \(specified.verdict.rawValue)" }
    return text
  }
}

extension Answer.Outcome {
  var text: String {
    switch self {
    case .delivered, .rejected, .dropped: kind.text
    case .noRoute(let why), .undecided(let why): "\(kind.text): \(why)"
    }
  }
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
      parts.append("\(subject): \(change.key)\(change.value.map { "=\($0)" } ?? " taken away")")
    }
    if let overlay { parts.append("overlay \(overlay.rawValue)") }
    if let bridgeNetfilter { parts.append("bridge netfilter \(bridgeNetfilter ? "on" : "off")") }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }
}
