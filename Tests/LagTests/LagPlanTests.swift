import Foundation
import Kernel
import Lowering
import NetpolModel
import RuleIR
import TestSupport
import Testing

@testable import Agent
@testable import Lag

private let small = LagWorld(policies: 10, pods: 40, local: 12)

@Suite("Lag: worlds, actors and streams") struct LagPlanTests {
  /// Prints the manifests of a measured world. It is next to the project on the machine that measured it.
  private static let printer = repository.appendingPathComponent("../shared/lag/world.py").standardized
  private static let hasPrinter = FileManager.default.fileExists(atPath: printer.path)

  @Test(
    "the generated world is the one in which the real controller was measured",
    .enabled(if: hasPrinter, "needs the printer of the measured worlds"),
    arguments: [(1, 4, 3), (50, 200, 60), (9, 30, 10)])
  func measuredWorld(_ policies: Int, _ pods: Int, _ local: Int) async throws {
    let text = try await Program.start(["python3", Self.printer.path, "\(policies)", "\(pods)", "\(local)"])
    let read = try readWorld(text.text)
    let own = LagWorld(policies: policies, pods: pods, local: local).cluster
    #expect(read.pods.map(\.withoutLocation) == own.pods.map(\.withoutLocation))
    #expect(read.policies.map(\.unlocated) == own.policies.map(\.unlocated))
    #expect(Set(read.namespaces) == Set(own.namespaces))
    #expect(read.nodes.map(\.addresses) == own.nodes.map(\.addresses))
  }

  @Test(
    "no two pods or newcomers of a world share an address, and all are in their node's block",
    arguments: [(1, 4, 3), (50, 200, 60), (7, 500, 160), (7, 1000, 161), (7, 2000, 2000), (7, 20_000, 10_000)])
  func addresses(_ policies: Int, _ pods: Int, _ local: Int) {
    let world = LagWorld(policies: policies, pods: pods, local: local)
    let cluster = world.cluster
    let newcomers = (0..<60).map { world.address(ofNewcomer: $0) }
    let all = cluster.pods.flatMap(\.podIPs) + newcomers
    #expect(Set(all).count == all.count)
    #expect(cluster.pods.count { $0.node == LagWorld.node } == local)
    let block = cluster.nodes[0].podCIDRs[0]
    #expect(newcomers.allSatisfy(block.contains))
    #expect(cluster.pods.allSatisfy { block.contains($0.podIPs[0]) == ($0.node == LagWorld.node) })
    #expect(!block.overlaps(cluster.nodes[1].podCIDRs[0]))
  }

  @Test(
    "the lab's own pods and policies are inside the counts, unless the world has too few",
    arguments: [
      (1, 4, 3, LagScenario.newPod, 2, 4), (50, 200, 60, .newPod, 50, 200), (300, 1000, 100, .newPod, 300, 1000),
      (2, 6, 4, .newPod, 2, 6), (10, 40, 12, .relabelled, 10, 41), (2, 6, 4, .reusedAddress, 5, 7),
      (1, 1, 1, .newPod, 2, 3), (7, 2, 2, .newPod, 7, 4),
    ])
  func shape(
    _ policies: Int, _ pods: Int, _ local: Int, _ scenario: LagScenario, _ expectedPolicies: Int, _ expectedPods: Int
  ) {
    let world = LagWorld(policies: policies, pods: pods, local: local)
    let cluster = LagActors(world, scenario, burst: 1, defaultDeny: false).before
    #expect(cluster.policies.count == expectedPolicies && cluster.pods.count == expectedPods)
    #expect(cluster.pods.count { $0.node == LagWorld.node } == local + expectedPods - pods)
    #expect(Set(cluster.pods.flatMap(\.podIPs)).count == expectedPods)
  }

  @Test(
    "each scenario has streams that open, close and stay open",
    arguments: LagScenario.allCases, EnforcementStyle.all)
  func streams(_ scenario: LagScenario, _ style: EnforcementStyle) throws {
    let plan = try LagPlan(LagActors(small, scenario, burst: 1, defaultDeny: false), style)
    #expect(Set(plan.streams.map(\.change)) == Set(LagStream.Change.allCases), "\(plan.streams)")
    #expect(plan.notes == [])
    #expect(plan.nodes == [LagWorld.node])
    let control = try #require(plan.streams.first { $0.change == .staysOpen })
    #expect(control.decidedBy.hasPrefix("ipBlock of"), "\(control.decidedBy)")
    if scenario != .reusedAddress {
      let opening = try #require(plan.streams.first { $0.change == .opens && $0.isOutgoing })
      #expect(opening.decidedBy.hasPrefix("podSelector of"), "\(opening.decidedBy)")
    }
  }

  @Test(
    "with default-deny everything of a newcomer is refused until it is programmed",
    arguments: EnforcementStyle.all.filter(\.knowsDefaultDeny)
  ) func defaultDeny(style: EnforcementStyle) throws {
    let plan = try LagPlan(LagActors(small, .newPod, burst: 1, defaultDeny: true), style)
    #expect(plan.streams.allSatisfy { $0.change == .opens })
    #expect(plan.notes.count == 1)
  }

  @Test("each of several newcomers has its own streams") func burst() throws {
    let plan = try LagPlan(LagActors(small, .newPod, burst: 4, defaultDeny: false), .kubeRouterK3s)
    #expect(Set(plan.streams.map(\.newcomer)) == [0, 1, 2, 3])
    #expect(Set(plan.actors.newcomers.map(\.after.podIP)).count == 4)
  }

