internal import NetpolModel
internal import RuleIR

/// The rules of one table: whatever the policies, the same on a node, but for default-deny and for pods with addresses
/// outside of its pod CIDRs.
///
/// The mark is what the rules remember a packet by. What they leave behind is zero, or what had to be kept.
struct CompiledChains {
  private static let fromPod = "from-pod"
  private static let toPod = "to-pod"
  private static let marked = "marked"
  private static let stranger = "stranger"
  private static let refuse = "refuse"

  /// Marks that decide in POSTROUTING, behind these rules, who is masqueraded: kube-proxy's
  /// (`--iptables-masquerade-bit` 14) and that of the portmap plugin for host ports (`markMasqBit` 13).
  private static let kept: UInt32 = 0x6000
  private static let unmarked = Statement.setMark(Mark(0, mask: .max))

  let family: IPFamily
  /// In which all pods of the node are; empty where that can't be said.
  let podCIDRs: [CIDR]
  /// Whoever in `podCIDRs` is no known pod is refused, and these are the networks.
  let refusing: [CIDR]

  init(family: IPFamily, podCIDRs: [CIDR], refusing: [CIDR]) {
    self.family = family
    self.podCIDRs = podCIDRs
    self.refusing = refusing
  }

  var all: [Chain] {
    let strangers = refusing.isEmpty ? [] : [strangerChain]
    return [directionChain(.egress), directionChain(.ingress), refuseChain] + markedChains + strangers
      + [forwardChain, inputChain]
  }

  // What a node sends to its own pods is allowed, and what others forward to them passes here: OUTPUT has no rules.

  private var forwardChain: Chain {
    Chain(
      name: "forward", base: Chain.Base(.forward),
      rules: [Self.established] + unknown(.source, then: Self.refuse) + unknown(.destination, then: Self.refuse)
        + [Rule([.mark(Mark(0, mask: .max), negated: true)], [.jump(Self.marked)])] + directions)
  }

  /// A process of the node is judged by no policy of its own; whoever sends to it is.
  private var inputChain: Chain {
    Chain(
      name: "input", base: Chain.Base(.input),
      rules: [Self.established] + unknown(.source, then: Self.stranger) + judge(.egress))
  }

  private static let established = Rule([.conntrack([.established, .related])], [.accept])

  private var directions: [Rule] { judge(.egress) + judge(.ingress) }

  /// A comparison is cheaper than a lookup, which most packets of others would make in vain.
  private func judge(_ direction: Direction) -> [Rule] {
    let side = direction.subjectSide
    let chain = direction == .egress ? Self.fromPod : Self.toPod
    let groups = CompiledSets.Names(direction).groups
    let matches = podCIDRs.isEmpty ? [[]] : podCIDRs.map { [Match.address(side, $0)] }
    return matches.map { Rule($0, [.setMarkFrom([.address(side)], map: groups), .jump(chain)]) }
  }

  /// Judged as all others, with the mark given back. One that none of these knows is lost to who is judged.
  private var markedChains: [Chain] {
    let marks = [Self.kept, 0x4000, 0x2000].map { Mark($0, mask: Self.kept) }
    let name = { (mark: Mark) in "\(Self.marked)-\(String(mark.value, radix: 16))" }
    return marks.map { mark in
      Chain(
        name: name(mark), rules: directions + [Rule([], [.setMark(Mark(mark.value, mask: mark.value)), .accept])])
    } + [Chain(name: Self.marked, rules: marks.map { Rule([.mark($0)], [.jump(name($0))]) })]
  }

  /// Returns, unmarked, with what the group in the mark admits; the most frequent and cheapest questions first.
  private func directionChain(_ direction: Direction) -> Chain {
    let names = CompiledSets.Names(direction)
    let peer = PacketField.address(direction.peerSide)
    let admitted = [Self.unmarked, .return]
    let ports = Match.keyed([.mark, .transport, .port], in: CompiledSets.ports)
    return Chain(
      name: direction == .egress ? Self.fromPod : Self.toPod,
      rules: [
        Rule([.mark(Mark(1, mask: 1)), .keyed([.mark, peer], in: names.open)], admitted),
        Rule([.keyed([.mark, peer, .transport, .port], in: names.peers)], admitted),
        Rule([ports], admitted),
        Rule([], [.setMarkFrom([.mark, peer], map: names.wide)]),
        Rule([], [.setMarkFrom([.mark, peer], map: names.blocks)]),
        Rule([.mark(Mark(MarkNumbers.everything, mask: .max))], admitted),
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
