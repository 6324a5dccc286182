public import Documents
internal import EngineComparison
internal import Lowering
internal import NetpolModel
internal import PolicyDiff
public import Run
internal import StandingLab
internal import Text

extension PolicyDiffReport {
  /// Two policy sets compared: `netpol-lab/diff/v1`, documented in docs/diff-json.md.
  public var document: Document {
    let names = EndNames(difference)
    return Document(
      schema: "netpol-lab/diff/v1",
      facts: [
        Fact("version", version), Fact("environment", environment.map(EnvironmentObject.init)),
        Fact("equal", isEqual), Fact("asExpected", isAsExpected),
        Fact("old", SideObject(self, .old)), Fact("new", SideObject(self, .new)),
        Fact("rows", rowObjects(names)), Fact("blocks", difference.prices.map { BlockPriceObject($0, difference) }),
        Fact("oneSided", oneSidedObjects(names)), Fact("notes", notes), Fact("warnings", warnings),
      ],
      sections: PolicyDiffSections(self, names).all, results: PolicyDiffResults(self, names).all)
  }

  func side(_ side: ComparedClusters.Side) -> Side { side == .old ? old : new }
}

/// A policy difference as text.
private struct PolicyDiffSections {
  private let report: PolicyDiffReport
  private let difference: PolicyDifference
  private let names: EndNames

  init(_ report: PolicyDiffReport, _ names: EndNames) {
    self.report = report
    difference = report.difference
    self.names = names
  }

  /// How many rows of a kind text shows. JSON has all.
  private static let shown = 100

  var all: [Section] {
    [heading, section("Opened", isOpened: true), section("Closed", isOpened: false), prices, oneSided] + findings
      + [summary]
  }

  private var heading: Section {
    let clusters = difference.clusters
    let sides = ComparedClusters.Side.allCases.map { side -> Block in
      let own = report.side(side)
      let policies = counted(own.policies, "policy", "policies")
      let text =
        clusters.borrower == side
        ? "\(own.name): \(policies); pods, nodes and all other objects are those of \(side.other.rawValue)"
        : "\(own.name): \(policies), \(counted(clusters[side].pods.count - (clusters.lonePods[side.other]?.count ?? 0), "pod")), \(counted(clusters[side].nodes.count, "node"))"
      return .paragraph(text, first: side.rawValue.padded(to: 5), indent: 5)
    }
    let lone = ComparedClusters.Side.allCases.compactMap { side -> Block? in
      guard let pods = clusters.lonePods[side] else { return nil }
      return .note(
        "pods only in \(side.rawValue)",
        "\(pods.map(\.description).abridged(to: 5)), judged on both sides, as if \(side.other.rawValue) had them too")
    }
    return Section(sides + lone)
  }

  private func section(_ title: String, isOpened: Bool) -> Section {
    let rows = difference.rows.enumerated().filter { $1.isOpened == isOpened }
    if rows.isEmpty { return Section([]) }
    let verb = isOpened ? "OLD denies and NEW allows" : "OLD allows and NEW denies"
    let more = rows.count - Self.shown
    return Section(
      [.heading("\(title): \(verb)")] + rows.prefix(Self.shown).flatMap { row($1, $0) }
        + (more > 0 ? [.paragraph("and \(counted(more, "more row")); -o json has all")] : []))
  }

  private func row(_ row: DifferenceRow, _ number: Int) -> [Block] {
    return [.paragraph(names.text(of: row), first: row.isOpened ? "+ " : "- ", indent: 4)] + reasons(row)
      + packet(number)
  }

  /// Which direction's policies judge differently, and why, for one flow of the row.
  private func reasons(_ row: DifferenceRow) -> [Block] {
    guard let example = difference.example(of: row) else { return [] }
    let space = difference.space
    let flow = { (side: ComparedClusters.Side) in
      difference.flow(example.source, example.destination, space.questions[example.question], side)
    }
    return Direction.allCases.filter(row.directions.contains).flatMap { direction -> [Block] in
      ComparedClusters.Side.allCases.map { side in
        let judgement = difference.judge(flow(side), direction, side)
        let first = side == .old ? "    \(direction.keyword)".padded(to: 13) : String(repeating: " ", count: 13)
        return .paragraph(
          "\(side.rawValue) \(judgement.verdict.rawValue): \(judgement.because.map(\.text).joined(separator: "; "))",
          first: first, indent: 13)
      }
    }
  }

