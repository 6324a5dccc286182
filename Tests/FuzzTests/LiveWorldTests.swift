// Not covered: thousands of sequences. docs/fuzzing.md says how many were run.
import Foundation
import Fuzz
import Kernel
import Lowering
import Manifests
import NetpolModel
import TestSupport
import Testing
import Worlds

@Suite("Worlds that change", .serialized) struct LiveWorldTests {
  /// A sequence for each seed, with the styles in turn.
  private static func failures(
    _ seeds: Range<UInt64>, steps: Int, _ check: inout WorldCheck
  ) -> (failures: [String], coverage: FuzzCoverage) {
    var coverage = FuzzCoverage()
    var failures: [String] = []
    for seed in seeds {
      let style = EnforcementStyle.all[Int(seed) % EnforcementStyle.all.count]
      let sequence = LiveWorld(seed: seed).sequence(steps: steps)
      let result = check.check(sequence, style, seed: seed)
      coverage.add(result.coverage)
      failures += result.failures.map { "seed \(seed), \($0.style): \($0.text)" }
    }
    return (failures, coverage)
  }

  @Test("in 20 sequences, changes turn each ruleset into the next one, and the engines agree after each")
  func sequences() async throws {
    try await blocking {
      var check = WorldCheck()
      check.flowLimit = 20
      let (failures, coverage) = Self.failures(0..<20, steps: 6, &check)
      #expect(failures.isEmpty, "\(failures.prefix(3))")
      #expect(coverage.cases == 20 && coverage.states >= 140 && coverage.flows > 1000)
    }
  }

  @Test(
    "in one sequence per style, the kernel has the right rules after each change, and packets agree",
    .needsNamespaces)
  func packets() async throws {
    try await blocking {
      var check = try WorldCheck(packetsAs: "test")
      check.flowLimit = 15
      let (failures, coverage) = Self.failures(0..<4, steps: 4, &check)
      #expect(failures.isEmpty, "\(failures.prefix(3))")
      #expect(coverage.observed > 100)
      #expect(check.labsBuilt == 1)
    }
  }

  @Test(
    "changes that leave removed members are found, shrunk to one small change and replayed",
    arguments: EnforcementStyle.all.map(\.name))
  func shrunk(_ name: String) async throws {
    let style = try #require(EnforcementStyle.named(name))
    try await blocking {
      var check = WorldCheck()
      check.flowLimit = 20
      check.forgetsMembers = true
      let fails = { (sequence: ClusterSequence) in
        check.check(sequence, style, seed: 1).failures.contains { $0.kind == .changedOtherwise }
      }
      let failing = try #require(
        (0..<20).lazy.map { LiveWorld(seed: $0).sequence(steps: 6) }.first(where: fails))
      let smallest = failing.shrunk(attempts: 1000, while: fails)
      #expect(smallest.states.count == 2 && fails(smallest))
      #expect(smallest.states.allSatisfy { $0.policies.count <= 2 && $0.pods.count <= 2 && $0.services.isEmpty })
      let read = try ClusterSequence.manifests(in: smallest.text).map { text in
        try readManifests(
          [ManifestSource(name: "state.yaml", text: text)], options: ReadOptions(validation: .asStored)
        ).cluster
      }
      let again = try #require(ClusterSequence(read))
      #expect(fails(again))
      check.forgetsMembers = false
      #expect(check.check(again, style, seed: 1).failures.isEmpty)
    }
  }

  @Test("states that need different labs are no sequence; a pod that takes over an address needs no new lab")
  func places() throws {
    let world = LiveWorld(seed: 3)
    var other = world.places
    other.nodes[0].name = "elsewhere"
    #expect(ClusterSequence([world.places, other]) == nil && ClusterSequence([]) == nil)
    var later = world.places
    let index = try #require(later.pods.firstIndex { !$0.hostNetwork && !$0.podIPs.isEmpty && !$0.phase.isTerminal })
    later.pods[index].id = PodID("ns1", "successor")
    #expect(try #require(ClusterSequence([world.places, later])).places.pods == world.places.pods)
    later.pods.removeAll()
    let placed = { (cluster: Cluster) in
      Set(cluster.pods.filter { !$0.hostNetwork && !$0.phase.isTerminal }.flatMap(\.podIPs))
    }
    #expect(placed(try #require(ClusterSequence([later, world.places])).places) == placed(world.places))
  }

  @Test("pods are added, deleted, ended and relabelled and reuse addresses; policies and namespaces change too")
  func changes() {
    var seen: Set<String> = []
    for seed in UInt64(0)..<20 {
      var world = LiveWorld(seed: seed)
      var again = LiveWorld(seed: seed)
      let places = Set(world.places.pods.flatMap(\.podIPs))
      for _ in 0..<10 {
        let change = world.step()
        #expect(again.step() == change)
        seen.formUnion(change.split(separator: " ").filter { !$0.contains("/") }.map(String.init))
        let own = world.cluster.pods.filter { !$0.hostNetwork && !$0.phase.isTerminal }.flatMap(\.podIPs)
        #expect(places.isSuperset(of: own) && Set(own).count == own.count, "\(change)")
      }
      #expect(world.cluster == again.cluster)
    }
    #expect(
      seen.isSuperset(of: ["pod", "policy", "namespace", "removed", "added", "ends", "relabelled", "takes", "changes"]))
  }
}
