internal import Algorithms
internal import Documents
internal import Enforcement
internal import EngineComparison
internal import Lowering
internal import NetpolModel
internal import Run
internal import Text
internal import Verdicts

/// A run by class: findings first, then what was done, then who reaches whom.
struct SurveySections {
  private let report: RunReport
  private let survey: SurveyResult
  private let view: GridView

  init(_ report: RunReport, _ survey: SurveyResult) {
    self.report = report
    self.survey = survey
    view = GridView(survey.grid, report.view)
  }

  var findings: [Section] { mixed + deviations + [unreached] }

  /// What the reader needs to know first, in one paragraph.
  var result: Section {
    let count = report.disagreementCount
    var parts = [
      count == 0
        ? "No disagreement: the rules and the kernel do what the policies say"
          + (survey.tally.deviating > 0
            ? ", but for \(flows(survey.tally.deviating)) of known deviations." : ".")
        : "\(counted(count, "disagreement")): see below."
    ]
    let missed = report.expectations.filter { !$0.isAsExpected }
    if !missed.isEmpty { parts.append("\(counted(missed.count, "group")) of expectations MISSED.") }
    let services = mixedTargets.count
    if services > 0 {
      parts.append(
        "\(counted(services, "set of endpoints", "sets of endpoints")) of services answer some clients only in part: "
          + "whether a connection succeeds depends on the endpoint that it gets.")
    }
    return Section([.paragraph(parts.joined(separator: " "), first: "Result: ", indent: 8)])
  }

  private func flows(_ count: Int) -> String { count == 1 ? "1 flow" : "\(grouped(count)) flows" }

  private struct Target: Hashable {
    let question: Flow.Question
    let endpoints: [String]
  }

  /// By port and set of endpoints, whatever addresses lead to them.
  private var mixedTargets: [Target: [SurveyResult.Mixed]] {
    Dictionary(grouping: survey.mixed) { mixed in
      Target(
        question: mixed.comparisons[0].flow.question,
        endpoints: mixed.comparisons.compactMap { $0.flow.chosen?.description }.sorted())
    }
  }

  /// One entry for the policies that refuse, by their names without namespaces: what many namespaces have in common is
  /// one cause.
  private var mixed: [Section] {
    if survey.mixed.isEmpty { return [] }
    let targets = mixedTargets
    let byCause = Dictionary(grouping: targets) { one in
      Set(
        one.value.flatMap(\.comparisons).flatMap(\.refusingPolicies).map {
          $0.split(separator: "/").last.map(String.init) ?? $0
        }
      )
      .sorted()
    }.sorted { ($1.value.count, $0.key.joined()) < ($0.value.count, $1.key.joined()) }
    let entries = byCause.prefix(Self.examples).flatMap { cause, targets -> [Block] in
      let by = cause.isEmpty ? "" : ", refused by \(cause.abridged(to: 3))"
      let worst = targets.max {
        (senders($0.value), $1.key.endpoints.joined()) < (senders($1.value), $0.key.endpoints.joined())
      }
      return [
        .paragraph(
          "\(counted(targets.count, "set of endpoints", "sets of endpoints"))\(by). "
            + (worst.map { entry($0.key, $0.value) } ?? ""),
          first: "  ", indent: 6)
      ]
    }
    return [
      Section(
        [.heading("Mixed answers of services: \(counted(targets.count, "set of endpoints", "sets of endpoints"))")]
          + entries + more(byCause.count) + hint
          + [.paragraph("All of them: -o json, under mixed.", indent: 2)])
    ]
  }

  /// What is behind most mixed answers: an ingress controller on the host network, or a NodePort.
  private var hint: [Block] {
    let onNodes = Set(survey.grid.workloads.lazy.filter(\.isOnNodeNetwork).flatMap(\.members))
    let fromNodes = survey.mixed.count { mixed in
      let sender = mixed.comparisons[0].flow.source
      if case .node = sender { return true }
      return onNodes.contains(sender)
    }
    if fromNodes == 0 { return [] }
    return [
      .paragraph(
        "In \(grouped(fromNodes)) of \(grouped(survey.mixed.count)) cases (a client workload, an address and a port) the client "
          + "is on a node's network: a node, or a host-network pod. No podSelector selects them, and only pods of their own node let them in (D6, D7). To admit them everywhere, "
          + "name the nodes' addresses in an ipBlock.",
        first: "  ", indent: 2)
    ]
  }

  /// Of the addresses that lead to the endpoints, the one that refuses the most senders counts: the others' senders are
  /// the same.
  private func senders(_ all: [SurveyResult.Mixed]) -> Int {
    Dictionary(grouping: all) { mixed in
      let flow = mixed.comparisons[0].flow
      return "\(flow.destination) \(flow.destinationAddress)"
    }.values.map { some in some.reduce(0) { $0 + $1.senders } }.max() ?? 0
  }

  /// `For example service/shop/web (at node/node1 TCP/30080): some of its 4 endpoints refuse 12 senders: shop/web-1 …`
  private func entry(_ target: Target, _ all: [SurveyResult.Mixed]) -> String {
    let places = Array(all.map { $0.comparisons[0].flow.destination.description }.uniqued())
    let services = all.flatMap(\.comparisons).compactMap(\.service).uniqued().map(\.self)
    let others = services.filter { !places.contains($0) }
    let names = others.isEmpty ? "" : "\(others.abridged(to: 2)), at "
    let families = report.cluster.families.count > 1 ? " (\(all[0].comparisons[0].flow.family.rawValue))" : ""
    return "For example \(names)\(places.abridged(to: 2)) \(target.question)\(families): some of "
      + "\(target.endpoints.count) endpoints refuse \(counted(senders(all), "sender")). "
      + (all.max { $0.senders < $1.senders }.map(example) ?? "")
  }

