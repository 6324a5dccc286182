public import Documents
internal import Foundation
public import Lowering
internal import NetpolModel
public import Proof
internal import Text

/// The result of a proof: `netpol-lab/prove/v1`, documented in docs/prove.md.
public struct ProofReport {
  let proof: Proof
  let style: EnforcementStyle
  let version: String
  /// Of the smallest counterexamples, the first ones.
  let witnesses: [Witness]
  /// For the first of them: what the kernel did with the packet, in words. `nil`: it was not sent.
  public var observed: String?
  /// What is compared with the specification, if not the style's rules.
  public var subject: String?

  public init(_ proof: Proof, _ style: EnforcementStyle, _ witnesses: [Witness], version: String) {
    self.proof = proof
    self.style = style
    self.witnesses = witnesses
    self.version = version
  }

  public var document: Document {
    Document(
      schema: "netpol-lab/prove/v1",
      facts: [
        Fact("version", version), Fact("style", style.name), Fact("proved", proof.isProved),
        Fact("packets", proof.packets), Fact("classes", proof.classes),
        Fact("differing", differing.map { DifferingObject($0.reasons, $0.one) }),
        Fact("counterexampleCount", proof.counterexamples.count),
        Fact("counterexamples", witnesses.map { CounterexampleObject($0) }), Fact("observed", observed),
        Fact(
          "notCovered",
          Proof.Gap.allCases.compactMap { gap in proof.gaps[gap].map { GapObject(why: gap.rawValue, packets: $0) } }),
      ],
      sections: sections, results: results)
  }

  private var differing: [(reasons: [ProofReason], one: Proof.Differing)] {
    proof.differing.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ($0.key, $0.value) }
  }

  private var sections: [Section] {
    [
      Section([.heading(title)]), Section(differing.flatMap(blocks)), Section(witnessBlocks),
      Section([.paragraph(scope)]),
    ]
  }

  private var title: String {
    let count = "\(Self.power(proof.packets)) packets in \(counted(proof.classes, "class", "classes"))"
    let equal = proof.reasons.map { "\($0.reason.id) (\(grouped($0.classes)))" }.joined(separator: ", ")
    let but = equal.isEmpty ? "equal" : "equal but for \(equal)"
    if proof.isProved { return "proved: \(subject ?? style.name), \(count); \(but)" }
    let found = counted(proof.counterexamples.count, "row")
    return
      "not proved: \(subject ?? style.name), \(count): in \(found) of packets the rules differ and no deviation says why"
  }

  private func blocks(_ reasons: [ProofReason], _ one: Proof.Differing) -> [Block] {
    let name = reasons.map(\.id).joined(separator: "+")
    let text =
      reasons.map(\.summary).joined(separator: "; ") + ". \(counted(one.classes, "class", "classes")), such as "
      + "\(one.example.text)."
    return [
      .paragraph(text, first: name.padding(toLength: max(5, name.count + 1), withPad: " ", startingAt: 0), indent: 5)
    ]
  }

  private var witnessBlocks: [Block] {
    witnesses.enumerated().flatMap { index, witness -> [Block] in
      let one = witness.counterexample
      var blocks: [Block] = [
        .paragraph("\(one.packet.text)", first: index == 0 ? "smallest: " : "also: ", indent: 2),
        .paragraph(
          "\(one.specification.rawValue)"
            + (witness.because.isEmpty ? "" : ": " + witness.because.map(\.text).joined(separator: "; ")),
          first: "  specification: ", indent: 4),
        .paragraph(one.rules.rawValue, first: "  rules: ", indent: 4),
        .paragraph(one.predicted.rawValue, first: "  with all deviations of the style: ", indent: 4),
      ]
      if index == 0, let observed { blocks.append(.paragraph(observed, first: "  kernel: ", indent: 4)) }
      if index == 0 {
        for step in witness.hooks {
          let title = "\(step.hook.rawValue): \(step.isAccepted ? "accepted" : "stopped")"
          blocks.append(.code(Code([title] + step.rules.map { "  \($0)" }, indent: 2)))
        }
      }
      return blocks
    }
  }

  private var scope: String {
    let gaps = Proof.Gap.allCases.compactMap { gap in
      proof.gaps[gap].map { "\(Self.power($0)) packets, since \(gap.rawValue)" }
    }
    return
      "All sources and destinations, TCP, UDP, SCTP, ICMP and other protocols, states NEW, ESTABLISHED, RELATED and INVALID, on each node. "
      + (gaps.isEmpty ? "" : "Not covered: \(gaps.joined(separator: "; ")). ")
      + "Fragments and rate limits are not covered. docs/exactness.md has the argument."
  }

  /// `2^57`
  static func power(_ count: Double) -> String { count < 1 ? "0" : "2^\(Int(log2(count).rounded()))" }
}

extension ProofPacket {
  /// `shop/web-0 (10.42.0.5) -> shop/db-0 (10.42.1.7) TCP/5432, NEW, at node1`
  var text: String {
    let end = { (end: Flow.End) -> String in
      if case .address = end.endpoint { return "\(end.address)" }
      return "\(end.endpoint) (\(end.address))"
    }
    let front = asked.map { $0.port.map($0.address.description(port:)) ?? $0.address.description }
    let to = front.map { "\($0), which becomes \(end(destination))" } ?? end(destination)
    let place =
      switch self.place {
      case .departure: "leaving at \(node)"
      case .arrival: "arriving at \(node)"
      case .side(let direction): "in the pod's own chain on \(node), for \(direction.keyword)"
      }
    return "\(end(source)) -> \(to) \(payload.text), \(state.rawValue), \(place)"
  }
}

private struct PacketObject: Encodable {
  let node, place, from, to, sourceAddress, destinationAddress, what, state: String
  let askedAddress: String?
  let askedPort: UInt16?

  init(_ packet: ProofPacket) {
    node = packet.node
    place =
      switch packet.place {
      case .departure: "departure"
      case .arrival: "arrival"
      case .side(let direction): "\(direction.keyword)Side"
      }
    from = packet.source.endpoint.description
    to = packet.destination.endpoint.description
    sourceAddress = packet.source.address.description
    destinationAddress = packet.destination.address.description
    what =
      switch packet.payload {
      case .transport(let transport, _, let port): "\(transport.rawValue)/\(port)"
      case .icmp(let type): "ICMP/\(type)"
      case .other(let number): "\(number)"
      }
    state = packet.state.rawValue
    askedPort = packet.asked?.port
    askedAddress = packet.asked?.address.description
  }
}

private struct DifferingObject: Encodable {
  let deviations: [String]
  let classes: Int
  let packets: Double
  let example: PacketObject

  init(_ reasons: [ProofReason], _ one: Proof.Differing) {
    deviations = reasons.map(\.id)
    classes = one.classes
    packets = one.packets
    example = PacketObject(one.example)
  }
}

private struct CounterexampleObject: Encodable {
  struct HookObject: Encodable {
    let hook: String
    let accepted: Bool
    let rules: [String]
  }
  let packet: PacketObject
  let rules, specification, withDeviations: String
  let because: [String]
  let trace: [HookObject]

  init(_ witness: Witness) {
    let one = witness.counterexample
    packet = PacketObject(one.packet)
    rules = one.rules.rawValue
    specification = one.specification.rawValue
    withDeviations = one.predicted.rawValue
    because = witness.because.map(\.text)
    trace = witness.hooks.map { step in
      HookObject(
        hook: step.hook.rawValue, accepted: step.isAccepted, rules: step.rules)
    }
  }
}

private struct GapObject: Encodable {
  let why: String
  let packets: Double
}
