internal import Enforcement
internal import EngineComparison
internal import Evaluator
internal import Lowering
internal import NetpolModel
internal import Oracle
internal import Path

/// Packets that arrive at a node and that its services send elsewhere.
extension NodeProof {
  /// Policies must judge these by their new destination.
  mutating func translated(_ one: PacketClass, _ number: Int) {
    guard let target = one.packets.newDestination, one.end != .open, one.packets.states.contains(.new) else { return }
    let isPassing = isPassingICMP(number)
    let isNear = whole.rules.pods[node].contains(target)
    var sources = Bits(count: count)
    sources.formUnion(one.packets.sources)
    sources.subtract(whole.unsent)
    sources.subtract(whole.martians[node])
    if sources.isEmpty { return }
    let ports = whole.portCounts[number]
    if whole.specified.serviceAddresses.contains(target) {
      part.gaps[.service, default: 0] += whole.weights.weigh(sources) * ports
      return
    }
    // Only the receiver's side counts here, and only its own node judges it.
    let wanted = isNear ? sources.intersection(at.specified.peers(of: target, .ingress)) : sources
    var expected = isNear && !isPassing ? sources.intersection(at.predicted.senders(to: target)) : sources
    let refused = whole.defaultDeny.refused(
      node, target, isDeparture: false, at.question, passesChains: isPassing)
    expected.subtract(refused)
    let passed = one.end == .stopped ? Bits(count: count) : sources
    part.packets += whole.weights.weigh(sources) * ports
    let asked = ServiceFront(
      address: whole.space.addresses[one.packets.destinations.first],
      port: whole.space.payload(one.packets.questions.first).port)
    let example = { [whole, node] (source: Int) in
      whole.packet(node, .arrival, from: source, to: target, number, .new, asked: asked)
    }
    let surprises = passed.symmetricDifference(expected)
    if let first = surprises.first {
      let passes = passed.contains(first)
      part.counterexamples.append(
        Counterexample(
          packet: example(first), rules: passes ? .allow : .deny,
          specification: wanted.contains(first) ? .allow : .deny, predicted: passes ? .deny : .allow))
    }
    let differs = passed.symmetricDifference(wanted).subtracting(surprises)
    var groups: [[ProofReason]: Bits] = [:]
    differs.visit { source in
      let reasons: [ProofReason] =
        refused.contains(source)
        ? [whole.defaultDeny.reason(source, target, node)]
        : isPassing
          ? [.icmp]
          : source == target
            ? [.deviation(.hairpin)]
            : self.reasons(
              source, target, isLocal: isNear || whole.rules.own[node].contains(target), .side(.ingress))
      groups[reasons, default: Bits(count: count)].insert(source)
    }
    for (reasons, bits) in groups {
      part.add(reasons, classes: 1, packets: whole.weights.weigh(bits) * ports, example(bits.first ?? 0))
      part.classes += 1
    }
    if differs.union(surprises) != sources { part.classes += 1 }
  }
}
