internal import Enforcement
internal import EngineComparison
internal import Evaluator
internal import NetpolModel
internal import Path

/// Nodes that together have a pod for each list of policies that isolates some pod: as few as a greedy choice finds.
/// Packets between their pods come first, so that the lab needs few nodes.
struct NodeCover {
  /// Numbers of all nodes: those of the cover come first.
  let order: [Int]
  let names: Set<String>
  /// The addresses of the cover's nodes and pods.
  let addresses: Bits

  private struct List: Hashable {
    let direction: Direction
    let isolation: Int
  }

  init(_ matrix: MatrixComparer, _ topology: Topology) {
    let space = matrix.enforced.space
    let addressesOf = topology.nodes.map { node in
      node.pods.flatMap { topology.pods[$0]?.addresses.compactMap { space.number(of: $0.address) } ?? [] }
    }
    var missing = addressesOf.map { addresses in
      Set(
        addresses.flatMap { number in
          Direction.allCases.map { List(direction: $0, isolation: matrix.isolation(of: number, $0)) }
        })
    }
    var order: [Int] = []
    // Of two nodes that add as much, the first: the choice is the same in every run.
    while let most = missing.map(\.count).max(), most > 0, let next = missing.firstIndex(where: { $0.count == most }) {
      order.append(next)
      let added = missing[next]
      for node in missing.indices { missing[node].subtract(added) }
    }
    names = Set(order.map { topology.nodes[$0].name })
    addresses = Bits(
      order.flatMap { addressesOf[$0] + topology.nodes[$0].localAddresses.compactMap(space.number) },
      count: space.addresses.count)
    let covering = Set(order)
    self.order = order + topology.nodes.indices.filter { !covering.contains($0) }
  }
}
