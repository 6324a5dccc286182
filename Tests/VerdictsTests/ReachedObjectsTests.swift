import Enforcement
import Foundation
import Lowering
import NetpolModel
import Path
import TestSupport
import Testing
import Verdicts
import Worlds

@Suite("Rules of some nodes") struct ReachedObjectsTests {
  /// What a packet met, without the numbers of the rules: where services are left out, those of others count differently.
  private struct Met: Hashable {
    let position: Position
    let before, after: Packet
    let stop: Journey.Stop?
    let rules: [[String]]

    init(_ hook: PacketRecord.AtHook) {
      position = hook.position
      before = hook.before
      after = hook.after
      stop = hook.stop
      rules = hook.rules.map { [$0.table, $0.rule.chain, $0.rule.text, "\($0.decides)"] }
    }
  }

  @Test(
    "A packet meets the same rules whether everything is lowered, or what is on its way only",
    arguments: EnforcementStyle.all.map(\.name))
  func sameRecords(name: String) throws {
    let style = try #require(EnforcementStyle.all.first { $0.name == name })
    var (met, leftOut) = (0, 0)
    for seed in UInt64(28_000)..<28_024 {
      let cluster = try readWorld(World(seed: seed).cluster.manifest, asStored: true)
      let topology = Topology(cluster)
      let whole = try EnforcedCluster(cluster, topology, style, versionStamp: "1")
      let flows = ProbePlan(cluster, topology).flows
      for flow in stride(from: 0, to: flows.count, by: max(1, flows.count / 40)).map({ flows[$0] }) {
        let nodes = Set(whole.journey(of: flow).hops.map(\.node))
        let part = cluster.reached(
          from: [flow.sourceAddress, flow.destinationAddress], narrowsPolicies: style.needsOwnPoliciesOnly)
        leftOut += cluster.services.count - part.services.count + cluster.policies.count - part.policies.count
        let few = try EnforcedCluster(part, topology, style, onNodes: nodes, versionStamp: "1")
        let (one, other) = (few.record(of: flow), whole.record(of: flow))
        #expect(one.end == other.end && one.hooks.map(Met.init) == other.hooks.map(Met.init), "seed \(seed): \(flow)")
        met += one.hooks.count
      }
    }
    #expect(met > 1500 && leftOut > 500, "\(met), \(leftOut)")
  }

  @Test("Services that lead on to others are all kept, and those of nodes if an address may be a node's")
  func reachedServices() throws {
    let address = { (last: UInt32) in IPAddress(v4: 0x0a2b_0000 + last) }
    var cluster = try readWorld(twoNodesText(""))
    cluster.services = (1...4).map { number in
      Service(
        id: NamespacedName("shop", "s\(number)"),
        ports: [
          .init(port: 80, targetPort: .number(80), transport: .tcp, nodePort: number == 4 ? 30080 : nil)
        ],
        clusterIPs: [address(UInt32(number))])
    }
    // The first leads to the second, which leads to the first again.
    cluster.endpointSlices = [(1, address(2)), (2, address(1))].map { number, target in
      EndpointSlice(
        id: NamespacedName("shop", "s\(number)-a"), service: "s\(number)", family: .v4,
        ports: [.init(transport: .tcp, port: 80)], members: [.init(target)])
    }
    let reached = { (address: IPAddress) in
      cluster.reached(from: [address], narrowsPolicies: false).services.map(\.id.name)
    }
    #expect(reached(address(1)) == ["s1", "s2"])
    #expect(reached(address(3)) == ["s3"])
    #expect(reached(try #require(IPAddress("192.168.20.11"))) == ["s4"])
    #expect(cluster.reached(from: [address(1)], narrowsPolicies: false).endpointSlices.count == 2)
  }
}
