internal import Documents
internal import EngineComparison
internal import Lowering
internal import NetpolModel
internal import PolicyDiff
internal import Remedies
internal import Run
internal import Text

/// What would turn a flow's verdict, as text.
struct AdviceText {
  private let advice: Advice
  private let report: RunReport
  private let parts: [PartExplanation]
  /// Rows of other flows that are listed for one change.
  private static let mostRows = 12

  /// `nil` if there is nothing to say.
  init?(_ flow: ExplainedFlow, _ report: RunReport) {
    guard let advice = flow.advice else { return nil }
    self.advice = advice
    self.report = report
    parts = flow.parts
  }

  var blocks: [Block] {
    switch advice {
    case .allowing(let remedies, let others):
      return remedies.enumerated().flatMap { allowing($1, $0, of: remedies.count) } + more(others)
    case .closing(let remedies, let others):
      if remedies.isEmpty { return [.note("To stop it", noClosing, indent: 2)] }
      return remedies.flatMap(closing) + more(others)
    case .hopeless(let why): return [.paragraph("No change of policies or labels \(Self.text(why))", indent: 2)]
    case .notSought(let pods):
      return [
        .note("Smallest change", "not looked for among \(grouped(pods)) pods; --fix does so all the same", indent: 2)
      ]
    }
  }

  private func more(_ others: Int) -> [Block] {
    if others == 0 { return [] }
    let what =
      others == 1 ? "one other change does it with as few edits" : "\(others) other changes do it with as few edits"
    return [.paragraph("\(what); --fix shows them", first: "  ", indent: 4)]
  }

  // MARK: - A refused flow

  private func allowing(_ checked: CheckedRemedy, _ index: Int, of count: Int) -> [Block] {
    let edits = EditText(report.cluster)
    let label = count == 1 ? "Smallest change" : "Change \(index + 1) of \(count)"
    let text = checked.remedy.edits.map(edits.text).joined(separator: "; and ")
    var blocks: [Block] = [.note(label, text, indent: 2)]
    blocks += Self.patch(checked.files)
    blocks.append(.paragraph(verdict(checked), first: "  With it: ", indent: 11))
    if !checked.unchanged.isEmpty {
      let flows = checked.unchanged.map(\.description).abridged(to: 2)
      blocks.append(.paragraph("of the flows with the same answer it leaves \(flows) refused", first: "  ", indent: 4))
    }
    return blocks + others(checked.remedy, isOpened: true) + others(checked.remedy, isOpened: false)
  }

  /// The node's address with which the packet arrives, if a node replaces the sender's. It stands for all such senders.
  private var replacement: IPAddress? {
    guard let part = parts.last, part.unmasqueraded != nil,
      part.sides.contains(where: { $0.direction == .ingress && $0.verdict == .deny })
    else { return nil }
    return part.arrived.sourceAddress
  }

  /// What keeps the senders' own addresses.
  private var localPolicy: String {
    guard case .service(let id)? = parts.last?.intermediary, let service = report.cluster.service(id),
      service.externalTrafficPolicy == .cluster,
      parts.last.map({ !service.clusterIPs.contains($0.asked.destinationAddress) }) == true
    else { return "" }
    return "; with externalTrafficPolicy: Local, service \(id) keeps their own addresses"
  }

  static func patch(_ files: [FileChange]) -> [Block] {
    if !files.isEmpty {
      return files.map { .code(Code(LineDiff($0.before, $0.after).unified($0.name), indent: 4)) }
    }
    return [
      .paragraph("no patch: the files are written in a way that leaves no safe place for it", first: "  ", indent: 4)
    ]
  }

  /// What packet, evaluator and specification say after the change.
  private func verdict(_ checked: CheckedRemedy) -> String {
    let after = checked.after
    let by = after.observation == nil ? "by specification and rules, no packet sent" : after.outcome.text
    let word = after.verdict.map { $0 == .allow ? "ALLOWED" : "DENIED" } ?? "no verdict"
    switch after.finding {
    case .deviation(let deviations):
      return
        "\(word) (\(by)), a known deviation: \(deviations.map { "\($0.id) \($0.summary)" }.joined(separator: "; "))"
    case .agreement: return "\(word) (\(by))"
    case .noRoute(let why): return "no verdict: \(why)"
    case .kernelDisagrees, .unexplained, .deviationMissing, .undecided, .notChosen, .notModelled:
      return "\(word) (\(by)), which is not what was computed"
    }
  }

