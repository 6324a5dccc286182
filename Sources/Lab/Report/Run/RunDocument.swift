public import Documents
internal import EngineComparison
internal import Lowering
internal import NetpolModel
internal import OrderedCollections
internal import Path
public import Run
internal import StandingLab
internal import Text
internal import Verdicts

extension RunReport {
  /// A run: `netpol-lab/run/v3`, documented in docs/json.md.
  public var document: Document {
    Document(
      schema: "netpol-lab/run/v3", facts: facts, sections: RunSections(self).all, results: RunResults(self).all)
  }

  private var facts: [Fact] {
    [
      Fact("environment", EnvironmentObject(environment)),
      Fact("serviceProxy", cluster.settings.serviceProxyText),
      Fact("asExpected", isAsExpected),
      Fact("endpoints", plan.endpoints.map(\.description)),
      Fact(
        "flows", comparisons.map { FlowObject($0, strict: strict, inFull: isToldInFull, withPath: tellsAllPaths) }),
      Fact("together", together.map { TogetherObject($0, cluster) }),
      Fact("explanations", explained.isEmpty ? nil : explained.map { ExplanationObject($0, cluster) }),
      Fact("survey", survey.map { SurveyObject($0, comparisons, unsent, strict: strict) }),
      Fact("classes", classObjects),
      Fact("mixed", mixedObjects),
      Fact("expectations", expectations.map(GroupObject.init)),
      Fact("claims", expectations.claims.map(ClaimObject.init)),
      Fact("styleWarnings", styleWarnings),
      Fact("warnings", warnings),
      Fact("notes", notes + [remark].compactMap(\.self)),
      Fact("notInLab", notInLab.map { LeftPodObject(pod: $0.pod.description, why: $0.why.description) }),
      Fact(
        "seconds",
        [
          "build": timings.build / .seconds(1), "load": timings.load / .seconds(1),
          "probe": timings.probe / .seconds(1),
        ]),
    ]
  }

  private var mixedObjects: [MixedObject] {
    guard let survey else { return ServiceAnswer.all(comparisons).compactMap { MixedObject($0) } }
    return survey.mixed.compactMap { mixed in
      ServiceAnswer.all(mixed.comparisons).first.flatMap { MixedObject($0, senders: mixed.senders) }
    }
  }

  private var classObjects: [ClassObject] {
    let grid = grid
    return grid.classes.map { ClassObject($0, grid, strict: strict) }
  }

  /// What the reader should know if no policy can apply to any pod. `nil` if some pod has an address of its own.
  fileprivate var remark: String? {
    let left = Set(notInLab.map(\.pod))
    if cluster.pods.contains(where: { !$0.hostNetwork && !left.contains($0.id) }) { return nil }
    let pods = cluster.pods.filter { !left.contains($0.id) }
    if pods.isEmpty { return "no pod is in the lab, so there is nothing that a policy applies to" }
    return "\(counted(pods.count, "pod")) on the host network; no policy applies to \(pods.count == 1 ? "it" : "them")"
  }
}

extension ClusterSettings {
  /// What translates the addresses of services.
  fileprivate var serviceProxyText: String {
    switch (serviceProxy, kubeProxy.mode) {
    case (.ipvs, _): "IPVS"
    case (.ebpf(let product), _): "\(product)'s eBPF programs"
    case (.kubeProxy, .iptables): "kube-proxy in iptables mode"
    case (.kubeProxy, .nftables(let release)): "kube-proxy \(release.rawValue) in nftables mode"
    }
  }
}

private struct LeftPodObject: Encodable {
  let pod, why: String
}

/// A run as text.
private struct RunSections {
  private let report: RunReport
  private let answers: [ServiceAnswer]

  init(_ report: RunReport) {
    self.report = report
    answers = ServiceAnswer.all(report.comparisons)
  }

  var all: [Section] {
    if !report.explained.isEmpty { return allExplained }
    var sections = [heading]
    if let survey = report.survey {
      let told = SurveySections(report, survey)
      let isMissed = !report.expectations.allSatisfy(\.isAsExpected)
      let expectations =
        report.expectations.isEmpty
        ? [] : ExpectationSections(report.expectations, inFull: report.tellsExpectationsInFull).all
      sections += [told.result, styleWarnings] + (isMissed ? expectations : []) + failures + told.findings
      sections += [notAsked, told.summary, told.grid] + (isMissed ? [] : expectations)
      return sections
    }
    // Flows that are shown in full need no lists.
    if report.view.isAsked {
      sections += [GridView(report.grid, report.view).section] + deviations + [styleWarnings] + failures
    } else if report.isToldInFull {
      sections += mixtures + answers.flatMap(\.shown).map(full) + [styleWarnings]
    } else {
      sections += grids + [services, notAsked] + deviations + [styleWarnings] + failures
    }
    if !report.expectations.isEmpty {
      sections += ExpectationSections(report.expectations, inFull: report.tellsExpectationsInFull).all
    }
    return sections + [summary]
  }

