import Foundation
import Kernel
import Lowering
import NetpolModel
import Report
import TestSupport
import Testing
import Text

@testable import Bench

@Suite("Bench: plans and selected flows") struct BenchPlanTests {
  @Test("the plan of the usual sweep is shorter than five minutes, that of the full one takes hours") func usual() {
    let usual = SweepPlan(.usual)
    #expect(usual.total < .seconds(300) && usual.total > .seconds(60))
    #expect(SweepPlan(.full).total > .seconds(3600))
    #expect(usual.worlds == 7 && usual.batches.count == 1)
    #expect(usual.text == "7 worlds, 300 rounds: about \(roughText(usual.total))")
  }

  @Test("a plan grows with rounds, worlds, pods and families") func grows() {
    let total = { (sweep: PacketSweep) in SweepPlan(sweep).total }
    let world = { (pods: Int) in PacketSweep([.init(BenchWorld(pods: pods), PacketSweep.mainProbes)]) }
    var longer = world(10)
    longer.rounds *= 10
    #expect(total(longer) > total(world(10)) * 5)
    #expect(total(world(10_000)) > total(world(10)) * 10)
    #expect(abs(total(world(10).over(IPFamily.allCases)) / total(world(10)) - 2) < 0.001)
    var one = world(1000)
    one.styles = [.compiled]
    #expect(total(one) < total(world(1000)) / 2)
  }

  @Test("the remaining time depends on the finished batches and excludes the current one") func left() {
    let plan = SweepPlan(.full)
    let all = plan.batches
    #expect(all.count > 3)
    let rest = { (from: Int) in all.dropFirst(from).reduce(Duration.zero, +) }
    #expect(plan.left(behind: []) == rest(1))
    #expect(abs(plan.left(behind: [all[0]]) / rest(2) - 1) < 0.001)
    let slow = plan.left(behind: [all[0] * 2, all[1] * 2]) / rest(3)
    #expect(abs(slow - 2) < 0.001)
    #expect(plan.left(behind: all) == .zero)
  }

  @Test(
    "durations of plans are rounded",
    arguments: [(0.4, "0 s"), (99, "99 s"), (100, "2 min"), (3600, "60 min"), (6000, "1 h 40 min"), (7200, "2 h")])
  func rough(_ seconds: Double, _ text: String) {
    #expect(roughText(.seconds(seconds)) == text)
  }

  @Test("a step shows its progress and the remaining time") func steps() {
    var step = BenchProgress.measuring(100, of: 300, in: .seconds(20))
    #expect(step.text == "round 100 of 300, about 40 s left")
    (step.batch, step.batches) = (2, 12)
    #expect(step.text == "batch 2 of 12: round 100 of 300, about 40 s left")
    #expect(BenchProgress(.building(3, of: 7)).text == "loading rules 3 of 7")
  }

  @Test("the node with the most flows of a user's cluster is chosen, with flows by family and verdict") func flows()
    throws
  {
    let chosen = try PolicyFlows(BenchWorld(pods: 30, policies: 1, peers: 4).cluster)
    #expect(chosen.node.name == BenchWorld.node && chosen.families == [.v4])
    #expect(chosen.groups.map(\.isAllowed) == [true, false])
    #expect(chosen.groups.allSatisfy { $0.flows.count == 64 && $0.found > 64 })
    let six = try PolicyFlows(BenchWorld(pods: 3, policies: 1, peers: 4, family: .v6).cluster)
    #expect(six.families == [.v6] && six.blocks == [BenchAddresses(.v6).pods])
  }

  @Test("if there is nothing to measure, one line says why") func nothing() {
    func why(_ cluster: Cluster, _ families: [IPFamily] = IPFamily.allCases) -> String? {
      do {
        _ = try PolicyFlows(cluster, families: families)
        return nil
      } catch { return "\(error)" }
    }
    #expect(why(Cluster())?.contains("no pod has a node and an address") == true)
    var lost = BenchWorld(pods: 1, peers: 1).cluster
    lost.nodes = []
    #expect(why(lost)?.contains("bench/client: it is on no node") == true)
    #expect(why(BenchWorld(pods: 1, peers: 1).cluster, [.v6])?.contains("no TCP or UDP flow over IPv6") == true)
    #expect(why(BenchWorld(pods: 1, peers: 1).cluster) == nil)
  }

  @Test(
    "the command names the option that it can't use", .needsNamespaces,
    arguments: [
      (["--families", "ipv5"], "The value 'ipv5' is invalid for '--families <families>'. Please provide one of"),
      (["--families", ""], "'--families <families>'"),
      (["engines", "--families", "ipv6"], "Unknown option '--families'"),
      (["micro", "-f", "x"], "Unknown option '-f'"), (["apply", "--styles", "compiled"], "Unknown option '--styles'"),
      (["--full", "--pods", "3"], "--full can't be combined with --pods"),
      (["-f", "x", "--pods", "3"], "-f can't be combined with --pods"),
      (["engines", "-f", "x", "--pods", "3"], "--policies, --pods and --local can't be combined with -f"),
      (["engines", "--flows", "3", "--all-pairs"], "--all-pairs can't be combined with --flows"),
      (["engines", "--pods", "3", "--local", "4"], "--local 4: write a number from 1 to 3"),
    ])
  func command(_ arguments: [String], _ said: String) async throws {
    let result = try await Program.run(["bench"] + arguments)
    #expect(result.status == .exited(2) && result.errors.contains(said), "\(result)")
  }
}
