internal import Documents
internal import Enforcement
internal import EngineComparison
internal import Lowering
internal import NetpolModel
internal import Path
internal import Text

/// One flow as text: what each engine says, and the rules that decided.
struct FlowSection {
  private let comparison: Comparison
  /// Whether the section has the path and the rules that decided.
  private let tellsRules: Bool

  init(_ comparison: Comparison, tellsRules: Bool = true) {
    self.comparison = comparison
    self.tellsRules = tellsRules
  }

  /// `a -> b TCP/80: specified denied, enforced allowed`.
  var line: String {
    let flow = comparison.flow
    let way = flow.chosen.map { " by \($0.description)" } ?? ""
    return "\(flow.source) -> \(flow.destination) \(flow.question)\(way): specified "
      + "\(comparison.specified?.verdict.rawValue ?? "nothing"), enforced \(comparison.verdict?.rawValue ?? "nothing")"
  }

  /// The flow and its verdict.
  var title: String { "\(comparison.flow): \(headline)" }

  /// A rule's text is code, so that it can be copied.
  var section: Section {
    let journey = comparison.journey
    var blocks = [Block.paragraph(title, indent: 4)]
    // No engine has an answer, for example because nobody has one of the addresses.
    if comparison.specified == nil, comparison.verdict == nil { return Section(blocks) }
    blocks.append(
      entry(
        "oracle",
        comparison.specified.map {
          "\($0.verdict.rawValue): \($0.because.map { "\($0.text) [\($0.code)]" }.joined(separator: "; "))"
        }
          ?? "the specification says nothing about ICMP (D5)"))
    blocks.append(entry("evaluator", "\(comparison.evaluated?.rawValue ?? PacketOutcome.noRoute.text): \(endText)"))
    // If nothing changes the packet, nor could have, the evaluator's line is enough.
    if journey.steps.contains(where: \.isTranslation) || isToService {
      blocks += journey.steps.map { entry("path", $0.text) }
    }
    blocks.append(entry("kernel", observedText))
    if !tellsRules { return Section(blocks) }
    for rule in journey.deciding {
      let origin = rule.originText.isEmpty ? "" : " \(rule.originText)"
      blocks.append(entry("rule", "\(rule.machine) \(rule.chain) #\(rule.number)\(origin):"))
      blocks.append(.code(rule.text, indent: Self.margin))
    }
    return Section(blocks)
  }

  private static let margin = 13

  /// Whether the flow goes to a service, also if a policy stops it before it is translated.
  private var isToService: Bool {
    (comparison.specified?.because ?? []).contains { reason in
      switch reason {
      case .translated, .notYetTranslated, .outOfSourceRanges, .noEndpoints, .noLocalEndpoints, .unservedClusterIP,
        .unallocatedClusterIP, .localDNS, .forwarded, .outOfForwardRanges, .forwardingLoop:
        true
      case .sameEndpoint, .ownNode, .notIsolated, .admitted, .isolated, .hostNetworkPeer, .unserved: false
      }
    }
  }

  private func entry(_ name: String, _ text: String) -> Block {
    let label = "  \(name)"
    let first = label + String(repeating: " ", count: max(1, Self.margin - label.count))
    return .paragraph(text, first: first, indent: Self.margin)
  }

  /// `ALLOWED, but `; empty if no packet tells.
  private var verdict: String {
    comparison.verdict.map { $0 == .allow ? "ALLOWED, but " : "DENIED, but " } ?? ""
  }

  /// `DENIED`, with a finding or a known deviation in words.
  var headline: String {
    switch comparison.finding {
    case .agreement: comparison.verdict == .allow ? "ALLOWED" : "DENIED"
    case .deviation(let deviations):
      "\(comparison.verdict == .allow ? "ALLOWED" : "DENIED"), a known deviation: "
        + deviations.map { "\($0.id) \($0.summary)" }.joined(separator: "; ")
    case .kernelDisagrees: "\(verdict)the kernel does not do what the evaluator computes from the rules"
    case .unexplained: "\(verdict)the rules differ from the specification, and no known deviation explains it"
    case .deviationMissing(let deviations):
      "\(verdict)\(deviations.map(\.id).joined(separator: ", ")) predicted here, but the rules don't deviate"
    case .undecided(let why): "undecided: \(why) [\(Code.undecided)]"
    case .notModelled(let why): "not asked: \(why) [\(why.code)]"
    case .notChosen: "the service never chooses this endpoint"
    case .noRoute(let why):
      comparison.observation == nil ? "not asked: \(why) [\(why.code)]" : "no answer: \(silence(why)) [\(why.code)]"
    }
  }

  /// Why a packet was sent, and reached nobody.
  private func silence(_ why: NoRoute) -> String {
    switch (comparison.flow.destination, comparison.flow.question) {
    case (.service, .echo), (.virtualAddress, .echo):
      return "kube-proxy answers no ping to a Service's address; ping a pod behind it"
    case (.service, .port), (.virtualAddress, .port), (.node, _):
      for case .translated(let intermediary, .address(let address), _, _) in comparison.specified?.because ?? [] {
        return "\(intermediary) leads to \(address), which nobody has; if that is a host outside the cluster, "
          + "add it to externalHosts of a Cluster document"
      }
      return "\(why)"
    case (.pod, _), (.external, _), (.address, _): return "\(why)"
    }
  }

  private var observedText: String {
    let outcome = comparison.outcome.text
    return switch comparison.observation {
    // Nobody is there: neither a rule nor a listener denies it.
    case .refused(let refusal) where comparison.outcome == .noRoute: "\(outcome) (\(refusal))"
    case .silent(let duration) where comparison.outcome == .noRoute:
      "\(outcome) (nothing came back within \(duration.secondsText))"
    case .delivered: "\(Verdict.allow.rawValue): \(outcome)"
    case .refused(let refusal): "\(Verdict.deny.rawValue): \(outcome) (\(refusal))"
    case .silent(let duration):
      "\(Verdict.deny.rawValue): \(outcome) (nothing came back within \(duration.secondsText))"
    case .elsewhere(let endpoint): "\(outcome): connection tracking shows that it went to \(endpoint)"
    case .unusable(let why): "\(outcome): \(why)"
    case nil: "not asked"
    }
  }

  private var endText: String {
    let journey = comparison.journey
    let hops = journey.hops.filter { [.input, .forward, .output].contains($0.hook) }.map(\.description)
    let way = hops.isEmpty ? "" : hops.joined(separator: ", ") + ", "
    switch journey.end {
    case .delivered(let endpoint): return "\(way)delivered to \(endpoint)"
    case .stopped(let position):
      let how =
        switch journey.stop {
        // Nobody is notified about a packet to a group (RFC 1122, 3.2.2).
        case .portUnreachable? where comparison.flow.destinationAddress.isMulticast,
          .tcpReset? where comparison.flow.destinationAddress.isMulticast:
          "rejected without an answer"
        case .portUnreachable?: "rejected (ICMP port unreachable)"
        case .tcpReset?: "rejected (TCP reset)"
        case .dropped?: "dropped"
        case nil: "stopped"
        }
      return "\(way)\(how) at \(position)"
    case .noRoute(let why): return "\(why)"
    }
  }
}
