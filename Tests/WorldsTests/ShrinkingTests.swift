import NetpolModel
import Testing
import Worlds

@Suite("Shrinking") struct ShrinkingTests {
  @Test("keeps what the failure needs, and nothing else")
  func minimal() throws {
    let world = try #require(
      (0..<100).lazy.map { World(seed: $0).cluster }.first { cluster in
        cluster.policies.contains { !$0.egress.isEmpty } && cluster.pods.count > 4 && cluster.nodes.count > 1
      })
    let smallest = world.shrunk(attempts: 2000) { cluster in
      cluster.pods.count >= 2 && cluster.policies.contains { $0.egress.contains { !$0.peers.list.isEmpty } }
    }
    #expect(smallest.pods.count == 2 && smallest.policies.count == 1 && smallest.nodes.isEmpty == false)
    let policy = try #require(smallest.policies.first)
    #expect(policy.ingress.isEmpty && policy.egress.count == 1 && policy.podSelector.isEverything)
    #expect(policy.egress.first?.peers.list.count == 1 && policy.egress.first?.ports == .all)
    #expect(smallest.services.isEmpty && smallest.externalHosts.isEmpty)
  }

  @Test("asks at most as often as allowed, and keeps a cluster that does not fail")
  func bounded() {
    let world = World(seed: 3).cluster
    var asked = 0
    let same = world.shrunk(attempts: 25) { _ in
      asked += 1
      return false
    }
    #expect(same == world && asked == 25)
  }
}