  /// What was asked comes first: with what it was measured is for later.
  private var allExplained: [Section] {
    // One for each kind of answer is explained.
    if report.explained.count < report.comparisons.count {
      return [overview(report.explained)] + report.explained.flatMap(explained)
        + [together, styleWarnings, heading, summary]
    }
    let shown = answers.flatMap(\.shown)
    let flows = shown.flatMap { comparison -> [Section] in
      let flow = report.explained.first { explained in
        var flow = explained.comparison.flow
        // Of a packet that is stopped before it is sent to an endpoint, no endpoint is told.
        if comparison.flow.chosen == nil { flow.chosen = nil }
        return flow == comparison.flow
      }
      return flow.map(explained) ?? [full(comparison)]
    }
    return [overview(shown)] + mixtures + flows + [together, styleWarnings, heading, summary]
  }

  /// The changes for all refused flows.
  private var together: Section {
    guard let together = report.together else { return Section([]) }
    let (opened, all) = (together.opened.count, together.opened.count + together.refused.count)
    let edits = EditText(report.cluster)
    var blocks: [Block] = [.heading("Changes for all \(all) refused flows, of which \(opened) pass with them")]
    blocks += together.edits.map { .paragraph(edits.text($0), first: "  ", indent: 4) }
    blocks += AdviceText.patch(together.files)
    if !together.refused.isEmpty {
      blocks.append(
        .paragraph("still refused: \(together.refused.map(\.description).abridged(to: 3))", first: "  ", indent: 4))
    }
    return Section(blocks)
  }

  /// The verdicts of several flows, before any of them is explained.
  private func overview(_ shown: [Comparison]) -> Section {
    if shown.count < 2 { return Section([]) }
    return Section(
      [.heading("\(shown.count) flows: \(counts(shown))")]
        + shown.map { .paragraph(FlowSection($0).title, first: "  ", indent: 6) })
  }

  /// The kinds of answers that many flows have, with how many have them.
  private func overview(_ kinds: [ExplainedFlow]) -> Section {
    let rest = report.comparisons.count - kinds.reduce(0) { $0 + 1 + $1.alike.count }
    let lines = kinds.map { kind in
      FlowSection(kind.comparison).title + (kind.alike.isEmpty ? "" : ", and \(kind.alike.count) alike")
    }
    return Section(
      [.heading("\(report.comparisons.count) flows: \(counts(report.comparisons)), in these kinds")]
        + (lines + (rest > 0 ? ["\(counted(rest, "more flow")) of other kinds; name one end more narrowly"] : []))
        .map { .paragraph($0, first: "  ", indent: 6) })
  }

  private func counts(_ comparisons: [Comparison]) -> String {
    [
      (comparisons.count { $0.verdict == .allow }, "allowed"), (comparisons.count { $0.verdict == .deny }, "denied"),
      (comparisons.count { $0.verdict == nil }, "without a verdict"),
    ].filter { $0.0 > 0 }.map { "\($0) \($1)" }.joined(separator: ", ")
  }

  private var heading: Section {
    let cluster = report.cluster
    let counts = [
      counted(cluster.pods.count, "pod"), counted(cluster.nodes.count, "node"),
      counted(cluster.externalHosts.count, "external host"), counted(cluster.policies.count, "policy", "policies"),
    ]
    // Nothing else in a report says what translates Services.
    let proxy = cluster.services.isEmpty ? [] : ["services by \(cluster.settings.serviceProxyText)"]
    return Section(
      [clauses(report.environment.text), clauses((counts + proxy).joined(separator: ", "))]
        + notInLab + [report.remark].compactMap(\.self).map { .paragraph($0) })
  }

  /// One line for each reason, and at most ten lines.
  private var notInLab: [Block] {
    let byReason = OrderedDictionary(grouping: report.notInLab, by: \.why)
    let lines = byReason.map { why, left in
      let names = left.map(\.pod.description).abridged(to: 5)
      return "\(names), \(left.count > 1 ? "each " : "")since \(why) [\(why.code)]"
    }
    let rest = byReason.values.dropFirst(10).joined().count
    return (lines.prefix(10) + (rest > 0 ? ["\(counted(rest, "other pod"))"] : [])).map { .note("not in the lab", $0) }
  }

  /// Breaks lines only after commas.
  private func clauses(_ text: String) -> Block {
    let clauses = text.split(separator: ", ").map(String.init)
    return .pieces(clauses.dropLast().map { $0 + "," } + clauses.suffix(1), indent: 2)
  }

  private var grids: [Section] {
    let matrix = Matrix(
      endpoints: report.plan.endpoints, cells: answers.map { ($0.flow, $0.symbol) })
    let showsFamily = report.cluster.families.count > 1
    return [Section([.pieces(["Rows send, columns receive."] + matrix.legend, separator: "   ")])]
      + matrix.grids.map {
        Section([.grid(Grid(grid: $0, endpoints: matrix.endpoints, showsFamily: showsFamily))])
      }
  }

  private var services: Section { ServiceSection(answers, senders: report.plan.endpoints).section }

  private var mixtures: [Section] { answers.compactMap(\.line).map { Section([.paragraph($0, indent: 4)]) } }

