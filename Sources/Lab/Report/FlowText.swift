internal import Comparison
internal import Evaluator
internal import Kernel
internal import Lowering
internal import NetpolModel
internal import Path
internal import Rendering
internal import RuleIR

/// One flow for a person: what each engine said, and the rules that decided.
struct FlowText {
  private let comparison: Comparison
  private let enforced: EnforcedCluster
  private let observed: Observation?

  init(_ comparison: Comparison, _ enforced: EnforcedCluster, observed: Observation?) {
    self.comparison = comparison
    self.enforced = enforced
    self.observed = observed
  }

  /// `a -> b TCP/80: specified deny, enforced allow`.
  var line: String {
    let flow = comparison.flow
    return "\(flow.source) -> \(flow.destination) \(TransportPort(flow.transport, flow.port)): specified "
      + "\(comparison.specified.verdict.rawValue), enforced \(comparison.verdict?.rawValue ?? "nothing")"
  }

  var full: String {
    let walk = enforced.walk(comparison.flow)
    var lines = ["\(comparison.flow): \(headline)"]
    lines.append(
      "  oracle     \(comparison.specified.verdict.rawValue): "
        + comparison.specified.because.map(reasonText).joined(separator: "; "))
    lines.append("  evaluator  \(comparison.evaluated?.rawValue ?? "no way"): \(endText(walk))")
    lines.append("  kernel     \(observedText)")
    lines += decidingLines(walk)
    return lines.joined(separator: "\n")
  }

  private var headline: String {
    switch comparison.finding {
    case .agreement: comparison.verdict == .allow ? "ALLOWED" : "DENIED"
    case .deviation(let deviations):
      "\(comparison.verdict == .allow ? "ALLOWED" : "DENIED"), a known deviation: "
        + deviations.map { "\($0.id) \($0.summary)" }.joined(separator: "; ")
    case .kernelDisagrees: "the kernel does not do what the rules say in the evaluator"
    case .unexplained: "the rules differ from the specification, and no known deviation says so"
    case .deviationMissing(let deviations):
      "\(deviations.map(\.id).joined(separator: ", ")) should show here and does not"
    case .undecided(let why): "undecided: \(why)"
    case .noRoute(let why): "not asked: \(why)"
    }
  }

  private var observedText: String {
    switch observed {
    case .delivered: "allow: delivered"
    case .refused(let refusal): "deny: refused (\(refusal))"
    case .silent(let duration): "deny: nothing came back within \(duration.secondsText)"
    case .unusable(let why): "unusable: \(why)"
    case nil: "not asked"
    }
  }

  private func endText(_ walk: EvaluatedWalk) -> String {
    let hops = walk.walk.positions.filter { [.input, .forward, .output].contains($0.hook) }.map(\.description)
    let way = hops.isEmpty ? "" : hops.joined(separator: ", ") + ", "
    switch walk.walk.end {
    case .delivered(let endpoint): return "\(way)delivered to \(endpoint)"
    case .stopped(let position):
      let how =
        switch walk.stop {
        case .reject(.portUnreachable)?: "rejected (ICMP port unreachable)"
        case .reject(.tcpReset)?: "rejected (TCP reset)"
        case .drop?: "dropped"
        case .accept?, nil: "stopped"
        }
      return "\(way)\(how) at \(position)"
    case .noRoute(let why): return why
    }
  }

  private func reasonText(_ reason: Reason) -> String {
    switch reason {
    case .sameEndpoint: "a pod reaches itself"
    case .ownNode: "the pod's own node may always reach it"
    case .notIsolated(let direction): "no policy isolates the \(endText(direction)) for \(direction.keyword)"
    case .admitted(let direction, let policy, let rule, let peer):
      "\(policy) admits it by \(direction.keyword) rule \(rule)" + (peer.map { ", peer \($0)" } ?? "")
    case .isolated(let direction, let policies):
      "the \(endText(direction)) is isolated for \(direction.keyword) by "
        + "\(policies.map(\.description).joined(separator: ", ")), and no rule of theirs admits it"
    }
  }

  private func endText(_ direction: Direction) -> String { direction == .egress ? "source" : "destination" }

  private func decidingLines(_ walk: EvaluatedWalk) -> [String] {
    walk.deciding.flatMap { position, step -> [String] in
      let text = (try? iptablesRuleText(step.rule, comparison.flow.family)) ?? "\(step.rule.statements)"
      return [
        "  rule       \(position.node) \(step.chain) #\(step.index + 1)\(originText(step.rule.origin)):",
        "            \(text)",
      ]
    }
  }

  private func originText(_ origin: Origin?) -> String {
    guard let origin else { return "" }
    var parts: [String] = []
    if let policy = origin.policy {
      parts.append("policy \(policy)")
      if let direction = origin.direction, let rule = origin.rule { parts.append("\(direction.keyword) rule \(rule)") }
    } else if let pod = origin.pod {
      parts.append("chain of pod \(pod)")
    }
    if let location = origin.location { parts.append("\(location)") }
    return parts.isEmpty ? "" : " (\(parts.joined(separator: ", ")))"
  }
}