  /// The other flows that a change opens or closes, each kind once.
  private func others(_ remedy: Remedy, isOpened: Bool) -> [Block] {
    let rows = remedy.otherRows.filter { $0.isOpened == isOpened }
    let count = isOpened ? remedy.cost.opened : remedy.cost.closed
    let names = EndNames(remedy.difference)
    if isOpened, let replacement {
      return [
        .paragraph(
          "opens the port to every sender whose packets a node sends on as \(replacement)\(localPolicy)", first: "  ",
          indent: 4)
      ] + lines(rows, "It also opens", "+", names)
    }
    if count == 0 || rows.isEmpty {
      return isOpened ? [.paragraph("opens no other flow", first: "  ", indent: 4)] : []
    }
    return isOpened ? lines(rows, "It also opens", "+", names) : lines(rows, "It closes", "-", names)
  }

  private func lines(_ rows: [DifferenceRow], _ verb: String, _ sign: String, _ names: EndNames) -> [Block] {
    if rows.isEmpty { return [] }
    let lines = rows.prefix(Self.mostRows).map { row in
      Block.paragraph(names.text(of: row), first: "    \(sign) ", indent: 8)
    }
    let rest = rows.count - Self.mostRows
    return [.paragraph("\(verb):", first: "  ", indent: 4)] + lines
      + (rest > 0 ? [.paragraph("and \(rest) more; -o json has all", first: "    ", indent: 4)] : [])
  }

  // MARK: - An allowed flow

  private func closing(_ checked: CheckedRemedy) -> [Block] {
    let text = checked.remedy.edits.map(EditText(report.cluster).text).joined(separator: "; and ")
    let rows = checked.remedy.otherRows
    let also = rows.isEmpty ? "; nothing else closes" : ""
    return [
      .note("To stop it", "\(text)\(also)", indent: 2), .paragraph(verdict(checked), first: "  With it: ", indent: 11),
    ] + others(checked.remedy, isOpened: false)
      + (checked.remedy.cost.opened > 0 ? others(checked.remedy, isOpened: true) : [])
  }

  private var noClosing: String {
    let all = parts.flatMap(\.sides)
    let sides = all.filter { $0.standing == .isolated }
    if sides.isEmpty {
      for side in all {
        switch side.standing {
        case .ownNode(let node): return "no policy does: \(node) is the pod's own node, which can always reach it (D6)"
        case .hostNetwork where side.direction == .ingress:
          return "no policy does: none applies to \(side.subject.endpoint), which is on its node's network"
        case .notAPod where side.direction == .ingress:
          return "no policy does: none applies to \(side.subject.endpoint), which is no pod"
        case .notAPod, .hostNetwork, .notIsolated, .isolated: break
        }
      }
      if all.first?.flow.question == .echo {
        return "no policy isolates either end; kube-router lets pings pass even where one does (D5)"
      }
      return "no policy isolates either end, so nothing admits it; a new policy that isolates one would stop it"
    }
    let admitting = sides.map { side in
      let rules = side.policies.filter { $0.standing == .inForce }.flatMap { policy in
        policy.rules.filter(\.admits).map { "\(policy.policy.id) \(side.direction.keyword) rule \($0.index)" }
      }
      return rules.sorted().abridged(to: 4)
    }
    return "no single removal does: it is admitted by \(admitting.joined(separator: "; and by "))"
  }

  // MARK: - No help

  static func text(_ why: Advice.Hopeless) -> String {
    switch why {
    case .noRoute(let why): return "helps: \(why)"
    case .notModelled(let why): return "is looked for: \(why)"
    case .refused(let reasons):
      let told = reasons.map(\.text).joined(separator: "; ")
      return "helps: \(told.isEmpty ? "something else refuses it" : told)"
    case .deviation(let deviations, let verdict):
      let told = deviations.map { "\($0.id) \($0.summary)" }.joined(separator: "; ")
      let policies = verdict == .allow ? "deny it already" : "allow it already"
      return "is looked for: by the specification the policies \(policies); the enforcer deviates: \(told)"
    case .nothingFound: return "was found that helps"
    }
  }
}
