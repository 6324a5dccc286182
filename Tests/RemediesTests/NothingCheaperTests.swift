// Not covered: sets of more than two edits.
import Foundation
import NetpolModel
import Oracle
import PolicyDiff
import TestSupport
import Testing
import Worlds

@testable import Remedies

extension Slow {
  @Suite("The smallest change, against every other") struct NothingCheaperTests {
    @Test("no set of up to two unit edits over the labels, peers and ports that occur is cheaper")
    func nothingIsCheaper() throws {
      let environment = ProcessInfo.processInfo.environment
      let wanted = Int(environment["NETPOL_FLOWS"] ?? "") ?? 4
      var seed = UInt64(environment["NETPOL_SEED"] ?? "") ?? 29_000
      var (single, double) = (0, 0)
      while single + double < wanted {
        seed += 1
        let cluster = try readWorld(SmallestChangeTests.world(seed).manifest, asStored: true)
        if cluster.policies.isEmpty || cluster.policies.count > 6 { continue }
        for flow in SmallestChangeTests.refused(cluster, seed: seed, count: 2) {
          let best = try #require(RemedySearch(cluster, flow).allowing().first, "seed \(seed): \(flow)")
          #expect(Oracle(best.cluster).judge(flow).verdict == .allow)
          let cheaper = Reference(cluster, flow).cheaper(than: best.cost)
          #expect(
            cheaper == nil,
            "seed \(seed): \(flow): found \(best.cost) \(best.edits), cheaper \(cheaper.map { "\($0.cost) \($0.edits)" } ?? "")"
          )
          if best.cost.edits == 1 { single += 1 } else { double += 1 }
        }
      }
      #expect(double > 0 && single > 0)
    }
  }
}

/// Tries every set of one and two edits.
private struct Reference {
  let cluster: Cluster
  let flow: Flow

  init(_ cluster: Cluster, _ flow: Flow) {
    self.cluster = cluster
    self.flow = flow
  }

  func cheaper(than cost: Cost) -> Remedy? {
    let singles = EveryEdit(cluster, flow).all
    let helping = singles.filter { Oracle(cluster.applying([$0])).judge(flow).verdict == .allow }
    if let found = cheapest(helping.map { [$0] }, below: cost) { return found }
    if cost.edits == 1, cost.isHarmless { return nil }
    let before = Oracle(cluster).explain(flow).flatMap(\.sides).map(\.verdict)
    var kinds: Set<Kind> = []
    var pairs: [[UnitEdit]] = []
    for first in singles {
      let changed = cluster.applying([first])
      if first.onlyAdds {
        // An addition that admits the flow nowhere helps no other edit. Of those that admit the same, one is enough.
        let after = Oracle(changed).explain(flow).flatMap(\.sides).map(\.verdict)
        if after == before || !kinds.insert(Kind(first, cluster)).inserted { continue }
      }
      var own: Set<Kind> = []
      for second in EveryEdit(changed, flow).all
      where Oracle(changed.applying([second])).judge(flow).verdict == .allow {
        if !second.onlyAdds || own.insert(Kind(second, changed)).inserted { pairs.append([first, second]) }
      }
    }
    return cheapest(pairs, below: cost)
  }

  private func cheapest(_ sets: [[UnitEdit]], below cost: Cost) -> Remedy? {
    for edits in sets {
      guard let remedy = Remedy(edits, of: cluster, flow, turnsTo: .allow) else { continue }
      let order = { (cost: Cost) in (cost.isHarmless ? 0 : 1, cost.edits, cost.opened) }
      if order(remedy.cost) < order(cost) { return remedy }
    }
    return nil
  }

  /// What an addition admits, whatever the other end says.
  private struct Kind: Hashable {
    let rows: [Row]
    let isPolicy: Bool

    /// A row in words that mean the same in every space.
    struct Row: Hashable {
      let isOpened: Bool
      let senders, destinations: [IPAddress]
      let ports: [[Int]]

      init(_ row: DifferenceRow, _ space: DiffSpace) {
        isOpened = row.isOpened
        senders = row.senders.numbers.map { space.ends[$0].new }
        destinations = row.destinations.numbers.map { space.ends[$0].new }
        ports = row.questions.numbers.map { number in
          space.ports(number).map {
            [Transport.allCases.firstIndex(of: $0.transport) ?? 0, Int($0.range.first), Int($0.range.last)]
          } ?? []
        }
      }
    }

    init(_ edit: UnitEdit, _ cluster: Cluster) {
      let alone = { (cluster: Cluster, direction: Direction) -> Cluster in
        var part = cluster
        part.policies = cluster.policies.filter { $0.isolates.contains(direction) }
        for index in part.policies.indices { part.policies[index].isolates = [direction] }
        return part
      }
      let changed = cluster.applying([edit])
      rows = Direction.allCases.flatMap { direction in
        ComparedClusters(old: alone(cluster, direction), new: alone(changed, direction)).map { clusters in
          let difference = PolicyDifference(clusters)
          return difference.rows.map { Row($0, difference.space) }
        } ?? []
      }
      isPolicy = edit.policy.map { id in !cluster.policies.contains { $0.id == id } } ?? false
    }
  }
}