  private func full(_ comparison: Comparison) -> Section { FlowSection(comparison).section }

  /// A flow that the user asked about: the verdict and its cause, the engines, why, and what the packet met.
  private func explained(_ flow: ExplainedFlow) -> [Section] {
    let own = FlowSection(flow.comparison, tellsRules: false).section.blocks
    let cause = CauseText(flow, report.cluster).lines.map { Block.note($0.kind.rawValue, $0.text) }
    let why = WhyTree(report.cluster, report.lines).blocks(flow.parts)
    let alike =
      flow.alike.isEmpty
      ? [] : [Block.note("The same answer", flow.alike.map(\.description).abridged(to: 4))]
    return [
      Section(own.prefix(1) + cause + alike + own.dropFirst()), Section(AdviceText(flow, report)?.blocks ?? []),
      Section(why.isEmpty ? [] : [.heading("Why")] + why),
      Section(MetText(flow).blocks),
    ]
  }

  // MARK: - Differences

  private var deviations: [Section] {
    var byNumber: [[Deviation]: [Comparison]] = [:]
    for comparison in report.comparisons {
      if case .deviation(let numbers) = comparison.finding { byNumber[numbers, default: []].append(comparison) }
    }
    return byNumber.sorted { $0.key.map(\.rawValue).lexicographicallyPrecedes($1.key.map(\.rawValue)) }
      .map { numbers, comparisons in
        let title = numbers.map { "\($0.id) \($0.summary)" }.joined(separator: "; ")
        let examples = comparisons.prefix(4).map { Block.paragraph(FlowSection($0).line, first: "  ", indent: 6) }
        let more = comparisons.count > 4 ? [Block.paragraph("and \(comparisons.count - 4) more", first: "  ")] : []
        return Section(
          [.heading("Known deviation \(title): \(counted(comparisons.count, "flow"))")] + examples + more)
      }
  }

  /// Why flows are not asked: one line for each reason, and at most ten.
  private var notAsked: Section {
    let whys = report.comparisons.compactMap { comparison -> String? in
      if case .notModelled(let why) = comparison.finding { "\(why) [\(why.code)]" } else { nil }
    }
    let found = report.survey?.notModelled ?? Dictionary(grouping: whys) { $0 }.mapValues(\.count)
    let counts = found.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    let lines = counts.prefix(10).map { "\($0.key) (\(counted($0.value, "flow")))" }
    let rest = counts.dropFirst(10).reduce(0) { $0 + $1.value }
    return Section(
      (lines + (rest > 0 ? ["for other reasons (\(counted(rest, "flow")))"] : [])).map { .note("Not asked", $0) })
  }

  private var styleWarnings: Section { Section(report.styleWarnings.map { .note("Warning from the style", $0) }) }

  private var failures: [Section] {
    let failures = report.failures
    if failures.isEmpty { return [] }
    let count = report.disagreementCount
    let shown = report.survey == nil ? 20 : 5
    let more =
      count > shown && failures.count > shown ? [Section([.paragraph("and \(grouped(count - shown)) more")])] : []
    let flows = count == 1 ? "1 flow" : "\(grouped(count)) flows"
    return [Section([.heading("DISAGREEMENTS: \(flows)")])] + failures.prefix(shown).map(full) + more
  }

  private var summary: Section {
    let compared = report.comparisons.filter { $0.observed != nil }.count
    let allowed = report.comparisons.filter { $0.observed == .allow }.count
    let unanswered = report.comparisons.filter { $0.observed == .deny && $0.hasNoRoute }.count
    let explained = report.comparisons.filter { if case .deviation = $0.finding { true } else { false } }.count
    let evaluatedAlone = report.comparisons.filter { $0.observed == nil && $0.evaluated != nil }.count
    var text =
      "\(counted(compared, "flow")) tested with real packets in \(report.timings.probe.secondsText): "
      + "\(allowed) allowed, \(compared - allowed - unanswered) denied"
      + (unanswered > 0 ? ", \(unanswered) without an answer. " : ". ")
    let mixed = answers.filter(\.isMixed).count
    if mixed > 0 { text += "\(counted(mixed, "question")) to services had mixed answers. " }
    text += "Oracle, evaluator and kernel: \(counted(report.failures.count, "disagreement"))"
    text += explained > 0 ? ". Known deviations explain \(counted(explained, "difference"))." : "."
    let notModelled = report.comparisons.count { if case .notModelled = $0.finding { true } else { false } }
    if notModelled > 0 { text += " \(counted(notModelled, "flow")) not asked." }
    if evaluatedAlone > 0 { text += " \(counted(evaluatedAlone, "flow")) checked by oracle and evaluator only." }
    return Section(
      (report.hasMatrix ? [.paragraph(text)] : [])
        + [
          .paragraph(
            "Built in \(report.timings.build.secondsText), rules loaded in \(report.timings.load.secondsText).")
        ])
  }
}

extension Comparison {
  /// Whether nobody is where the packet goes.
  fileprivate var hasNoRoute: Bool { if case .noRoute = finding { true } else { false } }
}
