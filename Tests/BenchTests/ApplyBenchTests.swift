import Foundation
import Kernel
import Lowering
import NetpolModel
import Report
import RuleIR
import StandingLab
import Statistics
import TestSupport
import Testing

@testable import Bench

@Suite("Benchmark of applying rules") struct ApplyBenchTests {
  private static let world = ApplyWorld(policies: 6, pods: 9)

  @Test("each policy admits 20 peers to pods of its own, in every style")
  func world() {
    let iptables = EnforcementStyle.kubeRouterK3s.lower(Self.world.view).ruleset
    let sources = iptables.sets.filter { $0.name.hasPrefix("KUBE-SRC") }
    // One policy has no pods yet.
    #expect(sources.count == 7 && sources.allSatisfy { $0.members.count == ApplyWorld.peers })
    let compiled = EnforcementStyle.compiled.lower(Self.world.view).ruleset
    let elements = Dictionary(compiled.keyedSets.map { ($0.name, $0.elements.count) }) { first, _ in first }
    #expect(elements["ia"] == 6 * ApplyWorld.peers && elements["ig"] == 9 && elements["ib"] == 0)
    var blocks = Self.world
    blocks.hasBlocks = true
    #expect(
      EnforcementStyle.compiled.lower(blocks.view).ruleset.keyedSets.first { $0.name == "ib" }?.elements.count == 6)
  }

  @Test("a pod with a policy that others have joins them; one with a new policy brings its peers")
  func newcomers() {
    func added(_ policy: Int) -> Int {
      var view = Self.world.view
      let old = EnforcementStyle.compiled.lower(view).ruleset
      view.pods.append(Self.world.newcomer(withPolicy: policy))
      let changes = old.changes(to: EnforcementStyle.compiled.lower(view).ruleset)
      #expect(changes.chains.isEmpty && changes.goneSets.isEmpty && changes.replaced.isEmpty)
      return changes.elements.flatMap(\.added).count
    }
    #expect(added(0) == 2 && added(6) == 2 + ApplyWorld.peers)
  }

  @Test("ratios are those of the same round, whatever the rounds are like")
  func ratio() {
    let ratio = FullApplies.ratio([1, 20, 300, 4], to: [10, 100, 1000, 0])
    #expect(ratio.values == [0.1, 0.2, 0.3])
  }

  @Test("memory is what /proc/meminfo tells of slabs, vmalloc and per-CPU areas")
  func meminfo() {
    let text = """
      MemTotal:        8000000 kB
      Slab:             100000 kB
      SReclaimable:      40000 kB
      VmallocUsed:        2000 kB
      Percpu:              300 kB
      """
    #expect(KernelMemory(meminfo: text)?.bytes == 102_300 * 1024)
    #expect(KernelMemory(meminfo: "Slab: 1 kB\nPercpu: x kB\n") == nil)
  }

  private func report() throws -> ApplyBenchReport {
    let environment = try LabEnvironment(version: "test", style: "all", worker: NamespaceWorker())
    var report = ApplyBenchReport(environment: environment, options: ApplyBenchOptions())
    let objects = ApplyBenchReport.RuleCount(rules: 1, chains: 2, sets: 3, elements: 4)
    report.applies = [
      .init(
        style: "s", way: "slow, \"old\"", times: Distribution([4e6, 5e6]), parts: [], ratio: nil, objects: objects),
      .init(
        style: "s", way: "fast", times: Distribution([1e6, 2e6]), parts: [("kernel", Distribution([5e5, 6e5]))],
        ratio: Distribution([0.25, 0.4]), objects: objects),
    ]
    report.memory = [
      .init(style: "s", bytes: Distribution([2 * 1_048_576])), .init(style: "t", bytes: Distribution([1_048_576 / 2])),
    ]
    return report
  }

  @Test("reports have the same figures as text, JSON and CSV", .needsNamespaces)
  func reports() throws {
    let report = try report()
    let text = ApplyBenchText(report).text
    for part in ["4.00 ms", "0.250 (? to ?)", "500 us", "2.00", "0.25"] {
      #expect(text.contains(part), "\(part) in \(text)")
    }
    let csv = ApplyBenchCSV(report).text.split(separator: "\n")
    #expect(csv.contains { $0.hasPrefix("apply,s,\"slow, \"\"old\"\"\",us,2,4000.0000,4000.0000,5000.0000,5000.0000") })
    #expect(csv.contains { $0.hasPrefix("apply,s,fast,ratio,2,0.2500,0.2500,0.4000,0.4000") })
    let data = try ApplyBenchJSON(report).data()
    let json = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(json["schema"] as? String == "netpol-lab/bench-apply/v1")
    #expect((json["rows"] as? [Any])?.count == csv.count - 1)
  }

  @Test("everything is measured, and nothing is left out", .needsNamespaces)
  func smoke() async throws {
    let report = try await blocking {
      var options = ApplyBenchOptions()
      (options.policies, options.pods, options.rounds, options.updates, options.copies) = (6, 9, 2, 10, 1)
      return try ApplyBench(options).run(version: "test")
    }
    #expect(report.applies.count == 6 && report.applies.allSatisfy { $0.times.count == 2 })
    #expect(report.applies.count { $0.ratio != nil } == 3)
    #expect(
      report.updates.count == 18 && report.updates.allSatisfy { $0.backToBack.count == 10 && $0.spaced.count == 10 })
    #expect(report.newPods.count == 4 && report.newPods.allSatisfy { $0.replacing.count == 2 })
    #expect(report.memory.count == 3 && report.syncs.count == 3 && report.syncs.allSatisfy { $0.processes > 5 })
    let positive = report.applies.map(\.times) + report.newPods.flatMap { [$0.lowering, $0.replacing] }
    #expect(positive.allSatisfy { ($0.values.first ?? 0) > 0 })
  }

  @Test(
    "the command writes each format, and says what it can't use", .needsNamespaces,
    arguments: [("text", "A new pod"), ("json", "netpol-lab/bench-apply/v1"), ("csv", "section,rules,what")])
  func command(_ format: String, _ said: String) async throws {
    let small = [
      "bench", "--apply", "--policies", "3", "--pods", "4", "--rounds", "1", "--syncs", "0", "--updates", "10",
    ]
    let result = try await Program.run(small + ["-o", format])
    #expect(result.status == .exited(0) && result.output.contains(said), "\(result)")
    let wrong = try await Program.run(["bench", "--apply", "--pods", "0"])
    #expect(wrong.status == .exited(2) && wrong.errors.contains("--pods 0"), "\(wrong)")
  }
}
