internal import NetpolModel
internal import RuleIR

/// The rules of one table: the same on every node and whatever the policies are, but for default-deny.
///
/// The mark is what the rules remember a packet by. Behind them it is zero, or what kube-proxy had set.
struct CompiledChains {
  private static let fromPod = "from-pod"
  private static let toPod = "to-pod"
  private static let masqueraded = "masqueraded"
  private static let stranger = "stranger"
  private static let refuse = "refuse"

  /// kube-proxy's mark on what it masquerades in POSTROUTING, behind these rules (`--iptables-masquerade-bit` 14).
  private static let masquerade = Mark(0x4000, mask: 0x4000)
  private static let unmarked = Statement.setMark(Mark(0, mask: .max))

  let family: IPFamily
  /// Networks of the node in which whoever is no known pod is refused.
  let refusing: [CIDR]

  init(family: IPFamily, refusing: [CIDR]) {
    self.family = family
    self.refusing = refusing
  }

  var all: [Chain] {
    let strangers = refusing.isEmpty ? [] : [strangerChain]
    return [directionChain(.egress), directionChain(.ingress), refuseChain, masqueradedChain] + strangers
      + [forwardChain, inputChain]
  }

  // What a node sends to its own pods is allowed, and what others forward to them passes here: OUTPUT has no rules.

  private var forwardChain: Chain {
    Chain(
      name: "forward", base: Chain.Base(.forward),
      rules: [Self.established] + unknown(.source, then: Self.refuse) + unknown(.destination, then: Self.refuse)
        + [Rule([.mark(Self.masquerade)], [.jump(Self.masqueraded)])] + directions)
  }

  /// A process of the node is judged by no policy of its own; whoever sends to it is.
  private var inputChain: Chain {
    Chain(
      name: "input", base: Chain.Base(.input),
      rules: [Self.established] + unknown(.source, then: Self.stranger) + [judge(.egress)])
  }

  private static let established = Rule([.conntrack([.established, .related])], [.accept])

  private var directions: [Rule] { [judge(.egress), judge(.ingress)] }

  private func judge(_ direction: Direction) -> Rule {
    let chain = direction == .egress ? Self.fromPod : Self.toPod
    return Rule(
      [],
      [.setMarkFrom([.address(direction.subjectSide)], map: CompiledSets.Names(direction).groups), .jump(chain)])
  }

  /// Judged as all others, with kube-proxy's mark given back.
  private var masqueradedChain: Chain {
    Chain(name: Self.masqueraded, rules: directions + [Rule([], [.setMark(Self.masquerade), .accept])])
  }

  /// Returns, unmarked, with what the group in the mark admits; the most frequent and cheapest question first.
  private func directionChain(_ direction: Direction) -> Chain {
    let names = CompiledSets.Names(direction)
    let peer = PacketField.address(direction.peerSide)
    let admitted = [Self.unmarked, .return]
    let isEverything = Rule([.mark(Mark(MarkNumbers.everything, mask: .max))], admitted)
    let ports = Match.keyed([.mark, .transport, .port], in: CompiledSets.ports)
    return Chain(
      name: direction == .egress ? Self.fromPod : Self.toPod,
      rules: [
        Rule([.keyed([.mark, peer, .transport, .port], in: names.peers)], admitted),
        Rule([ports], admitted),
        Rule([], [.setMarkFrom([.mark, peer], map: names.wide)]), isEverything,
        Rule([], [.setMarkFrom([.mark, peer], map: names.blocks)]), isEverything,
        Rule([ports], admitted),
        Rule([.keyed([.mark, .transport, .port], in: CompiledSets.ranges)], admitted),
        Rule([], [.jump(Self.refuse)]),
      ])
  }

  /// Returns with what no policy may stop: a pod's packets to itself, ICMP errors, neighbour discovery (RFC 4861).
  private var refuseChain: Chain {
    let types: [UInt8] = family == .v4 ? [3, 11, 12] : [1, 2, 3, 4, 133, 134, 135, 136, 137]
    let itself = Match.keyed([.address(.source), .address(.destination)], in: CompiledSets.selves)
    return Chain(
      name: Self.refuse,
      rules: ([itself] + types.map { .icmpType($0) }).map { Rule([$0], [Self.unmarked, .return]) } + [
        // A refusal would end the connection that the packet is a stray of.
        Rule([.conntrack([.invalid])], [.drop]),
        Rule([], [.counter, .reject(.portUnreachable)], comment: "no policy admits it"),
      ])
  }

  /// The node has addresses of its own in its pod CIDRs.
  private var strangerChain: Chain {
    Chain(
      name: Self.stranger, rules: [Rule([.local(.source)], [.return]), Rule([], [.jump(Self.refuse)])])
  }

  private func unknown(_ side: Side, then chain: ChainName) -> [Rule] {
    refusing.map { Rule([.address(side, $0), .inSet(side, CompiledSets.known, negated: true)], [.jump(chain)]) }
  }
}
