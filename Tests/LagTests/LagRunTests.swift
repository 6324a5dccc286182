import Apply
import Documents
import Foundation
import Kernel
import Lowering
import NetpolModel
import Rendering
import Report
import RuleIR
import Statistics
import TestSupport
import Testing

@testable import Agent
@testable import Lag

private let tiny = LagWorld(policies: 2, pods: 6, local: 4)

extension Alone {
  @Suite("Lag: real packets while an enforcer is at work", .needsNamespaces)
  struct LagRunTests {
    private func measure(
      _ style: EnforcementStyle = .kubeRouterK3s, _ scenario: LagScenario = .newPod, burst: Int = 1,
      defaultDeny: Bool = false, _ change: @Sendable (inout LagOptions) -> Void = { _ in }
    ) async throws -> LagReport {
      var options = LagOptions(style: style)
      options.trials = 3
      options.requests = 0
      // Other tests need the processor too.
      options.spacing = .milliseconds(1)
      change(&options)
      let run = LagRun(tiny, scenario, burst: burst, defaultDeny: defaultDeny, options: options)
      return try await blocking { try run.run(version: "test") }
    }

    @Test(
      "a selector loses the new pod's packets until the set has it, an ipBlock loses none, the pod's rules come last",
      arguments: EnforcementStyle.kubeRouters.map { ($0, AgentKind.fullSync) }
        + EnforcementStyle.all.map { ($0, AgentKind.incremental) })
    func windows(_ style: EnforcementStyle, _ agent: AgentKind) async throws {
      let report = try await measure(style) {
        $0.agent = agent
        // Its windows are shorter than a millisecond.
        if agent == .incremental { $0.spacing = .microseconds(50) }
      }
      #expect(report.findings == [])
      for result in report.streams {
        switch result.stream.change {
        case .staysOpen: #expect(result.lost == 0 && result.sent > 10)
        case .opens, .closes: #expect(result.windows.count + result.undecided.values.reduce(0, +) == 3, "\(result)")
        }
      }
      let median = { (change: LagStream.Change) in
        report.streams.first { $0.stream.change == change && $0.stream.isOutgoing }?.windows.median
      }
      // The incremental agent's windows may be too short for a debug build's packets.
      if agent == .fullSync {
        #expect(try #require(median(.opens)) > 0)
        #expect(try #require(median(.opens)) < (try #require(median(.closes))), "sets come before chains")
      }
      let moments = report.timeline.map(\.name)
      #expect(
        moments.first?.hasPrefix("the API server reports") == true
          && (agent == .incremental || moments.last == "sync ends"),
        "\(moments)")
      if agent == .fullSync {
        #expect(!report.betweenWindows.isEmpty && !report.resolution.slowdown.isEmpty)
        #expect(try #require(report.betweenWindows.median) > 0)
      }
      let text = report.document.text()
      #expect(text.contains("Resolution:") && text.contains("Advice:") && text.contains("x lost"))
      let json = try #require(try JSONSerialization.jsonObject(with: try report.document.json()) as? [String: Any])
      #expect(json["schema"] as? String == "netpol-lab/lag/v1" && json["asExpected"] as? Bool == true)
    }

    @Test("if policies allow TCP ports only, SYNs show the windows, and requests are connections")
    func connectionsAlone() async throws {
      var options = LagOptions(style: .kubeRouterK3s)
      (options.trials, options.requests, options.spacing) = (3, 1, .microseconds(200))
      let cluster = try ConnectionsAlone.cluster()
      let run = LagRun(cluster, newcomer: try ConnectionsAlone.newcomer(in: cluster), options: options)
      let report = try await blocking { try run.run(version: "test") }
      #expect(report.findings == [])
      for result in report.streams where result.stream.flow.transport == .tcp {
        if result.stream.change == .staysOpen {
          #expect(result.lost == 0 && result.sent > 10)
        } else {
          #expect(result.windows.count + result.undecided.values.reduce(0, +) == 3, "\(result)")
        }
      }
      let opening = try #require(report.streams.first { $0.stream.change == .opens })
      #expect(opening.stream.flow.transport == .tcp && !opening.windows.isEmpty)
      #expect(report.document.text().contains("SYNs lost"))
      #expect(!report.requests.isEmpty && report.requests.allSatisfy { $0.kind == .tcp })
      let survivors = report.survivors.filter { $0.what.contains("from the new pod") }
      #expect(survivors.map(\.stillWorks) == [3, 0] && survivors.allSatisfy { $0.what.hasPrefix("TCP") })
    }