  @Test("of many newcomers the first, the last and evenly chosen others are watched")
  func sampling() throws {
    let plan = try LagPlan(LagActors(small, .newPod, burst: 9, defaultDeny: false), .kubeRouterK3s)
    let all = plan.streams.count
    let newcomers = { (most: Int) in Set(plan.sampling(most).streams.map(\.newcomer)).sorted() }
    #expect(newcomers(all) == Array(0...8) && plan.watchedNewcomers == 9)
    #expect(
      newcomers(all - 1).count == 8 && newcomers(1) == [0] && newcomers(7) == [0, 8] && newcomers(9) == [0, 4, 8])
    #expect(plan.sampling(9).streams.count == 9 && plan.sampling(9).watchedNewcomers == 3)
    for most in 9...all { #expect(plan.sampling(most).streams.count <= most) }
  }

  @Test("every change of the actors can be undone", arguments: LagScenario.allCases)
  func undoing(_ scenario: LagScenario) throws {
    let actors = LagActors(small, scenario, burst: 2, defaultDeny: false)
    let node = try #require(actors.before.node(LagWorld.node))
    var view = NodeView(of: node, in: actors.before)
    for event in actors.events { _ = view.apply(event) }
    #expect(view.pods == NodeView(of: node, in: actors.after).pods)
    for event in actors.undoing { _ = view.apply(event) }
    #expect(view.pods == NodeView(of: node, in: actors.before).pods)
  }

  @Test("clients have the newcomer's labels and unused addresses") func clients() throws {
    let plan = try LagPlan(LagActors(small, .newPod, burst: 1, defaultDeny: false), .kubeRouterK3s, clients: 3)
    let newcomer = try #require(plan.actors.newcomers.first?.after)
    #expect(plan.clients.count == 12 && plan.churner != nil)
    #expect(plan.clients.allSatisfy { $0.labels == newcomer.labels && $0.node == newcomer.node })
    let all = (plan.actors.after.pods + plan.clients + [try #require(plan.churner)]).flatMap(\.podIPs)
    #expect(Set(all).count == all.count)
    let targets = try #require(plan.requestTargets)
    let ports = [targets.bySelector.ports, targets.byBlock?.ports] + plan.unpoliced.map(\.ports)
    #expect(ports.count == 4 && ports.allSatisfy { $0?.udp != nil && $0?.tcp != nil })
  }

  @Test("if policies allow TCP ports only, streams that UDP can't show consist of SYNs")
  func connectionsAlone() throws {
    let actors = try ConnectionsAlone.actors()
    let plan = try LagPlan(actors, .kubeRouterK3s, clients: 1)
    let found = plan.streams.map {
      "\($0.change.rawValue) \($0.isOutgoing ? "out" : "in") \($0.flow.question)"
    }
    #expect(
      Set(found.filter { $0.contains("TCP") }) == [
        "opens out TCP/5432", "stays-open out TCP/6379", "closes out TCP/8080",
      ])
    #expect(found.count == 4 && found.contains { $0.hasPrefix("closes in UDP/") }, "\(found)")
    #expect(plan.notes == [])
    #expect(plan.streams.first { $0.change == .opens }?.decidedBy == "podSelector of app/db")
    let targets = try #require(plan.requestTargets)
    #expect(targets.bySelector.ports.udp == nil && targets.bySelector.ports.tcp == 5432)
    #expect(targets.byBlock?.ports.udp == nil && targets.byBlock?.ports.tcp == 6379)
    #expect(plan.unpoliced.map { $0.ports.udp == nil } == plan.unpoliced.map { $0.stream.isOutgoing })
  }

  @Test("an ipBlock instead of the selector admits every pod") func openedPairs() throws {
    let plan = try LagPlan(LagActors(small, .newPod, burst: 1, defaultDeny: false), .kubeRouterK3s)
    let opened = try #require(OpenedPairs(plan))
    #expect(opened.policies == [PolicyID("lag-0", "allow-intra-namespace")])
    let pods = plan.actors.after.pods
    let receivers = pods.count { $0.id.namespace == "lag-0" }
    #expect(opened.all == receivers * (pods.count - 1))
    #expect(opened.openWithBlock == opened.all)
    // Pods of the namespace, Traefik, Prometheus and the dashboard. All pods for the pod that has an ipBlock.
    #expect(opened.open == (receivers - 1) * (receivers - 1 + 3) + pods.count - 1)
  }

  @Test(
    "a style with another way to refuse differs in nothing else", arguments: EnforcementStyle.all)
  func refusals(_ style: EnforcementStyle) throws {
    let cluster = small.cluster
    let view = NodeView(of: cluster.nodes[0], in: cluster)
    let rules = { (kind: RefusalKind) in
      style.refusing(by: kind).lower(view).ruleset.tables.flatMap(\.chains).flatMap(\.rules)
    }
    #expect(rules(.portUnreachable) == style.lower(view).ruleset.tables.flatMap(\.chains).flatMap(\.rules))
    let refuses = rules(.portUnreachable).count { $0.statements.contains(.reject(.portUnreachable)) }
    #expect(refuses > 0)
    #expect(rules(.drop).count == rules(.portUnreachable).count)
    #expect(!rules(.drop).contains { $0.statements.contains(.reject(.portUnreachable)) })
    #expect(rules(.tcpReset).count { $0.statements.contains(.reject(.tcpReset)) } == refuses)
    #expect(rules(.tcpReset).count == rules(.portUnreachable).count + refuses)
  }
}

extension Pod {
  fileprivate var withoutLocation: Pod {
    var pod = self
    (pod.location, pod.owner) = (nil, nil)
    return pod
  }
}
