public import NetpolModel

/// What the rules of all nodes do with every packet, compared with the specification.
///
/// docs/exactness.md has the argument why no packet is left out.
public struct Proof: Sendable {
  /// Packets whose verdict differs for the same reasons.
  public struct Differing: Hashable, Sendable {
    public internal(set) var classes: Int
    /// As a floating-point number: there are more than 2^64.
    public internal(set) var packets: Double
    /// One of them.
    public let example: ProofPacket
  }

  /// Packets about which nothing is claimed.
  public enum Gap: String, Hashable, Sendable, CaseIterable, Comparable {
    case service = "a service or host port decides before policies do"
    case multicast = "the destination is a group"
    case open = "the rules change addresses in a way that is followed packet by packet only"
    public static func < (a: Gap, b: Gap) -> Bool { a.rawValue < b.rawValue }
  }

  public internal(set) var families: [IPFamily] = []
  /// Classes, none of them empty: what a node's rules, the specification and the deviations say is the same for all
  /// packets of a class.
  public internal(set) var classes = 0
  public internal(set) var packets = 0.0
  public internal(set) var differing: [[ProofReason]: Differing] = [:]
  /// Packets that the rules treat differently although no deviation predicts it, or not differently although one does.
  public internal(set) var counterexamples: [Counterexample] = []
  public internal(set) var gaps: [Gap: Double] = [:]

  public var isProved: Bool { counterexamples.isEmpty }

  /// Each reason by itself, with the classes in which it has a part.
  public var reasons: [(reason: ProofReason, classes: Int)] {
    var counts: [ProofReason: Int] = [:]
    for (reasons, differing) in differing { for reason in reasons { counts[reason, default: 0] += differing.classes } }
    return counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  mutating func add(_ node: NodeResult) {
    add(node.part)
    for row in node.rows {
      classes += row.agreeing
      for (reasons, count) in row.differing {
        classes += count
        differing[reasons]?.classes += count
      }
    }
  }

  private mutating func add(_ part: ProofPart) {
    classes += part.classes
    packets += part.packets
    for (reasons, one) in part.differing { differing.add(one, for: reasons) }
    counterexamples += part.counterexamples
    gaps.merge(part.gaps) { $0 + $1 }
  }
}

/// A packet on one node, for which the engines don't agree.
public struct Counterexample: Hashable, Sendable {
  public let packet: ProofPacket
  public let rules, specification, predicted: Verdict
}

/// One packet that a node's rules meet.
public struct ProofPacket: Hashable, Sendable {
  public enum Place: Hashable, Sendable {
    /// It leaves one of the node's pods, or the node.
    case departure
    /// It arrives from another machine.
    case arrival
    /// Only the chain of one of the node's pods counts.
    case side(Direction)
  }

  public let node: String
  public let place: Place
  public let source, destination: Flow.End
  public let payload: Packet.Payload
  public let state: ConntrackState
  /// Where it was sent before a service has sent it on.
  public internal(set) var asked: ServiceFront?

  /// The flow whose first packet it is. `nil` for packets that no run sends.
  public var flow: Flow? {
    guard state == .new, asked == nil else { return nil }
    let question: Flow.Question
    switch payload {
    case .transport(let transport, _, let port): question = .port(TransportPort(transport, port))
    case .icmp(let type) where type == (destination.address.family == .v4 ? 8 : 128): question = .echo
    case .icmp, .other: return nil
    }
    return Flow(
      from: source.endpoint, source.address, to: destination.endpoint, destination.address, question)
  }
}

/// An address and a port at which a service is offered.
public struct ServiceFront: Hashable, Sendable {
  public let address: IPAddress
  /// `nil` for packets without ports.
  public let port: UInt16?
}

extension Packet.Payload {
  /// The destination port. `nil`: it has none.
  var port: UInt16? { if case .transport(_, _, let port) = self { port } else { nil } }
}

/// What a part of a proof adds to the whole.
struct ProofPart: Sendable {
  var classes = 0
  var packets = 0.0
  var differing: [[ProofReason]: Proof.Differing] = [:]
  var counterexamples: [Counterexample] = []
  var gaps: [Proof.Gap: Double] = [:]

  /// Counts more packets of a known kind.
  mutating func add(_ reasons: [ProofReason], packets: Double) { differing[reasons]?.packets += packets }

  mutating func add(_ reasons: [ProofReason], classes: Int, packets: Double, _ example: ProofPacket) {
    differing.add(Proof.Differing(classes: classes, packets: packets, example: example), for: reasons)
  }
}

extension [[ProofReason]: Proof.Differing] {
  /// Counts more packets of one kind. The first example stays.
  mutating func add(_ more: Proof.Differing, for reasons: [ProofReason]) {
    guard self[reasons] != nil else {
      self[reasons] = more
      return
    }
    self[reasons]?.classes += more.classes
    self[reasons]?.packets += more.packets
  }
}
