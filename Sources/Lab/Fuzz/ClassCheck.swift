internal import Enforcement
internal import Evaluator
internal import NetpolModel
internal import Path
internal import Statistics

/// Draws packets at random, walks each through a node's rules by itself, and looks up what its class says.
struct ClassCheck: Sendable {
  private let space: PacketSpace
  private let enforced: EnforcedCluster
  private let nodes: [Node]

  private struct Node: Sendable {
    let name: String
    let classes: NodeClasses
    /// By question: the numbers of the classes with it.
    let departuresAt, arrivalsAt: [[Int]]
    let own, pods: Bits
    /// The numbers of its pods and of its own addresses.
    let local: [Int]
  }

  init(_ cluster: Cluster, _ enforced: EnforcedCluster, _ family: IPFamily) {
    self.enforced = enforced
    let atoms = AddressAtoms(family, dividedBy: enforced.networks(family))
    let matrix = EnforcedMatrix(
      enforced, family, dividedBy: cluster.portBorders, alsoTo: atoms.parts.map(atoms.representative), .all)
    let space = matrix.space
    self.space = space
    let index = { (classes: [PacketClass]) -> [[Int]] in
      var index = [[Int]](repeating: [], count: space.questionCount)
      for (number, one) in classes.enumerated() { one.packets.questions.visit { index[$0].append(number) } }
      return index
    }
    nodes = enforced.topology.nodes.indices.map { number in
      let classes = matrix.classes(ofNode: number)
      return Node(
        name: enforced.topology.nodes[number].name, classes: classes, departuresAt: index(classes.departures),
        arrivalsAt: index(classes.arrivals), own: matrix.own[number], pods: matrix.pods[number],
        local: matrix.pods[number].union(matrix.own[number]).numbers)
    }
  }

  /// What is wrong about a random packet that arrives at a random node or leaves it. `nil`: nothing.
  func problem(_ random: inout SplitMix64) -> String? {
    let node = nodes[Int(random.next() % UInt64(nodes.count))]
    let isDeparture = random.next() & 1 == 0
    if node.local.isEmpty { return nil }
    let one = node.local[Int(random.next() % UInt64(node.local.count))]
    let other = Int(random.next() % UInt64(space.addresses.count))
    let (source, destination) = isDeparture ? (one, other) : (other, one)
    // No rule sees what a bridge switches between a node's pods.
    if !enforced.topology.bridgeNetfilter, node.pods.contains(source), node.pods.contains(destination) { return nil }
    let question = Int(random.next() % UInt64(space.questionCount))
    let states: [ConntrackState] = [.new, .established, .related, .invalid]
    let state = states[Int(random.next() % 4)]
    let classes = isDeparture ? node.classes.departures : node.classes.arrivals
    let found = (isDeparture ? node.departuresAt : node.arrivalsAt)[question].filter { number in
      let packets = classes[number].packets
      return packets.newDestination == nil && packets.sources.contains(source)
        && packets.destinations.contains(destination)
        && (packets.states.contains(ConntrackStates(state)) || state == .new && packets.states.contains(.untracked))
    }
    // A packet that a service sends elsewhere is in no such class; a packet to itself, or from elsewhere, in none.
    guard let first = found.first else { return nil }
    if found.count > 1 { return "\(found.count) classes hold one packet" }
    let isBridged = classes[first].packets.isBridged
    let passes = classes[first].end != .stopped
    var packet = Packet(
      from: space.addresses[source], to: space.addresses[destination], space.payload(question), state: state,
      isBridged: isBridged)
    let hooks: [Hook] =
      isDeparture && node.own.contains(source)
      ? [.output, .postrouting]
      : node.own.contains(destination) && !isBridged
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

  /// What is wrong about some of many random packets.
  func problems(of count: Int, seed: UInt64) -> [String] {
    let parts = 8
    return concurrentMap(parts) { part -> [String] in
      var random = SplitMix64(seed: seed &+ UInt64(part) << 32)
      var found: [String] = []
      for _ in 0..<(count + parts - 1 - part) / parts where found.count < 5 {
        if let problem = problem(&random) { found.append(problem) }
      }
      return found
    }.flatMap(\.self)
  }
}
