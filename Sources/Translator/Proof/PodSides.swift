internal import Enforcement
internal import EngineComparison
internal import Evaluator
internal import Lowering
internal import NetpolModel
internal import Oracle
internal import Path

extension NodeProof {
  struct SidePlace: Hashable {
    let side: Int
    /// The numbers of the side's classes that have the question.
    let classes: [Int32]
  }
  struct SideBasis: Equatable {
    let predicted, undecided: Bits
    let isPassing: Bool
  }

  private static func classes(of side: NodeClasses.PodSide, _ number: Int) -> [Int32] {
    side.classes.withUnsafeBufferPointer { all in
      all.indices.lazy.filter { all[$0].packets.questions.contains(number) }.map { Int32($0) }
    }
  }

  /// Each pod's chain by itself: between nodes' rules a wrong rule hides behind what the other end refuses.
  mutating func sides(_ number: Int) {
    let own = whole.rules.own[node]
    let isPassing = isPassingICMP(number)
    let count = count
    for index in classes.sides.indices {
      let side = classes.sides[index]
      let isEgress = side.direction == .egress
      let place = SidePlace(side: index, classes: Self.classes(of: side, number))
      let basis = SideBasis(
        predicted: isEgress ? at.predicted.departures(of: side.pod) : at.predicted.senders(to: side.pod),
        undecided: isEgress ? at.notPlain : Bits(count: count), isPassing: isPassing)
      if agreeing[place]?.contains(basis) == true { continue }
      var row = PacketRow(count: count)
      for one in place.classes.lazy.map({ side.classes[Int($0)] }) {
        row.add(one.end, one.packets.states, isEgress ? one.packets.destinations : one.packets.sources)
      }
      // What the node itself gets and sends has rules outside of pods' chains.
      var domain = row.known(.new).subtracting(own).subtracting(whole.unsent).subtracting(whole.groups).without(
        side.pod)
      if side.direction == .ingress { domain.subtract(whole.martians[node]) }
      domain.subtract(basis.undecided)
      let passed = row.passed(.new).intersection(domain)
      var expected = isPassing ? domain : basis.predicted
      if !whole.topology.bridgeNetfilter {
        // The matrix takes these for packets that a bridge switches.
        whole.rules.pods[node].visit { other in
          if isPassing { return }
          let (a, b) = side.direction == .egress ? (side.pod, other) : (other, side.pod)
          let flow = Flow(
            from: whole.end(a).endpoint, whole.end(a).address, to: whole.end(b).endpoint, whole.end(b).address,
            at.question
          )
          if whole.comparer.reading.allowsRouted(flow, side.direction) {
            expected.insert(other)
          } else {
            expected.remove(other)
          }
        }
      }
      expected.formIntersection(domain)
      let surprises = passed.symmetricDifference(expected)
      if surprises.isEmpty {
        // Which packets a bridge switches is asked flow by flow.
        if whole.topology.bridgeNetfilter { agreeing[place, default: []].append(basis) }
        continue
      }
      let wanted = at.specified.peers(of: side.pod, side.direction).intersection(domain)
      surprise(surprises, passed, wanted, node, side.pod, number, .new, .side(side.direction))
    }
  }
}
