internal import Comparison
internal import Evaluator
internal import Kernel
internal import Lowering
internal import NetpolModel
internal import Path
internal import RuleIR

/// One flow for a person: what each engine said, and the rules that decided.
struct FlowText {
  private let comparison: Comparison
  private let enforced: EnforcedCluster
  private let observed: Observation?
  private let width: Int

  init(_ comparison: Comparison, _ enforced: EnforcedCluster, observed: Observation?, width: Int) {
    self.comparison = comparison
    self.enforced = enforced
    self.observed = observed
    self.width = width
  }

  /// `a -> b TCP/80: specified deny, enforced allow`.
  var line: String {
    let flow = comparison.flow
    return "\(flow.source) -> \(flow.destination) \(TransportPort(flow.transport, flow.port)): specified "
      + "\(comparison.specified.verdict.rawValue), enforced \(comparison.verdict?.rawValue ?? "nothing")"
  }

  /// A rule's text is a line of its own and never broken: it is there to be copied.
  var full: String {
    let walk = enforced.walk(comparison.flow)
    var lines = wrapped("\(comparison.flow): \(headline)", width: width, indent: 4)
    lines += entry(
      "oracle",
      "\(comparison.specified.verdict.rawValue): "
        + comparison.specified.because.map(\.text).joined(separator: "; "))
    lines += entry("evaluator", "\(comparison.evaluated?.rawValue ?? "no way"): \(endText(walk))")
    // Of a packet that nobody changes the evaluator's line says it all.
    if walk.path.contains(where: \.isTranslation) {
      for step in walk.path { lines += entry("path", step.text) }
    }
    lines += entry("kernel", observedText)
    for rule in enforced.decidingRules(walk, comparison.flow.family) {
      let origin = rule.originText.isEmpty ? "" : " \(rule.originText)"
      lines += entry("rule", "\(rule.node) \(rule.chain) #\(rule.number)\(origin):")
      lines.append(String(repeating: " ", count: Self.margin) + rule.text)
    }
    return lines.joined(separator: "\n")
  }

  private static let margin = 13

  private func entry(_ name: String, _ text: String) -> [String] {
    let label = "  \(name)"
    let first = label + String(repeating: " ", count: max(1, Self.margin - label.count))
    return wrapped(text, width: width, first: first, indent: Self.margin)
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
        // Nobody is told of a packet to a group (RFC 1122, 3.2.2).
        case .reject? where comparison.flow.destinationAddress.isMulticast: "rejected without a word"
        case .reject(.portUnreachable)?: "rejected (ICMP port unreachable)"
        case .reject(.tcpReset)?: "rejected (TCP reset)"
        case .drop?: "dropped"
        case .accept?, nil: "stopped"
        }
      return "\(way)\(how) at \(position)"
    case .noRoute(let why): return why
    }
  }
}
