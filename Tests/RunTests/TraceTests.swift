// Not covered: rules of iptables-legacy, which nf_tables' trace doesn't see, and what follows the first packet.
import Enforcement
import Foundation
import Kernel
import Lowering
import Manifests
import NetpolModel
import Path
import Rendering
import RuleIR
import StandingLab
import TestSupport
import Testing
import Verdicts
import Worlds

/// Traces flows of a cluster in a style: all, or so many, spread over all. Returns how many, and what differs.
private func trace(
  _ cluster: Cluster, _ style: EnforcementStyle, atMost limit: Int = .max
) async throws -> (traced: Int, differences: [String]) {
  try await blocking {
    let worker = try NamespaceWorker()
    defer { worker.close() }
    var lab = ReusableLab(transports: [.tcp, .udp], worker: worker) { _ in }
    let plan = try LabPlan(cluster, style, versionStamp: "1")
    try lab.prepare(plan)
    let all = ProbePlan(cluster, plan.topology, sctpObstacle: "not sent here").flows
    let step = max(1, all.count / limit)
    let flows = stride(from: 0, to: all.count, by: step).map { all[$0] }.filter { !$0.destinationAddress.isMulticast }
    let traced = try lab.trace(flows)
    return (
      traced.count { !$0.trace.isIncomplete },
      zip(flows, traced).filter { !$1.trace.isIncomplete }.flatMap { flow, traced in
        traced.differences.map { "\(flow): \($0)" }
      }
    )
  }
}

@Suite("The kernel's own trace", .serialized, .needsNamespaces) struct TraceTests {
  @Test("a rule that is loaded wrongly shows as a difference, on the machine that has it")
  func plantedMistake() async throws {
    let world = webAndClient + policyText("app/deny", "podSelector: {matchLabels: {app: web}}")
    let cluster = try readWorld(world)
    let style = EnforcementStyle.kubeRouterK3s
    // The chain that rejects returns at once.
    let mistaken = style.rewriting { _, lowered in
      for table in lowered.ruleset.tables.indices {
        for chain in lowered.ruleset.tables[table].chains.indices
        where lowered.ruleset.tables[table].chains[chain].name.hasPrefix("KUBE-POD-FW-") {
          lowered.ruleset.tables[table].chains[chain].rules.removeFirst()
        }
      }
    }
    let found = try await blocking {
      let worker = try NamespaceWorker()
      defer { worker.close() }
      var lab = ReusableLab(transports: [.tcp], worker: worker) { _ in }
      let right = try LabPlan(cluster, style, versionStamp: "1")
      try lab.prepare(try LabPlan(cluster, mistaken, versionStamp: "1"))
      let flow = try #require(
        right.topology.flow(
          from: .pod(PodID("app", "client")), to: .pod(PodID("app", "web")), .port(TransportPort(.tcp, 80)), .v4))
      let trace = try #require(try lab.trace([flow]).first).trace
      return trace.differences(from: right.enforced.record(of: flow))
    }
    #expect(found.count == 1 && found[0].kernel != found[0].evaluator, "\(found)")
    #expect(found.first.map { $0.evaluator.contains { $0.contains("KUBE-POD-FW-") } } == true, "\(found)")
  }

  @Test("names the evaluator's rules in the same order for golden cases", arguments: EnforcementStyle.all)
  func golden(style: EnforcementStyle) async throws {
    var seen: Set<URL> = []
    for golden in GoldenCase.all where seen.insert(golden.manifests).inserted && seen.count <= 6 {
      let text = try String(contentsOf: golden.manifests, encoding: .utf8)
      let (traced, differences) = try await trace(try readWorld(text, asStored: true), style, atMost: 30)
      #expect(differences.isEmpty, "\(golden.testDescription) \(style.name): \(differences.prefix(3))")
      #expect(traced > 0, "\(golden.testDescription)")
    }
  }
}

extension Slow {
  @Suite("The kernel's own trace of many packets", .serialized, .needsNamespaces) struct ManyTraceTests {
    /// 600 flows spread over all, or as many as NETPOL_FLOWS says.
    @Test(
      "names the evaluator's rules in the same order for flows of the examples",
      arguments: ["homelab", "icn"], EnforcementStyle.all)
    func examples(name: String, style: EnforcementStyle) async throws {
      let folder = repository.appendingPathComponent("examples/\(name)")
      let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted().filter {
        $0.hasSuffix(".yaml") && !$0.contains("expectations")
      }
      let sources = try files.map { file in
        ManifestSource(
          name: file, text: try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8),
          fromDirectory: true)
      }
      let limit = Int(ProcessInfo.processInfo.environment["NETPOL_FLOWS"] ?? "") ?? 600
      let (traced, differences) = try await trace(try readManifests(sources).cluster, style, atMost: limit)
      #expect(differences.isEmpty, "\(differences.prefix(3))")
      #expect(traced > 500)
    }

    /// 50 worlds, or as many as NETPOL_WORLDS says.
    @Test("names the evaluator's rules in the same order for flows of random worlds", arguments: EnforcementStyle.all)
    func worlds(style: EnforcementStyle) async throws {
      let environment = ProcessInfo.processInfo.environment
      let count = Int(environment["NETPOL_WORLDS"] ?? "") ?? 50
      let first = UInt64(environment["NETPOL_SEED"] ?? "") ?? 28_000
      var traced = 0
      for seed in first..<first + UInt64(count) {
        let cluster = try readWorld(World(seed: seed).cluster.manifest, asStored: true)
        let found = try await trace(cluster, style, atMost: 8)
        #expect(found.differences.isEmpty, "seed \(seed): \(found.differences.prefix(3))")
        traced += found.traced
      }
      #expect(traced > count)
    }
  }
}