  private func packet(_ number: Int) -> [Block] {
    guard report.packets.indices.contains(number) else { return [] }
    let text: String
    switch report.packets[number] {
    case .notSent(let why): text = why
    case .sent(let old, let new):
      let flow = new.flow
      let ends =
        "\(flow.source) (\(flow.sourceAddress)) -> \(flow.destination) (\(flow.destinationAddress)) \(flow.question)"
      text = "\(ends): \(observed(old, .old)), \(observed(new, .new))"
    }
    return [.paragraph(text, first: "    packet   ", indent: 13)]
  }

  private func observed(_ answer: Answer, _ side: ComparedClusters.Side) -> String {
    let verdict = answer.observed.map(\.rawValue) ?? "unknown"
    let known = answer.deviations.map { "\($0.id) \($0.summary)" }.joined(separator: "; ")
    let finding = answer.comparison.isFailure(strict: false) ? ", a finding" : ""
    return
      "\(side.rawValue) \(verdict) (\(answer.outcome.text)\(known.isEmpty ? "" : ", a known deviation: \(known)")\(finding))"
  }

  /// What ipBlocks cost because they hold addresses of pods.
  private var prices: Section {
    if difference.prices.isEmpty { return Section([]) }
    return Section(
      [.heading("The price of the pod-CIDR workaround: an ipBlock counts for the pods in it too")]
        + difference.prices.map { price in
          let place = price.location.map { ", \($0)" } ?? ""
          let pods = difference.pods(price.admitted)
          let workloads = names.text(price.admitted, alike: Bits(count: difference.space.ends.count))
          let verb = price.direction == .ingress ? "from" : "to"
          return .paragraph(
            "ipBlock \(price.block.text) (\(price.policy), \(price.direction.keyword)\(place)) admits traffic \(verb) "
              + "\(counted(pods.count, "pod")) that selectors did not: \(workloads.abridged(to: 8))",
            first: "  ", indent: 4)
        })
  }

  private var oneSided: Section {
    let none = Bits(count: difference.space.ends.count)
    let lines = Direction.allCases.compactMap { direction in
      difference.oneSided[direction].map { "\(direction.keyword) of \(names.text($0, alike: none).abridged(to: 8))" }
    }
    if lines.isEmpty { return Section([]) }
    return Section([
      .note(
        "Without effect",
        "policies also differ in \(lines.joined(separator: "; ")), for flows that the other end's "
          + "policies deny on both sides", indent: 2)
    ])
  }

  private var findings: [Section] {
    let answers = report.packets.flatMap { packet -> [Answer] in
      if case .sent(let old, let new) = packet { [old, new] } else { [] }
    }.filter { $0.comparison.isFailure(strict: false) }
    if answers.isEmpty { return [] }
    return [Section([.heading("DISAGREEMENTS: \(counted(answers.count, "flow"))")])]
      + answers.prefix(20).map { FlowSection($0.comparison).section }
  }

  private var summary: Section {
    let space = difference.space
    let scope =
      "Judged by the specification: \(counted(space.pods.count, "pod address", "pod addresses")), "
      + "\(counted(space.nodes.count, "node address", "node addresses")), all other addresses "
      + "(\(counted(space.outside.count, "set")) that no ipBlock tells apart), all ports "
      + "(\(counted(space.questions.count - 1, "range")))."
    let result =
      difference.rows.isEmpty
      ? "equal: no flow is judged differently"
      : "\(counted(difference.opened.count, "row")) opened, \(counted(difference.closed.count, "row")) closed"
    let sent = report.packets.count { if case .sent = $0 { true } else { false } }
    let packets =
      report.packets.isEmpty
      ? ""
      : "; \(counted(sent, "row")) sent as packets under both, "
        + counted(report.packets.count { $0.isFinding }, "finding")
    return Section([.paragraph(scope), .paragraph(result + packets)])
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: Swift.max(1, width - count))
  }
}

extension NetworkPolicy.IPBlock {
  /// `10.0.0.0/8`, `10.0.0.0/8 except 10.1.0.0/16`
  var text: String {
    cidr.description
      + (except.isEmpty ? "" : " except \(except.map(\.description).joined(separator: ", "))")
  }
}
