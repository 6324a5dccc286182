internal import NetpolModel
internal import RuleIR

/// The rules of one table. They don't depend on the policies. On one node they only change with default-deny and with
/// pods whose addresses are outside its pod CIDRs.
///
/// The rules keep their intermediate results in the packet mark. Afterwards the mark is zero, or has the bits that must
/// be kept.
struct CompiledChains {
  private static let fromPod = "from-pod"
  private static let toPod = "to-pod"
  private static let marked = "marked"
  private static let stranger = "stranger"
  private static let refuse = "refuse"

  /// The mark bits that decide after these rules, in POSTROUTING, what is masqueraded: kube-proxy's
  /// (`--iptables-masquerade-bit` 14) and the one of the portmap plugin for host ports (`markMasqBit` 13).
  private static let kept: UInt32 = 0x6000
  private static let unmarked = Statement.setMark(Mark(0, mask: .max))

  let family: IPFamily
  /// The networks that contain all pods of the node. Empty if some pod is outside its pod CIDRs.
  let podCIDRs: [CIDR]
  /// The networks in which every address that is not a known pod is rejected. Empty without default-deny.
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

  // Packets from a node to its own pods are allowed, and packets that others send to them are forwarded. So OUTPUT has
  // no rules.

  private var forwardChain: Chain {
    Chain(
      name: "forward", base: Chain.Base(.forward),
      rules: [Self.established, Self.admittedPair] + unknown(.source, then: Self.refuse)
        + unknown(.destination, then: Self.refuse)
        + [Rule([.mark(Mark(0, mask: .max), negated: true)], [.jump(Self.marked)])] + directions)
  }

  /// No policy applies to a process of the node as receiver. The egress policies of a pod that sends to it do apply.
  private var inputChain: Chain {
    Chain(
      name: "input", base: Chain.Base(.input),
      rules: [Self.established] + unknown(.source, then: Self.stranger) + judge(.egress))
  }

  private static let established = Rule([.conntrack([.established, .related])], [.accept])

  /// Needs no mark, and so keeps those of other programs.
  private static let admittedPair = Rule(
    [.keyed([.address(.source), .address(.destination), .transport, .port], in: CompiledSets.pairs)], [.accept])

  private var directions: [Rule] { judge(.egress) + judge(.ingress) }

  /// Comparing with the pod CIDRs is cheaper than a lookup, and for most other packets a lookup would find nothing.
  private func judge(_ direction: Direction) -> [Rule] {
    let side = direction.subjectSide
    let chain = direction == .egress ? Self.fromPod : Self.toPod
    let groups = CompiledSets.Names(direction).groups
    let matches = podCIDRs.isEmpty ? [[]] : podCIDRs.map { [Match.address(side, $0)] }
    return matches.map { Rule($0, [.setMarkFrom([.address(side)], map: groups), .jump(chain)]) }
  }

  /// These packets are judged like all others and then get their mark back. Mark bits that none of these chains
  /// restores are lost if the packet is from or to an isolated pod.
  private var markedChains: [Chain] {
    let marks = [Self.kept, 0x4000, 0x2000].map { Mark($0, mask: Self.kept) }
    let name = { (mark: Mark) in "\(Self.marked)-\(String(mark.value, radix: 16))" }
    return marks.map { mark in
      Chain(
        name: name(mark), rules: directions + [Rule([], [.setMark(Mark(mark.value, mask: mark.value)), .accept])])
    } + [Chain(name: Self.marked, rules: marks.map { Rule([.mark($0)], [.jump(name($0))]) })]
  }

  /// Clears the mark and returns if the group in the mark allows the packet. The most frequent and cheapest checks come
  /// first.
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

  /// ICMP errors and neighbour discovery.
  static func icmpTypes(_ family: IPFamily) -> Set<UInt8> {
    family == .v4 ? [3, 11, 12] : [1, 2, 3, 4, 133, 134, 135, 136, 137]
  }

  /// Returns for packets that no policy may block: from a pod to itself, ICMP errors, neighbour discovery (RFC 4861).
  /// Drops or rejects all others.
  private var refuseChain: Chain {
    let types = Self.icmpTypes(family).sorted()
    let itself = Match.keyed([.address(.source), .address(.destination)], in: CompiledSets.selves)
    return Chain(
      name: Self.refuse,
      rules: ([itself] + types.map { .icmpType($0) }).map { Rule([$0], [Self.unmarked, .return]) } + [
        // A reject would end the connection that this stray packet belongs to.
        Rule([.conntrack([.invalid])], [.drop]),
        Rule([], [.counter, .reject(.portUnreachable)], comment: "no policy admits it"),
      ])
  }

  /// Like `refuse`, but lets the node's own addresses pass, because some of them are in its pod CIDRs.
  private var strangerChain: Chain {
    Chain(
      name: Self.stranger, rules: [Rule([.local(.source)], [.return]), Rule([], [.jump(Self.refuse)])])
  }

  private func unknown(_ side: Side, then chain: ChainName) -> [Rule] {
    refusing.map { Rule([.address(side, $0), .inSet(side, CompiledSets.known, negated: true)], [.jump(chain)]) }
  }
}
