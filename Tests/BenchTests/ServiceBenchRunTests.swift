import Documents
import Foundation
import Kernel
import NetpolModel
import Network
import Report
import StandingLab
import Statistics
import TestSupport
import Testing

@testable import Bench

extension Alone {
  @Suite("Bench of kube-proxy's modes: real packets and rules", .needsNamespaces)
  struct ServiceBenchRunTests {
    @Test("packets to every Service reach an endpoint in both modes, and every output format shows the costs")
    func packets() async throws {
      let report = try await run(services: [3, 5], endpoints: 2, syncs: 2)
      let modes = ProxyRules.modes.count
      #expect(report.rows.count == 2 * ServiceProbe.all.count * (2 + modes))
      #expect(report.rows.allSatisfy { $0.packet.value > 0 && $0.packet.lower <= $0.packet.upper })
      #expect(report.verdicts.count == 2 * ServiceProbe.all.count)
      #expect(report.resolutions.count == 3 * ServiceProbe.all.count)
      #expect(report.syncs.count == 2 * (modes + 1) && report.interruption == nil)
      for sync in report.syncs {
        #expect(sync.full.count == 2 && sync.change.count == 2 && (sync.full.values.first ?? 0) > 0)
        #expect(sync.changeBytes < sync.fullBytes)
      }
      #expect(report.document.text().contains("NodePort of any Service"))
      #expect(report.document.csv.split(separator: "\n").count == report.rows.count + 1)
      #expect(DocumentPictures(report.document).files.count == ServiceProbe.all.count + 2)
      let json = try #require(try JSONSerialization.jsonObject(with: try report.document.json()) as? [String: Any])
      #expect(json["kind"] as? String == "services" && (json["syncs"] as? [Any])?.count == report.syncs.count)
    }

    @Test("a packet that no rule translates is not counted as one of a Service") func untranslated() async throws {
      try await blocking {
        let worker = try NamespaceWorker()
        defer { worker.close() }
        let world = ServiceWorld(services: 2)
        let path = try PacketPath(world.addresses, firstPackets: .toPort(ServiceWorld.targetPort), worker: worker)
        try path.waitForLinks()
        for probe in ServiceProbe.all {
          let cell = { (direct: Bool) in
            PacketCell(path, .first, world.flows(probe, direct: direct, seed: 1), isAllowed: true)
          }
          try cell(true).check("direct")
          #expect(throws: LabError.self) { try cell(false).check("to the Service, without rules") }
        }
      }
    }

    @Test("adding an endpoint and taking it away leaves the rules as they were, in every way of syncing")
    func syncs() async throws {
      try await blocking {
        let worker = try NamespaceWorker()
        defer { worker.close() }
        for sync in try ProxySync.all(ServiceWorld(services: 4), on: worker) {
          if sync.mode == .iptables { try sync.reset() }
          try sync.full()
          let before = try listing(sync, worker)
          try sync.grow()
          let grown = try listing(sync, worker)
          try sync.shrink()
          #expect(try listing(sync, worker) == before, "\(sync.way)")
          #expect(before.count { $0.contains("10.42.0.14") } == 0 && grown.contains { $0.contains("10.42.0.14") })
          try sync.reset()
          #expect(try listing(sync, worker).count < before.count, "\(sync.way)")
          try sync.full()
          #expect(try listing(sync, worker) == before, "\(sync.way)")
        }
      }
    }

    /// The rules in the namespace, in no particular order, without names that the kernel gives.
    private func listing(_ sync: ProxySync, _ worker: NamespaceWorker) throws -> [String] {
      let program = sync.mode == .iptables ? ["iptables-save"] : ["nft", "list", "ruleset"]
      let text = try Command(program).run(in: sync.namespace, on: worker).requireSuccess().text
      return text.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }.sorted()
    }

    @Test("a stopped bench reports its complete rounds and no syncs, or nothing if there are too few")
    func stopped() async throws {
      let report = try await blocking {
        var options = ServiceBenchOptions()
        (options.services, options.rounds) = ([2], 1000)
        var done = 0
        return try ServiceBench(options).run(version: "test") { step in
          if case .measuring(let round, _) = step.step { done = round }
        } stop: {
          done == 12
        }
      }
      #expect(report.interruption == "12 of 1000 rounds, and no syncs" && report.syncs.isEmpty)
      await #expect(throws: Interrupted.self) {
        try await blocking { _ = try ServiceBench(ServiceBenchOptions()).run(version: "test", stop: { true }) }
      }
    }

    private func run(services: [Int], endpoints: Int, syncs: Int) async throws -> ServiceBenchReport {
      try await blocking {
        var options = ServiceBenchOptions()
        (options.services, options.endpoints) = (services, endpoints)
        (options.rounds, options.syncs) = (10, syncs)
        return try ServiceBench(options).run(version: "test")
      }
    }
  }
}
