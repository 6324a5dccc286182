import Enforcement
import Evaluator
import NetpolModel
import Path
import Proof
import Statistics

/// Draws packets at random, walks them through a node's rules one by one, and looks up what their class says.
struct ClassCheck {
  private let matrix: EnforcedMatrix
  private let enforced: EnforcedCluster
  private let topology: Topology
  private let nodes: [NodeClasses]

  init(_ cluster: Cluster, _ enforced: EnforcedCluster, _ family: IPFamily) {
    self.enforced = enforced
    topology = enforced.topology
    let atoms = AddressAtoms(family, dividedBy: enforced.networks(family))
    let matrix = EnforcedMatrix(
      enforced, family, dividedBy: cluster.portBorders, alsoTo: atoms.parts.map(atoms.representative), .all)
    self.matrix = matrix
    nodes = topology.nodes.indices.map { matrix.classes(ofNode: $0) }
  }

  /// What is wrong about a random packet that arrives at a random node or leaves it. `nil`: nothing.
  func problem(_ random: inout SplitMix64) -> String? {
    let space = matrix.space
    let index = Int(random.next() % UInt64(topology.nodes.count))
    let node = topology.nodes[index]
    let isDeparture = random.next() & 1 == 0
    let classes = isDeparture ? nodes[index].departures : nodes[index].arrivals
    let local = matrix.pods[index].union(matrix.own[index]).numbers
    let all = Array(space.addresses.indices)
    guard !local.isEmpty,
      let one = random.some(1, of: local).first, let other = random.some(1, of: all).first
    else { return nil }
    let (source, destination) = isDeparture ? (one, other) : (other, one)
    let question = Int(random.next() % UInt64(space.questionCount))
    let states: [ConntrackState] = [.new, .established, .related, .invalid]
    let state = states[Int(random.next() % 4)]
    let found = classes.filter { one in
      one.packets.newDestination == nil && !one.packets.hasNewDestination && one.packets.sources.contains(source)
        && one.packets.destinations.contains(destination) && one.packets.questions.contains(question)
        && (one.packets.states.contains(ConntrackStates(state))
          || state == .new && one.packets.states.contains(.untracked))
    }
    // A packet that a service sends elsewhere is in no such class; a packet to itself, or from elsewhere, in none.
    if found.isEmpty { return nil }
    if found.count > 1 { return "\(found.count) classes hold one packet" }
    let passes = found[0].end != .stopped
    var packet = Packet(
      from: space.addresses[source], to: space.addresses[destination], space.payload(question), state: state,
      isBridged: found[0].packets.isBridged)
    let own = matrix.own[index]
    let hooks: [Hook] =
      isDeparture && own.contains(source)
      ? [.output, .postrouting]
      : own.contains(destination) && !packet.isBridged
        ? [.prerouting, .input] : [.prerouting, .forward, .postrouting]
    for hook in hooks {
      guard let outcome = enforced.run(packet, at: hook, of: node.name) else { return nil }
      if outcome.packet.destination != packet.destination { return nil }
      if outcome.verdict != .accept {
        return passes ? "\(packet) at \(node.name) is stopped at \(hook.rawValue), but its class passes" : nil
      }
      packet = outcome.packet
    }
    return passes ? nil : "\(packet) at \(node.name) passes, but its class is stopped"
  }
}