    @Test(
      "relabelled pods and reused addresses have windows of both kinds",
      arguments: [LagScenario.relabelled, .reusedAddress])
    func pasts(_ scenario: LagScenario) async throws {
      let report = try await measure(.kubeRouterK3s, scenario)
      #expect(report.findings == [])
      let changes = Set(report.streams.filter { !$0.windows.isEmpty }.map(\.stream.change))
      #expect(changes == [.opens, .closes])
    }

    @Test(
      "default-deny refuses a new pod's packets until it is programmed",
      arguments: [EnforcementStyle.kubeRouterIptables, .compiled]
    ) func defaultDeny(style: EnforcementStyle) async throws {
      let report = try await measure(style, defaultDeny: true) {
        if style.backend == .nftables { $0.spacing = .microseconds(50) }
      }
      #expect(report.findings == [])
      #expect(report.streams.allSatisfy { $0.stream.change == .opens && !$0.windows.isEmpty })
    }

    @Test("every new pod of a burst is admitted") func burst() async throws {
      let report = try await measure(burst: 3) { $0.trials = 2 }
      #expect(report.findings == [])
      let opened = report.streams.filter { $0.stream.change == .opens && !$0.windows.isEmpty }
      #expect(Set(opened.map(\.stream.newcomer)) == [0, 1, 2])
    }

    @Test("without a wanted spacing, packets are as dense as the windows need")
    func usualSpacing() async throws {
      let full = try await measure { $0.spacing = nil }
      #expect(full.resolution.spacing > .microseconds(100) && full.findings == [])
      let opening = try #require(full.streams.first { $0.stream.change == .opens && $0.stream.isOutgoing })
      #expect(opening.windows.count == 3, "\(opening.undecided)")
      for result in full.streams where !result.windows.isEmpty {
        for (window, bar) in zip(result.fromEvent.values, result.brackets.values) {
          #expect(bar <= max(window / 10, 250_000))
        }
      }
      let incremental = try await measure {
        ($0.spacing, $0.agent) = (nil, .incremental)
      }
      #expect(incremental.resolution.spacing < full.resolution.spacing)
    }

    @Test("the API server's delay is part of the window") func apiDelay() async throws {
      let report = try await measure { $0.apiDelay = .constant(.milliseconds(300)) }
      let window = try #require(report.streams.first { $0.stream.change == .opens }?.windows)
      #expect(try #require(window.values.first) > 300e6)
      #expect(
        try #require(report.streams.first { $0.stream.change == .opens }?.fromEvent.median)
          < (try #require(window.median)) - 299e6)
    }

    @Test("further changes make syncs wait for each other, and nothing is lost with an ipBlock") func churn()
      async throws
    {
      let report = try await measure { $0.churn = 20 }
      #expect(report.findings == [])
      #expect(report.streams.first { $0.stream.change == .staysOpen }?.lost == 0)
    }

    @Test("a request's cost depends on how it is refused, and with an ipBlock there is none")
    func requests() async throws {
      let report = try await measure {
        $0.trials = 1
        $0.requests = 2
      }
      func endings(_ refusal: String, _ kind: RequestResult.Kind, _ target: String) throws -> [RequestResult.Ending:
        Int]
      {
        let result = try #require(
          report.requests.first { $0.refusal == refusal && $0.kind == kind && $0.target == target })
        return result.endings.mapValues(\.count)
      }
      for refusal in Set(report.requests.map(\.refusal)) {
        #expect(try endings(refusal, .tcp, "ipBlock") == [.answered: 2], "\(refusal)")
      }
      for (refusal, kind, ending) in [
        ("REJECT, ICMP errors left", RequestResult.Kind.tcp, RequestResult.Ending.refused),
        ("REJECT, ICMP errors left", .udp, .refused), ("REJECT, ICMP errors used up", .tcp, .answered),
        ("REJECT, ICMP errors used up", .udp, .silent), ("REJECT, no ICMP limit", .tcp, .refused),
        ("REJECT, no ICMP limit", .udp, .refused), ("REJECT with tcp-reset", .tcp, .refused),
        ("DROP", .tcp, .answered), ("DROP", .udp, .silent),
      ] {
        let got = try endings(refusal, kind, "podSelector")
        #expect(got == [ending: 2], "\(refusal), \(kind.rawValue): \(got)")
      }
      // A lost SYN is repeated after a second. A connection that nothing delays takes microseconds.
      let waiting = try #require(
        report.requests.first { $0.refusal == "DROP" && $0.kind == .tcp && $0.target == "podSelector" })
      #expect(try #require(waiting.endings[.answered]?.values.first) >= 0.9e9)

