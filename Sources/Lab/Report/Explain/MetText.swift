internal import Documents
internal import Enforcement
internal import NetpolModel
internal import Run
internal import StandingLab
internal import Verdicts

/// What a flow's packet met, hook by hook and rule by rule.
struct MetText {
  private let flow: ExplainedFlow

  init(_ flow: ExplainedFlow) { self.flow = flow }

  var blocks: [Block] { [.heading("What the packet met, \(source)")] + flow.record.hooks.flatMap(hook) + differences }

  private var source: String {
    switch flow.trace {
    case .kernel(_, let differences):
      differences.isEmpty ? "by the kernel's own trace" : "by the evaluator; the kernel's own trace differs"
    case .none(let why): "by the evaluator alone: \(why.text) [\(why.code)]"
    }
  }

  private func hook(_ hook: PacketRecord.AtHook) -> [Block] {
    let packet = hook.before
    var text = "\(hook.position): \(packet.way), \(packet.state.rawValue), mark \(packet.mark.hexText)"
    if hook.before.destination != hook.after.destination || hook.before.port != hook.after.port {
      text += "; translated to \(hook.after.destination.description(port: hook.after.port))"
    }
    if hook.before.source != hook.after.source { text += "; leaves with source \(hook.after.source)" }
    switch hook.stop {
    case .dropped?: text += "; dropped"
    case .portUnreachable?: text += "; rejected (ICMP port unreachable)"
    case .tcpReset?: text += "; rejected (TCP reset)"
    case nil: break
    }
    return [.paragraph(text, first: "  ", indent: 4)]
      + hook.rules.flatMap { met -> [Block] in
        let origin = met.rule.originText.isEmpty ? "" : " \(met.rule.originText)"
        let line = "\(met.decides ? "*" : " ") \(met.table) \(met.rule.chain) #\(met.rule.number)\(origin)"
        return [.paragraph(line, first: "    ", indent: 8), .code(met.rule.text, indent: 8)]
      }
  }

  private var differences: [Block] {
    guard case .kernel(_, let differences) = flow.trace else { return [] }
    return differences.flatMap { one -> [Block] in
      [
        .note("Kernel and evaluator met different rules", "on \(one.machine), from here on:"),
        .paragraph(one.kernel.abridged(to: 6), first: "    kernel     ", indent: 15),
        .paragraph(one.evaluator.abridged(to: 6), first: "    evaluator  ", indent: 15),
      ]
    }
  }
}

extension Packet {
  /// `10.42.0.2 -> 10.42.1.2:5432`.
  fileprivate var way: String { "\(source) -> \(port == 0 ? "\(destination)" : destination.description(port: port))" }
  var port: UInt16 { if case .transport(_, _, let port) = payload { port } else { 0 } }
}

extension UInt32 {
  /// `0x20000`.
  var hexText: String { "0x" + String(self, radix: 16) }
}

extension ExplainedFlow.Untraced {
  /// A clause for users.
  var text: String {
    switch self {
    case .notSent: "no packet was sent"
    case .group: "packets to a group are not traced"
    case .busy: "the machine was too busy, and messages of the kernel's trace were lost"
    case .unwanted: "no packet was wanted"
    case .noLab(let why): "this machine can't send packets: \(why)"
    }
  }
}
