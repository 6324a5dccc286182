import Documents
import Foundation
import Kernel
import Lowering
import NetpolModel
import Network
import Report
import StandingLab
import Statistics
import TestSupport
import Testing

@testable import Bench

extension Alone {
  @Suite("Bench: real packets through every style's rules", .needsNamespaces)
  struct BenchRunTests {
    @Test("every probe's packets do what the policies say in every style, and every output format shows them")
    func sweep()
      async throws
    {
      let world = BenchWorld(pods: 3, policies: 6, peers: 2)
      let probes =
        PacketSweep.everyProbe + [
          BenchProbe(.first, .lastPod, from: .peerOfFirst), BenchProbe(.first, .pod(1), from: .stranger, .bridged),
        ]
      let sweep = PacketSweep(
        [
          .init(world, probes), .init(BenchWorld(pods: 2, peers: 2, peerKind: .blocks), PacketSweep.mainProbes),
          .init(BenchWorld(pods: 4, peers: 2, peerKind: .blocks), PacketSweep.mainProbes),
        ], rounds: 10)
      let report = try await blocking { try PacketBench(sweep).run(version: "test") }
      let variants = EnforcementStyle.all.count + 2
      #expect(report.rows.count == variants * (probes.count + 2 * PacketSweep.mainProbes.count))
      #expect(report.rows.allSatisfy { $0.packet.value > 0 && $0.packet.lower <= $0.packet.upper })
      #expect(report.resolutions.count == 2 * probes.count)
      #expect(report.verdicts.count == probes.count + 2 * PacketSweep.mainProbes.count)
      let text = report.document.text()
      for style in EnforcementStyle.all { #expect(text.contains(style.name)) }
      #expect(report.document.csv.split(separator: "\n").count == report.rows.count + 1)
      let json = try #require(try JSONSerialization.jsonObject(with: try report.document.json()) as? [String: Any])
      #expect((json["rows"] as? [Any])?.count == report.rows.count)
      #expect(DocumentPictures(report.document).files.count == PacketSweep.mainProbes.count)
    }

    @Test("over IPv6 every probe's packets do what the policies say in every style, next to IPv4's") func overIPv6()
      async throws
    {
      let probes = PacketSweep.everyProbe + [BenchProbe(.first, .lastPod, from: .peerOfFirst)]
      let sweep = PacketSweep(
        [
          .init(BenchWorld(pods: 3, policies: 6, peers: 2), probes),
          .init(BenchWorld(pods: 2, peers: 2, peerKind: .blocks), PacketSweep.mainProbes),
        ], rounds: 10
      ).over(IPFamily.allCases)
      let report = try await blocking { try PacketBench(sweep).run(version: "test") }
      for family in IPFamily.allCases {
        let rows = report.rows.filter { $0.world.family == family }
        #expect(rows.count == (EnforcementStyle.all.count + 2) * (probes.count + PacketSweep.mainProbes.count))
      }
      #expect(report.document.text().contains("3 pods, 6 policies, 2 peers each, IPv6"))
    }

    @Test(
      "the bench stops if the rules do not treat packets as expected", arguments: BenchProbe.Way.allCases,
      IPFamily.allCases)
    func unforeseen(_ way: BenchProbe.Way, _ family: IPFamily) async throws {
      try await blocking {
        let worker = try NamespaceWorker()
        defer { worker.close() }
        let world = BenchWorld(pods: 1, peers: 1, family: family)
        let path = try PacketPath(world.addresses, worker: worker)
        try path.waitForLinks()
        let flows = world.flows(BenchProbe(.first, .lastPod, way), order: [0])
        // Without rules nothing on a node is refused: allowed packets pass once each, and so do those that should be
        // refused.
        try PacketCell(path, .first, flows, isAllowed: true).check("first")
        try PacketCell(path, .established, flows, isAllowed: true).check("established")
        #expect(throws: LabError.self) { try PacketCell(path, .first, flows, isAllowed: false).check("denied") }
        let passed = try path.passed()
        let arrived = try path.arrived()
        try PacketCell(path, .first, flows, isAllowed: true).sendOnce()
        #expect(try path.passed() == passed + 1)
        #expect(try path.arrived() == arrived, "a first packet is dropped after the rules")
      }
    }

    @Test("every single rule loads, lets the packet pass and has a cost") func micro() async throws {
      let report = try await blocking { try MicroBench(rounds: 10).run(version: "test") }
      let missing = MicroRule.all.filter { rule in
        !report.rows.contains { $0.name == rule.name && $0.backend == rule.backend.rawValue }
      }
      #expect(missing.allSatisfy { $0.backend == .legacy }, "\(missing.map(\.name))")
      #expect(report.document.text().contains("one more linear rule"))
      #expect(report.document.csv.split(separator: "\n").count == report.rows.count + 1)
      #expect(!(try report.document.json()).isEmpty)
    }

    @Test("a user's own flows are measured in every style, allowed and denied, routed and bridged") func policies()
      async throws
    {
      let cluster = BenchWorld(pods: 3, policies: 1, peers: 1).cluster
      let report = try await blocking {
        try PolicyBench(cluster, rounds: 10).run(version: "test")
      }
      #expect(report.origin.node == BenchWorld.node && report.origin.unequal == 0 && report.origin.pods == 4)
      #expect(Set(report.sent.map(\.way)) == Set(BenchProbe.Way.allCases))
      #expect(Set(report.rows.map(\.isAllowed)) == [true, false])
      #expect(Set(report.rows.map(\.rules)).count == EnforcementStyle.all.count + 2)
      #expect(report.document.text().contains("compiled"))
      #expect(report.document.csv.split(separator: "\n").count == report.rows.count + 1)
      #expect(!(try report.document.json()).isEmpty)
    }

    @Test("flows of both families are measured in a dual-stack cluster, and of IPv6 in an IPv6 cluster")
    func dualStack()
      async throws
    {
      let single = BenchWorld(pods: 3, policies: 1, peers: 1, family: .v6).cluster
      let dual = BenchWorld(pods: 3, policies: 1, peers: 1).cluster.joined(with: single)
      let (both, one) = try await blocking {
        (
          try PolicyBench(dual, styles: [.kubeRouterK3s, .compiled], rounds: 10).run(version: "test"),
          try PolicyBench(single, rounds: 10).run(version: "test")
        )
      }
      for family in IPFamily.allCases {
        let rows = both.rows.filter { $0.family == family }
        #expect(Set(rows.map(\.isAllowed)) == [true, false] && Set(rows.map(\.phase)).count == 2)
        #expect(Set(both.sent.filter { $0.family == family }.map(\.way)) == Set(BenchProbe.Way.allCases))
      }
      #expect(both.document.text().contains("allowed IPv6 flows in turn, established"))
      #expect(both.origin.unequal == 0 && one.origin.unequal == 0)
      #expect(Set(one.rows.map(\.family)) == [.v6] && Set(one.rows.map(\.isAllowed)) == [true, false])
    }

    @Test("a stopped bench reports its complete rounds, or nothing if there are too few")
    func stopped() async throws {
      let sweep = PacketSweep(
        [.init(BenchWorld(pods: 2, peers: 1), [BenchProbe(.established, .lastPod)])], styles: [.compiled], rounds: 1000)
      let report = try await blocking {
        var done = 0
        return try PacketBench(sweep).run(version: "test") { step in
          if case .measuring(let round, _) = step.step { done = round }
        } stop: {
          done == 12
        }
      }
      #expect(report.measuredRounds == [12] && report.interruption == "12 of 1000 rounds" && report.rows.count == 3)
      await #expect(throws: Interrupted.self) {
        try await blocking { _ = try PacketBench(sweep).run(version: "test", stop: { true }) }
      }
      await #expect(throws: Interrupted.self) {
        try await blocking {
          _ = try PolicyBench(BenchWorld(pods: 2, peers: 1).cluster).run(version: "test", stop: { true })
        }
      }
    }
  }
}

extension Cluster {
  /// The same objects with the addresses of both families.
  fileprivate func joined(with other: Cluster) -> Cluster {
    var cluster = self
    for (index, node) in other.nodes.enumerated() {
      cluster.nodes[index].addresses += node.addresses
      cluster.nodes[index].podCIDRs += node.podCIDRs
    }
    for (index, pod) in other.pods.enumerated() { cluster.pods[index].podIPs += pod.podIPs }
    return cluster
  }
}