      #expect(report.survivors.count == 6)
      for survivor in report.survivors {
        let isNew = survivor.what.contains("opened afterwards")
        #expect(survivor.stillWorks == (isNew ? 0 : survivor.asked) && survivor.asked == 3, "\(survivor)")
      }
    }

    @Test(
      "an incremental enforcer's node has the style's rules, except for the order of pods",
      arguments: EnforcementStyle.all)
    func incremental(_ style: EnforcementStyle) async throws {
      try await blocking {
        let actors = LagActors(tiny, .relabelled, burst: 2, defaultDeny: false)
        let worker = try NamespaceWorker()
        defer { worker.close() }
        let namespace = try worker.makeNamespace()
        var view = NodeView(of: try #require(actors.before.node(LagWorld.node)), in: actors.before)
        let agent = IncrementalAgent(
          view, style: style, in: namespace, worker: worker, onThreadStart: {}, observer: { _ in })
        try agent.start()
        defer { agent.close() }
        let job = try #require(actors.newcomers.first?.after)
        let stranger = PolicyID("lag-0", "stranger")
        let events: [InformerEvent] =
          actors.events + [
            .podDeleted(job.id), .policyAdded(NetworkPolicy(id: stranger, isolates: [.ingress])), .podUpdated(job),
            .policyDeleted(stranger),
          ] + actors.undoing
        for event in events {
          _ = view.apply(event)
          agent.notify(event)
          try agent.waitUntilIdle(timeout: .seconds(30))
          let fresh = try worker.makeNamespace()
          try RuleLoader(worker: worker).load(style.lower(view).ruleset, in: fresh)
          #expect(
            try state(of: namespace, style, worker) == (try state(of: fresh, style, worker)), "\(event)")
        }
      }
    }

    private func state(of namespace: NetworkNamespace, _ style: EnforcementStyle, _ worker: NamespaceWorker) throws
      -> [String]
    {
      let commands =
        style.backend == .iptables
        ? [["iptables-save", "-t", "filter"], ["ipset", "save"]] : [["nft", "--stateless", "list", "ruleset"]]
      return try commands.flatMap { try lines(Command($0).run(in: namespace, on: worker).requireSuccess().text) }
    }

    /// Sorted text without comments, counters and hash seeds. Elements of a set are sorted too.
    private func lines(_ text: String) -> [String] {
      text.replacing(#/,\n\s+/#, with: ", ").split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
        let plain = String(line).replacing(#/\[\d+:\d+\]| initval 0x[0-9a-f]+/#, with: "")
        guard plain.contains("elements = {") else { return plain }
        return plain.split { " ,{}\t".contains($0) }.sorted().joined(separator: " ")
      }.sorted()
    }
  }
}