  /// `Of shop/web-1 3 of 4 refuse, such as 10.42.1.7:80 by pay/deny.`
  private func example(_ mixed: SurveyResult.Mixed) -> String {
    let refusals = mixed.comparisons.filter { $0.answer == .deny }
    guard let first = refusals.first else { return "" }
    let policies = first.refusingPolicies.abridged(to: 2)
    return "For \(first.flow.source) \(refusals.count) of \(mixed.comparisons.count) refuse, such as "
      + "\(first.flow.chosen?.description ?? "")" + (policies.isEmpty ? "." : ", by \(policies).")
  }

  private static let examples = 4
  private func more(_ count: Int) -> [Block] {
    count > Self.examples ? [.paragraph("and \(grouped(count - Self.examples)) more", first: "  ")] : []
  }

  /// One section for each set of deviations, the most flows first.
  private var deviations: [Section] {
    var found: [[Deviation]: [SurveyResult.Found]] = [:]
    for one in survey.found {
      if case .deviation(let numbers) = one.comparison.finding { found[numbers, default: []].append(one) }
    }
    let total = { (found: [SurveyResult.Found]) in found.reduce(0) { $0 + $1.count } }
    return found.map { (numbers: $0, found: $1) }.sorted {
      (total($1.found), $0.numbers.map(\.id).joined()) < (total($0.found), $1.numbers.map(\.id).joined())
    }.map { numbers, found in
      let title = numbers.map { "\($0.id) \($0.summary)" }.joined(separator: "; ")
      let count = total(found)
      // Flows that differ only in their nodes are told together.
      let kinds = Dictionary(grouping: found) { one in
        let flow = one.comparison.flow
        let verdict = one.comparison.evaluated == .allow ? "allowed" : "denied"
        let service =
          one.comparison.service.map { name in
            flow.destination.description == name ? "" : " (through \(name))"
          } ?? ""
        return
          "\(survey.grid.name(flow.source)) -> \(survey.grid.name(flow.destination))\(service) \(flow.question): \(verdict)"
      }.map {
        (
          text: $0, count: total($1),
          example: $1.map { "\($0.comparison.flow.source) -> \($0.comparison.flow.destination)" }.min()
        )
      }
      .sorted { ($1.count, $0.text) < ($0.count, $1.text) }
      let lines = kinds.prefix(Self.examples).map { kind -> Block in
        let many = kind.count > 1 ? " (\(grouped(kind.count)) flows like \(kind.example ?? ""))" : ""
        return .paragraph(kind.text + many, first: "  ", indent: 6)
      }
      return Section(
        [.heading("Known deviation \(title): \(count == 1 ? "1 flow" : "\(grouped(count)) flows")")] + lines
          + more(kinds.count))
    }
  }

  private var unreached: Section {
    let names = survey.grid.unreached
    if names.isEmpty { return Section([]) }
    return Section([
      .paragraph(
        "No pod reaches \(names.abridged(to: report.view.isFull ? .max : 8)) on any port that was asked."
          + (names.count > 8 && !report.view.isFull ? " --full lists all." : ""), indent: 2)
    ])
  }

  var summary: Section {
    let tally = survey.tally
    let sent = report.comparisons.filter { $0.observed != nil }.count
    var text = "\(grouped(tally.total)) flows in \(grouped(survey.classCount)) classes: "
    text += "\(grouped(tally.allowed)) allowed, \(grouped(tally.denied)) denied"
    text += tally.unanswered > 0 ? ", \(grouped(tally.unanswered)) without an answer. " : ". "
    let chosen = report.survey?.chosenCount ?? sent
    text += "\(grouped(sent)) \(sent == 1 ? "packet" : "packets") sent in \(report.timings.probe.secondsText), "
    text +=
      report.plan.flows.count < chosen
      ? "of \(grouped(chosen)) that would show every kind of class. " : "at least one for each kind of class. "
    text += "Oracle, evaluator and kernel: \(counted(report.disagreementCount, "disagreement"))"
    let deviating = grouped(tally.deviating)
    text +=
      tally.deviating == 0
      ? "."
      : report.strict
        ? ", of which \(deviating) are known deviations." : ". Known deviations explain \(deviating) flows."
    return Section(
      [.paragraph(text)] + unsent + [
        .paragraph(
          "Built in \(report.timings.build.secondsText), rules loaded in \(report.timings.load.secondsText).")
      ])
  }

  /// Nothing is claimed of these: `prove` compares them with the specification.
  private var unsent: [Block] {
    guard let first = report.unsent.first else { return [] }
    let counts = report.unsent.map { "\(grouped($0.passed)) of \($0.kind.rawValue)" }.joined(separator: ", ")
    return [
      .paragraph(
        "Evaluator only, not sent: \(grouped(first.passed + first.dropped)) packets between the same ends, of each other "
          + "state and of another protocol. Of these pass: \(counts). netpol-lab prove compares all such packets with the "
          + "specification.")
    ]
  }

  var grid: Section { view.section }
}

extension Comparison {
  /// The service that the packet goes through, by the specification.
  fileprivate var service: String? {
    for case .translated(.service(let id), _, _, _) in specified?.because ?? [] { return "service/\(id)" }
    return nil
  }
}
