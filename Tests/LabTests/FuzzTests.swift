// What this does not show: that thousands of worlds agree; docs/fuzzing.md says how many were run.
import Foundation
import Kernel
import Lab
import Lowering
import NetpolModel
import RuleIR
import Testing
import Worlds

@Suite("Random worlds, compared", .serialized) struct FuzzTests {
  /// No flow of a world shows these.
  private static let unseen: [RuleKind: String] = [
    .icmpType: "pings are not asked of worlds", .random: "the lab's rules choose the first endpoint",
  ]

  private static let seeds = Array(UInt64(0)..<196) + [263, 297, 319, 342]
  /// Worlds with few flows that show something rare (D4, D10, D16, D21): all of theirs are asked.
  private static let rare: Set<UInt64> = [72, 78, 263, 297, 319, 342]

  @Test("oracle and evaluator agree on 200 worlds in every style, which meet every deviation and every kind of rule")
  func worlds() async throws {
    let found = try await blocking {
      var check = WorldCheck()
      return Self.coverage(Self.seeds, &check) { Self.rare.contains($0) ? 5000 : 40 }
    }
    #expect(found.cases == Self.seeds.count * EnforcementStyle.all.count)
    let missing = Set(EnforcementStyle.all.flatMap(\.traits.deviations)).subtracting(found.deviations.keys)
    #expect(missing.isEmpty, "deviations that no flow showed: \(missing.map(\.id).sorted())")
    let unmatched = found.written.subtracting(found.matched).subtracting(Self.unseen.keys)
    #expect(unmatched.isEmpty, "kinds of rules that no packet matched: \(unmatched.map(\.rawValue).sorted())")
  }

  @Test(
    "packets agree on eight worlds in every style, four of them in one lab",
    .enabled(if: canRunLab, needsNamespaces))
  func packets() async throws {
    let (found, labs) = try await blocking {
      var check = try WorldCheck(packetsAs: "test")
      return (Self.coverage([0, 1, 2, 3, 8, 9, 10, 11], &check) { _ in 80 }, check.labsBuilt)
    }
    #expect(found.casesWithPackets == 8 * EnforcementStyle.all.count && labs == 2)
    #expect(found.observed > 1000 && found.allowed > 100 && found.allowed < found.flows)
  }

  private static func coverage(
    _ seeds: [UInt64], _ check: inout WorldCheck, flows: (UInt64) -> Int
  ) -> FuzzCoverage {
    var coverage = FuzzCoverage()
    for seed in seeds {
      let world = World(seed: seed)
      check.flowLimit = flows(seed)
      for style in EnforcementStyle.all {
        let result = check.check(world.cluster, style, seed: seed)
        coverage.add(result.coverage)
        #expect(result.failures.isEmpty, "seed \(seed), \(style.name): \(result.failures.first?.text ?? "")")
      }
    }
    return coverage
  }

  @Test("a style that enforces nothing is found out, and the world is shrunk to a pod and a policy")
  func shrinking() throws {
    let open = EnforcementStyle(
      name: "open", backend: .iptables, traits: EnforcementStyle.kubeRouterK3s.traits.making([])
    ) { _ in Lowered(.init()) }
    var check = WorldCheck()
    let failing = try #require(
      (0..<50).lazy.map { World(seed: $0) }.first { world in
        check.check(world.cluster, open, seed: world.seed).failures.contains { $0.kind == .unexplained }
      })
    let smallest = failing.cluster.shrunk(attempts: 500) { smaller in
      check.check(smaller, open, seed: failing.seed).failures.contains { $0.kind == .unexplained }
    }
    #expect(smallest.policies.count == 1 && smallest.pods.count <= 2 && smallest.services.isEmpty)
    #expect(smallest.policies.allSatisfy { $0.ingress.isEmpty && $0.egress.isEmpty && $0.isolates.count == 1 })
    #expect(check.check(smallest, open, seed: failing.seed).failures.contains { $0.kind == .unexplained })
  }

  @Test("fuzz without packets ends with 0, and with 2 for what it can't do")
  func program() async throws {
    let result = try await Program.run(["fuzz", "--no-kernel", "--seed", "7", "--cases", "2", "--flows", "30"])
    let clusters = "2 clusters in \(2 * EnforcementStyle.all.count) cases"
    #expect(result.status == .exited(0) && result.output.hasPrefix(clusters), "\(result.errors)")
    for wrong in [
      ["--cases", "0"], ["--steps", "0"], ["--mutants", "0"], ["--style", "ipvs"], ["--time", "soon"],
      ["--flows", "0"], ["--replay", "nowhere.yaml"], ["--mutants", "5", "--cases", "3"], ["--live", "--mutants", "5"],
    ] {
      let refused = try await Program.run(["fuzz", "--no-kernel"] + wrong)
      #expect(
        refused.status == .exited(2) && refused.errors.contains(wrong[0].hasPrefix("--replay") ? wrong[1] : wrong[0]))
      #expect(refused.output.isEmpty && refused.errors.filter { $0 == "\n" }.count == 1, "\(refused.errors)")
    }
  }

  @Test("fuzz tells programs the same in JSON")
  func json() async throws {
    let result = try await Program.run(
      ["fuzz", "--no-kernel", "--cases", "2", "--flows", "30", "-o", "json"])
    let object = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    #expect(object["schema"] as? String == "netpol-lab/fuzz/v1" && object["clusters"] as? Int == 2)
    #expect(object["cases"] as? Int == 2 * EnforcementStyle.all.count && (object["flows"] as? Int ?? 0) > 60)
    #expect(object["packets"] as? Int == 0 && object["deviations"] is [String: Int])
    #expect((object["findings"] as? [Any])?.isEmpty == true && result.status == .exited(0))
  }

  @Test("fuzz ends with 1 for a mistake that is found, and prints a manifest that shows it")
  func finding() async throws {
    let result = try await Program.run(
      ["fuzz", "--no-kernel", "--plant", "1", "--seed", "0", "--cases", "8", "--flows", "60", "--style", "compiled"])
    #expect(result.status == .exited(1), "\(result.errors)")
    #expect(result.output.contains("style compiled, mistaken: ") && result.output.contains("\nkind: Cluster\n"))
    let few = try await Program.run(["fuzz", "--mutants", "5", "--cases", "4", "--flows", "1"])
    #expect(few.status == .exited(1) && few.output.contains("unnoticed: ") && few.output.contains("of 5 mutants"))
    let object = try await Program.run(["fuzz", "--mutants", "2", "--cases", "4", "--flows", "1", "-o", "json"]).output
    #expect(object.contains("\"schema\":\"netpol-lab/mutants/v1\"") && object.contains("\"mistakes\":2"))
  }

  @Test("fuzz ends with 3 where there is no lab", .enabled(if: canRunLab, needsNamespaces))
  func machine() async throws {
    let shell = "echo 0 > /proc/sys/user/max_net_namespaces && exec \"$0\" fuzz --cases 1"
    let result = try await Program.start(["unshare", "-Ur", "sh", "-c", shell, Program.path])
    #expect(result.ending == .exited(3))
  }

  @Test("fuzz tells what it has done when it is interrupted")
  func interrupted() async throws {
    let result = try await Program.start(
      [
        "timeout", "--preserve-status", "--signal=INT", "5", Program.path, "fuzz", "--no-kernel", "--flows", "10",
        "--cases", "1000000",
      ])
    #expect(result.ending == .exited(0) && result.text.contains(" clusters in "))
  }
}
