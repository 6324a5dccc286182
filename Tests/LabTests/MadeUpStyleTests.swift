// Not covered: registering a style (EnforcementStyle.all), which takes one entry there.
import Agent
import Bench
import Documents
import DumpDiff
import Dumps
import Enforcement
import EngineComparison
import Evaluator
import Foundation
import Kernel
import Lag
import Lowering
import NetpolModel
import Network
import Path
import Rendering
import Report
import RuleIR
import Run
import Statistics
import TestSupport
import Testing

/// A style as a contributor would add it: a name, a back end and rules. Whatever policies say, all traffic to and from
/// the pods that the node knows is allowed, and other addresses in its pod CIDRs are refused.
private func madeUp(_ backend: Ruleset.Backend) -> EnforcementStyle {
  EnforcementStyle(name: "made-up-\(backend.rawValue)", backend: backend) { view in
    var ruleset = Ruleset(backend: backend)
    for family in view.families {
      let pods = view.pods.filter { $0.node == view.node && !$0.hostNetwork }.flatMap(\.podIPs)
      let known = NamedSet(
        name: "made-up-\(family.rawValue.lowercased())", family: family, kind: .addresses,
        members: Set(pods.filter { $0.family == family }).sorted().map { .init(CIDR($0)) })
      let refusals = view.podCIDRs.filter { $0.family == family }.flatMap { block in
        Side.allCases.map { side in
          Rule([.address(side, block), .inSet(side, known.name, negated: true)], [.reject(.portUnreachable)])
        }
      }
      let rules = refusals + [Rule([], [.accept], comment: "an acquaintance")]
      let jump = Rule([], [.jump("MADE-UP")], comment: "made up")
      let hooks = [Hook.input, .forward, .output].map { hook in
        Chain(name: hook.rawValue.uppercased(), base: Chain.Base(hook), rules: hook == .forward ? [jump] : [])
      }
      ruleset.sets.append(known)
      ruleset.tables.append(
        Table(
          name: backend == .iptables ? "filter" : "made-up", family: family,
          chains: hooks + [Chain(name: "MADE-UP", rules: rules)]))
    }
    return Lowered(ruleset)
  }
}

private let madeUps = [madeUp(.iptables), madeUp(.nftables)]
private let all = EnforcementStyle.all + madeUps

private func world() throws -> Cluster {
  let policy = """
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {namespace: app, name: nobody}
    spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}
    """
  return try readWorld(webAndClient + secondWeb + policy)
}

