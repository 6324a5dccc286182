import Lowering
import NetpolModel
import Statistics
import Testing
import Worlds

@testable import Bench

@Suite("Bench: worlds and sweeps") struct BenchWorldTests {
  @Test(
    "a world has the requested numbers of pods, policies and peers, and every pod has a policy",
    arguments: [
      BenchWorld(pods: 1), BenchWorld(pods: 7), BenchWorld(pods: 10, policies: 3, peers: 2),
      BenchWorld(pods: 4, policies: 12, peers: 5), BenchWorld(pods: 3, peers: 4, peerKind: .blocks),
      BenchWorld(pods: 7, policies: 3, peers: 2, family: .v6),
      BenchWorld(pods: 3, peers: 4, peerKind: .blocks, family: .v6),
    ])
  func shape(_ world: BenchWorld) throws {
    let cluster = world.cluster
    #expect(cluster.families == [world.family])
    let local = cluster.pods.filter { $0.node == BenchWorld.node && $0.id.name != "client" }
    #expect(local.count == world.pods && cluster.policies.count == world.policies)
    for (number, pod) in local.enumerated() {
      let selecting = cluster.policies.indices.filter { cluster.policies[$0].podSelector.matches(pod.labels) }
      #expect(selecting == world.policies(ofPod: number) && !selecting.isEmpty)
      #expect(pod.podIP == world.address(ofPod: number))
    }
    for (number, policy) in cluster.policies.enumerated() {
      let peers = (0..<world.peers).map { world.peerAddress($0, ofPolicy: number) }
      #expect(Set(peers).count == world.peers)
      for peer in policy.ingress[0].peers.list {
        guard case .pods(_, let selector) = peer, selector.matchLabels["role"] == nil else { continue }
        let selected = cluster.pods.filter { selector.matches($0.labels) }.compactMap(\.podIP)
        #expect(Set(selected) == Set(peers))
      }
    }
    #expect(Set(cluster.pods.compactMap(\.podIP)).count == cluster.pods.count)
  }

  @Test("a probe sends to the pods that it names, from a peer of the policy that it names") func flows() {
    let world = BenchWorld(pods: 4, policies: 8, peers: 3)
    let order = [2, 0, 3, 1]
    let flow = { (probe: BenchProbe) in world.flows(probe, order: order) }
    #expect(flow(BenchProbe(.first, .firstPod)).map(\.destination) == [world.address(ofPod: 2)])
    #expect(flow(BenchProbe(.first, .lastPod)).map(\.destination) == [world.address(ofPod: 1)])
    #expect(flow(BenchProbe(.first, .pod(3))).map(\.destination) == [world.address(ofPod: 3)])
    #expect(Set(flow(BenchProbe(.first, .spread)).map(\.destination)) == Set((0..<4).map(world.address)))
    let peers = { (policy: Int) in Set((0..<3).map { world.peerAddress($0, ofPolicy: policy) }) }
    #expect(peers(1).contains(flow(BenchProbe(.first, .lastPod, from: .peerOfFirst))[0].source))
    #expect(peers(5).contains(flow(BenchProbe(.first, .lastPod, from: .peerOfLast))[0].source))
    #expect(flow(BenchProbe(.first, .lastPod, from: .stranger))[0].source == BenchAddresses(.v4).stranger)
    #expect(flow(BenchProbe(.first, .lastPod, .bridged))[0].source == BenchAddresses(.v4).client)
  }

  @Test(
    "pods are in the order of the rules, or in that of addresses if the rules have none",
    arguments: EnforcementStyle.all)
  func dispatch(_ style: EnforcementStyle) throws {
    for family in IPFamily.allCases {
      let world = BenchWorld(pods: 5, peers: 1, family: family)
      let cluster = world.cluster
      let ruleset = BenchRules.style(style).ruleset(try #require(cluster.node(BenchWorld.node)), in: cluster)
      let order = dispatchOrder(of: (0..<5).map(world.address), in: ruleset)
      #expect(order.sorted() == [0, 1, 2, 3, 4])
      #expect(dispatchOrder(of: (0..<5).map(world.address), in: nil) == [0, 1, 2, 3, 4])
    }
  }

  @Test("the product has every combination once, and no batch has too many variants") func product() {
    let sweep = PacketSweep.full
    #expect(Set(sweep.points.map(\.world)).count == sweep.points.count && sweep.points.count == 72)
    #expect(sweep.batches.flatMap { $0 } == sweep.points)
    #expect(sweep.batches.allSatisfy { $0.count * 6 <= 60 && $0.map(\.world.pods).reduce(0, +) <= 20_000 })
    #expect(PacketSweep.usual.batches.count == 1)
    let growing = PacketSweep.product(pods: [10, 1000, 10_000], policies: [], peers: [20], kinds: [.pods])
    #expect(growing.batches.count == 1)
  }

  @Test("with both families every world is measured in each, side by side") func families() {
    let usual = PacketSweep.usual
    let points = usual.over(IPFamily.allCases).points
    #expect(points.count == 2 * usual.points.count)
    for (index, point) in usual.points.enumerated() {
      let both = points[2 * index..<2 * index + 2]
      #expect(both.map(\.world.family) == [.v4, .v6])
      #expect(both.allSatisfy { $0.probes == point.probes && $0.world.pods == point.world.pods })
    }
    #expect(usual.over([.v4]).points == usual.points)
  }
}
