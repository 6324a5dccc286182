public import Evaluator
internal import NetpolModel
internal import Path

/// What the rules of one node do with every packet that starts there, and with every packet that arrives there from
/// another machine for the node or one of its pods. In classes that no rule of the node tells apart.
struct NodeClasses: Sendable {
  /// Packets of the node's pods and of the node itself.
  var departures: [PacketClass] = []
  /// Packets of others for the node's pods and for the node.
  var arrivals: [PacketClass] = []
}

/// Packets that a node's rules treat alike.
public struct PacketClass: Sendable {
  public enum End: Hashable, Sendable {
    case passed
    /// It leaves with the address of the node's outgoing interface.
    case masqueraded
    case stopped
    /// Only the walk of a single packet shows what happens: its destination was translated, for example.
    case open
  }

  public let packets: PacketSet
  public let end: End

  init(_ packets: PacketSet, _ end: End) {
    self.packets = packets
    self.end = end
  }
}

extension NodeClasses {
  /// `own`: the numbers of the node's own addresses. `pods`: those of its pods.
  init(_ evaluator: ClassEvaluator, _ node: Topology.NodePlace, own: Bits, pods: Bits, in topology: Topology) {
    let space = evaluator.space
    let everything = Bits(allBelow: space.addresses.count)
    guard let questions = Numbers(Bits(allBelow: space.questionCount)) else { return }
    let set = { (sources: Bits, destinations: Bits, isBridged: Bool) -> PacketSet? in
      guard let from = Numbers(sources), let to = Numbers(destinations) else { return nil }
      var set = PacketSet(from: from, to: to, questions)
      set.isBridged = isBridged
      return set
    }
    // Pods with one on-link network reach the node's other pods in it over the bridge.
    var links: [CIDR?: Bits] = [:]
    pods.visit { number in
      let place = topology.owner(of: space.addresses[number])
      guard case .pod(let id) = place else { return }
      let block = topology.pods[id]?.addresses.first { $0.address == space.addresses[number] }?.cidr
      links[block.flatMap { $0.isHost ? nil : $0 }, default: Bits(count: space.addresses.count)].insert(number)
    }
    var starting: [PacketSet] = []
    for (block, sources) in links.sorted(by: { ($0.key?.description ?? "") < ($1.key?.description ?? "") }) {
      let onLink =
        block.map { block in
          Bits(pods.numbers.filter { block.contains(space.addresses[$0]) }, count: space.addresses.count)
        } ?? Bits(count: space.addresses.count)
      if let bridged = set(sources, onLink, topology.bridgeNetfilter) {
        if topology.bridgeNetfilter {
          starting.append(bridged)
        } else {
          // The bridge switches the frame past all rules.
          departures.append(PacketClass(bridged, .passed))
        }
      }
      if let routed = set(sources, everything.subtracting(onLink), false) { starting.append(routed) }
    }
    departures += Self.forwarded(starting, evaluator, own: own)
    if let sent = set(own, everything.subtracting(own), false) {
      departures += Self.run([sent], [.output, .postrouting], evaluator)
    }
    let others = everything.subtracting(own).subtracting(pods)
    if let arriving = set(others, pods.union(own), false) {
      arrivals = Self.forwarded([arriving], evaluator, own: own)
    }
    arrivals = Self.checkingAnswers(arrivals, evaluator, own: own)
  }

  /// From prerouting on, to the node itself or past it.
  private static func forwarded(_ sets: [PacketSet], _ evaluator: ClassEvaluator, own: Bits) -> [PacketClass] {
    var classes: [PacketClass] = []
    var toOthers: [PacketSet] = []
    var toNode: [PacketSet] = []
    for result in evaluator.run(sets, at: .prerouting) {
      guard let set = passed(result, &classes) else { continue }
      guard !set.isBridged, let own = Numbers(own) else {
        toOthers.append(set)
        continue
      }
      if let inside = set.destinations.intersection(own) {
        var part = set
        part.destinations = inside
        toNode.append(part)
      }
      if let outside = set.destinations.subtracting(own) {
        var part = set
        part.destinations = outside
        toOthers.append(part)
      }
    }
    return classes + run(toNode, [.input], evaluator) + run(toOthers, [.forward, .postrouting], evaluator)
  }

  private static func run(_ sets: [PacketSet], _ hooks: [Hook], _ evaluator: ClassEvaluator) -> [PacketClass] {
    var classes: [PacketClass] = []
    var live = sets
    for hook in hooks {
      live = evaluator.run(live, at: hook).compactMap { passed($0, &classes) }
    }
    return classes + live.map { PacketClass($0, $0.isMasqueraded ? .masqueraded : .passed) }
  }

  /// Returns the packets that go on, or adds a class.
  private static func passed(_ result: ClassEvaluator.Result, _ classes: inout [PacketClass]) -> PacketSet? {
    if result.verdict != .accept {
      classes.append(PacketClass(result.packets, .stopped))
      return nil
    }
    if result.packets.needsWalk || result.packets.newDestination != nil {
      classes.append(PacketClass(result.packets, .open))
      return nil
    }
    return result.packets
  }

  /// What the node gets and answers must leave it again. Where its rules stop some answer, each packet is followed by
  /// itself.
  private static func checkingAnswers(
    _ classes: [PacketClass], _ evaluator: ClassEvaluator, own: Bits
  ) -> [PacketClass] {
    guard let questions = Numbers(Bits(allBelow: evaluator.space.questionCount)), let mine = Numbers(own),
      let others = Numbers(Bits(allBelow: evaluator.space.addresses.count).subtracting(own))
    else { return classes }
    var answers = PacketSet(from: mine, to: others, questions)
    answers.states = .established
    let isFree = evaluator.run([answers], at: .output).allSatisfy { $0.verdict == .accept }
    if isFree { return classes }
    return classes.map { one in
      one.end == .passed && !one.packets.destinations.isDisjoint(with: mine) ? PacketClass(one.packets, .open) : one
    }
  }
}