private func view() throws -> NodeView {
  let cluster = try world()
  return NodeView(of: try #require(cluster.node("node1")), in: cluster)
}

/// A dump of a node that has these rules.
private func dump(_ ruleset: Ruleset) throws -> NodeRules {
  switch ruleset.backend {
  case .nftables: return NodeRules(try readNftList(try nftText(ruleset), file: "dump"))
  case .iptables:
    let tables = try ruleset.tables.map {
      try readIptablesSave(try iptablesRestoreText($0), family: $0.family, file: "dump")
    }
    return NodeRules(tables, try readIpsetSave(try ipsetRestoreText(ruleset.sets), file: "dump"))
  }
}

private func compared(_ node: Ruleset, with style: EnforcementStyle) throws -> DumpComparison {
  var view = try view()
  let traces = style.traces(on: view)
  let dump = try dump(node)
  view.families = dump.families(traces)
  return try DumpComparison(dump, expected: style.lower(view).ruleset, traces: traces, namesHold: false)
}

@Suite("A style that isn't registered") struct MadeUpStyleTests {
  @Test("it is rendered", arguments: madeUps) func rendered(style: EnforcementStyle) throws {
    let ruleset = style.lower(try view()).ruleset
    switch style.backend {
    case .iptables:
      let text = try iptablesRestoreText(try #require(ruleset.table("filter", .v4)))
      #expect(text.contains("-A MADE-UP -m comment --comment \"an acquaintance\" -j ACCEPT"))
      #expect(try ipsetRestoreText(ruleset.sets).contains("add made-up-ipv4 10.42.0."))
    case .nftables: #expect(try nftText(ruleset).contains("@made-up-ipv4"))
    }
  }

  @Test("it has the agent that every style has", arguments: madeUps) func agent(style: EnforcementStyle) {
    #expect(style.agents == [.incremental] && LagOptions(style: style).agent == .incremental)
    #expect(!style.knowsDefaultDeny && style.costPerPod > 0)
  }

  @Test("its accepting rule is reported as deciding, and other programs' rules are not", arguments: madeUps)
  func deciding(style: EnforcementStyle) throws {
    let cluster = try world()
    let enforced = try EnforcedCluster(cluster, Topology(cluster), style, versionStamp: "1")
    let (web, client) = (PodID("app", "web"), PodID("app", "client"))
    let flow = try #require(
      enforced.topology.flow(from: .pod(client), to: .pod(web), TransportPort(.tcp, 8080), .v4))
    let walk = enforced.walk(flow)
    #expect(walk.deciding.map(\.step.rule.comment) == ["an acquaintance"])
    if style.backend == .nftables {
      // It has tables of its own, so the rules in the other tables are evaluated too.
      #expect(
        walk.hooks.flatMap(\.outcome.steps).contains { $0.chain == "FLANNEL-FWD" && $0.rule.statements == [.accept] })
    }
  }

  // MARK: - Dumps

  @Test("a dump is recognised as the style that wrote it, and has no differences from it", arguments: all)
  func recognised(style: EnforcementStyle) throws {
    let ruleset = style.lower(try view()).ruleset
    let names = try dump(ruleset).names
    #expect(EnforcementStyle.recognising(names, among: all)?.name == style.name)
    #expect(all.filter { $0.recognises(names) && $0.backend == names.backend }.count == 1)
    let comparison = try compared(ruleset, with: style)
    #expect(comparison.differences == [] && comparison.chains > 0 && comparison.rules > 0 && comparison.sets > 0)
    #expect(comparison.foreign == NodeRules.Foreign())
  }

  @Test("a dump with only other programs' rules belongs to no style", arguments: [Ruleset.Backend.iptables, .nftables])
  func nobodys(backend: Ruleset.Backend) throws {
    let chain = Chain(name: "INPUT", base: Chain.Base(.input), rules: [Rule([.local(.source)], [.accept])])
    let ruleset = Ruleset(backend: backend, tables: [Table(name: "filter", family: .v4, chains: [chain])])
    #expect(EnforcementStyle.recognising(try dump(ruleset).names, among: all) == nil)
  }

  @Test("a missing rule, member or element is a difference, and so is an extra one", arguments: all)
  func differing(style: EnforcementStyle) throws {
    let ruleset = style.lower(try view()).ruleset
    var changes: [(what: String, ruleset: Ruleset)] = []
    for (table, chains) in ruleset.tables.map(\.chains).enumerated() {
      for (chain, rules) in chains.map(\.rules).enumerated() where !rules.isEmpty {
        var less = ruleset
        less.tables[table].chains[chain].rules.removeLast()
        changes.append(("\(chains[chain].name) without its last rule", less))
      }
      // In a built-in chain, an extra rule may belong to any program.
      let own = chains.firstIndex { $0.base == nil }
      var more = ruleset
      more.tables[table].chains[try #require(own)].rules.append(Rule([.local(.source)], [.accept]))
      changes.append(("a rule more", more))
    }
    for index in ruleset.sets.indices where !ruleset.sets[index].members.isEmpty {
      var less = ruleset
      less.sets[index].members.removeLast()
      changes.append(("\(less.sets[index].name) without a member", less))
    }
    for index in ruleset.keyedSets.indices {
      var changed = ruleset
      if changed.keyedSets[index].elements.popLast() == nil {
        let set = changed.keyedSets[index]
        changed.keyedSets[index].elements = [
          .init(set.fields.map { _ in 1 }, through: set.hasRanges ? 2 : nil, mark: set.isMap ? 1 : nil)
        ]
      }
      changes.append(("\(changed.keyedSets[index].name) with other elements", changed))
    }
    for change in changes {
      #expect(try !compared(change.ruleset, with: style).differences.isEmpty, "\(change.what)")
    }
  }

  @Test("what another style left on the node counts as foreign") func foreign() throws {
    let (own, other) = (madeUp(.iptables), EnforcementStyle.kubeRouterIptables)
    var both = own.lower(try view()).ruleset
    let left = other.lower(try view()).ruleset
    both.sets += left.sets
    both.tables[0].chains += left.tables[0].chains.filter { $0.base == nil }
    let comparison = try compared(both, with: own)
    #expect(comparison.differences == [] && comparison.foreign.chains > 5 && comparison.foreign.sets == left.sets.count)
  }

  // MARK: - Packets

  @Suite("With real packets", .serialized, .needsNamespaces) struct Packets {
    @Test("it runs, with unexplained differences from the specification where policies deny", arguments: madeUps)
    func run(style: EnforcementStyle) async throws {
      let cluster = try world()
      let report = try await blocking { try ClusterRun(style: style).run(cluster, version: "test") }
      #expect(report.comparisons.contains { $0.specified?.verdict == .deny && $0.observed == .allow })
      for comparison in report.comparisons where comparison.observed != nil {
        let finding: Comparison.Finding =
          comparison.specified?.verdict == comparison.observed ? .agreement : .unexplained
        #expect(comparison.finding == finding && comparison.observed == .allow, "\(comparison.flow)")
      }
      #expect(report.document.text().contains(style.name))
    }

    @Test("it has no full sync", arguments: madeUps) func noFullSync(style: EnforcementStyle) throws {
      let view = try view()
      let worker = try NamespaceWorker()
      #expect(throws: LabError.self) {
        try EnforcementAgent(view, style: style, in: try worker.makeNamespace(), worker: worker)
      }
    }
  }
}

