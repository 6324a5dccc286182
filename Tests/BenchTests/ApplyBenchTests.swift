import Foundation
import Kernel
import Lowering
import NetpolModel
import RuleIR
import Statistics
import Testing

@testable import Bench

@Suite("Benchmark of applying rules") struct ApplyBenchTests {
  private static let world = ApplyWorld(policies: 6, pods: 9)

  @Test("each policy admits 20 peers to its own pods, in every style")
  func world() {
    let iptables = EnforcementStyle.kubeRouterK3s.lower(Self.world.view).ruleset
    let sources = iptables.sets.filter { $0.name.hasPrefix("KUBE-SRC") }
    // One policy has no pods yet.
    #expect(sources.count == 7 && sources.allSatisfy { $0.members.count == ApplyWorld.peers })
    let compiled = EnforcementStyle.compiled.lower(Self.world.view).ruleset
    let elements = Dictionary(compiled.keyedSets.map { ($0.name, $0.elements.count) }) { first, _ in first }
    // Some of the nine pods have the same policy.
    #expect(elements["f"] == 9 * ApplyWorld.peers && elements["ig"] == 9 && elements["ib"] == 0)
    var blocks = Self.world
    blocks.hasBlocks = true
    #expect(
      EnforcementStyle.compiled.lower(blocks.view).ruleset.keyedSets.first { $0.name == "ib" }?.elements.count == 6)
  }

  @Test("a new pod adds itself and its peers, with an existing policy as with a new one")
  func newcomers() {
    func added(_ policy: Int) -> Int {
      var view = Self.world.view
      let old = EnforcementStyle.compiled.lower(view).ruleset
      view.pods.append(Self.world.newcomer(withPolicy: policy))
      let changes = old.changes(to: EnforcementStyle.compiled.lower(view).ruleset)
      #expect(changes.chains.isEmpty && changes.goneSets.isEmpty && changes.replaced.isEmpty)
      return changes.elements.flatMap(\.added).count
    }
    #expect(added(0) == 2 + ApplyWorld.peers && added(6) == 2 + ApplyWorld.peers)
  }

  @Test("ratios compare times of the same round, even if rounds differ")
  func ratio() {
    let ratio = FullApplies.ratio([1, 20, 300, 4], to: [10, 100, 1000, 0])
    #expect(ratio.values == [0.1, 0.2, 0.3])
  }

  @Test("memory is the sum of slabs, vmalloc and per-CPU areas in /proc/meminfo")
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
}
