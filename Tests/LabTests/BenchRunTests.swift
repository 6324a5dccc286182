import Foundation
import Kernel
import Lowering
import NetpolModel
import Testing

@testable import Lab

/// One after the other: a bench has a processor to itself.
@Suite("Bench: real packets through every style's rules", .serialized, .enabled(if: canRunLab, needsNamespaces))
struct BenchRunTests {
  @Test("every probe's packets go where the policies say, in every style, and are told in every form") func sweep()
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
    let text = BenchText(report).text
    for style in EnforcementStyle.all { #expect(text.contains(style.name)) }
    #expect(BenchCSV.text(report).split(separator: "\n").count == report.rows.count + 1)
    let json = try #require(try JSONSerialization.jsonObject(with: try BenchJSON.data(report)) as? [String: Any])
    #expect((json["rows"] as? [Any])?.count == report.rows.count)
    #expect(BenchPlots.files(report).count == PacketSweep.mainProbes.count)
  }

  @Test("packets that the rules treat otherwise than foreseen stop the bench", arguments: BenchProbe.Way.allCases)
  func unforeseen(_ way: BenchProbe.Way) async throws {
    try await blocking {
      let worker = try NamespaceWorker()
      defer { worker.close() }
      let world = BenchWorld(pods: 1, peers: 1)
      let path = try PacketPath(
        nodeAddress: BenchWorld.nodeAddress, pods: [BenchWorld.podBlock], clients: [BenchWorld.client], worker: worker)
      try path.waitForLinks()
      let flows = world.flows(BenchProbe(.first, .lastPod, way), order: [0])
      // Nothing refuses on a node without rules: what is allowed passes, once each, and what is to be refused does too.
      try PacketCell(path, .first, flows, isAllowed: true).check("first")
      try PacketCell(path, .established, flows, isAllowed: true).check("established")
      #expect(throws: LabError.self) { try PacketCell(path, .first, flows, isAllowed: false).check("denied") }
      let passed = try path.passed()
      let arrived = try path.arrived()
      try PacketCell(path, .first, flows, isAllowed: true).sendOnce()
      #expect(try path.passed() == passed + 1)
      #expect(try path.arrived() == arrived, "a first packet is dropped behind the rules")
    }
  }

  @Test("every single rule loads, lets the packet pass and has a cost") func micro() async throws {
    let report = try await blocking { try MicroBench(rounds: 10).run(version: "test") }
    let missing = MicroRule.all.filter { rule in
      !report.rows.contains { $0.name == rule.name && $0.backend == rule.backend.rawValue }
    }
    #expect(missing.allSatisfy { $0.backend == .legacy }, "\(missing.map(\.name))")
    #expect(MicroBenchText(report).text.contains("one more linear rule"))
    #expect(BenchCSV.text(report).split(separator: "\n").count == report.rows.count + 1)
    #expect(!(try BenchJSON.data(report)).isEmpty)
  }

  @Test("a user's own flows are measured in every style, allowed and denied, routed and bridged") func policies()
    async throws
  {
    let cluster = BenchWorld(pods: 3, policies: 1, peers: 1).cluster
    let report = try await blocking {
      try PolicyBench(cluster, rounds: 10).run(version: "test")
    }
    #expect(report.node == BenchWorld.node && report.unequal == 0)
    #expect(Set(report.rows.map(\.isAllowed)) == [true, false])
    #expect(Set(report.rows.map(\.rules)).count == EnforcementStyle.all.count + 2)
    #expect(PolicyBenchText(report).text.contains("compiled"))
    #expect(BenchCSV.text(report).split(separator: "\n").count == report.rows.count + 1)
    #expect(!(try BenchJSON.data(report)).isEmpty)
    #expect(throws: NothingToAsk.self) { try PolicyBench(Cluster()) }
  }
}