extension Alone {
  @Suite("A made-up style, measured", .needsNamespaces) struct MadeUpStyleTests {
    @Test("lag is measured, and steps have the style's own names", arguments: madeUps)
    func lag(style: EnforcementStyle) async throws {
      var style = style
      style.moments = [.lower: "acquaintances listed"]
      var options = LagOptions(style: style)
      (options.trials, options.requests) = (2, 0)
      let run = LagRun(
        LagWorld(policies: 2, pods: 6, local: 4), .newPod, burst: 1, defaultDeny: false, options: options)
      let report = try await blocking { try run.run(version: "test") }
      #expect(report.findings == [])
      // Windows of the incremental agent may be too short for a debug build's packets.
      #expect(report.streams.contains { $0.stream.change == .opens && $0.sent > 0 })
      #expect(report.timeline.contains { $0.name == "acquaintances listed" })
      #expect(report.document.text().contains("enforcer incremental"))
    }

    @Test("the cost of its packets is measured next to all other styles") func bench() async throws {
      let probes = [BenchProbe(.established, .lastPod), BenchProbe(.first, .lastPod)]
      let sweep = PacketSweep([.init(BenchWorld(pods: 2, peers: 2), probes)], styles: all, rounds: 10)
      let report = try await blocking { try PacketBench(sweep).run(version: "test") }
      for style in madeUps {
        #expect(report.rows.count { $0.rules == style.name && $0.packet.value > 0 } == probes.count)
      }
    }

    @Test("the cost of loading and changing its rules is measured") func apply() async throws {
      let report = try await blocking {
        var options = ApplyBenchOptions()
        (options.policies, options.pods, options.rounds, options.updates, options.copies) = (2, 3, 2, 10, 1)
        return try ApplyBench(options, styles: madeUps).run(version: "test")
      }
      for style in madeUps {
        #expect(report.applies.count { $0.style == style.name } == 2)
        #expect(report.updates.contains { $0.rules == style.name })
        #expect(report.memory.contains { $0.style == style.name })
      }
      #expect(Set(report.newPods.map(\.style)) == ["made-up-nftables"])
      #expect(report.syncs.isEmpty)
    }
  }
}
