// Not covered: the cost of flows with many pairs.
import EngineComparison
import Foundation
import Kernel
import Lowering
import Manifests
import NetpolModel
import StandingLab
import TestSupport
import Testing
import Verdicts

@testable import Documents
@testable import Report
@testable import Run

extension RunReport {
  /// The outcomes of a flow's pairs in words.
  fileprivate func packets(_ group: Int, _ flow: Int) -> [String] {
    expectations[group].flows[flow].pairs.map { $0.answer?.outcome.text ?? $0.whyNot ?? "" }
  }
}

@Suite("Expectations by real packets", .serialized, .needsNamespaces) struct ExpectationsTests {
  @Test(
    "every kind of endpoint works in an expectation, and so does a ping, in every style",
    arguments: EnforcementStyle.all.map(\.name))
  func ends(style: String) async throws {
    // kube-router lets echo requests pass (D5).
    let word = style == EnforcementStyle.compiled.name ? "denied" : "allowed"
    let report = try await ExpectationsWorld.run(
      """
      - name: ends
        flows:
        - {from: app/client, to: app/Deployment/web, port: 8080, expect: allowed}
        - {from: app/client, to: app/Service/web, port: 80, expect: allowed}
        - {from: app/client, to: 10.43.0.80, port: 80, expect: allowed}
        - {from: app/other, to: app/Deployment/web, port: 8080, expect: denied}
        - {from: app/other, to: app/Deployment/web, port: ICMP, expect: \(word)}
        - {from: node/node1, to: node/node1, port: 30080, expect: mixed}
        - {from: external/lan, to: node/node2, port: 30080, expect: denied}
        - {from: 10.42.0.2, to: 192.168.20.12, port: 9, expect: allowed}
        - {from: app/client, to: 127.0.0.1, port: 9, expect: allowed}
        - {from: app/client, to: app/client, port: 9, expect: allowed}
        - {from: app/client, to: external/lan, port: UDP/9, expect: allowed}

      """, style: try #require(EnforcementStyle.named(style)))
    #expect(report.isAsExpected, "\(report.document.text())")
    #expect(report.expectations[0].metCount == 11)
    #expect(report.packets(0, 0) == ["delivered", "delivered"])
    let addressed = report.expectations[0].flows[2].pairs[0]
    #expect(addressed.to == .service(NamespacedName("app", "web")))
    let ping = try #require(report.expectations[0].flows[4].pairs[0].answer?.comparison)
    #expect(ping.specified == nil, "the specification says nothing about ICMP")
  }

  @Test("a service can be asked at an announced address, written as in reports")
  func announcedAddress() async throws {
    let report = try await ExpectationsWorld.run(
      """
      - name: ends
        flows:
        - {from: app/client, to: vip/app/front/192.168.1.240, port: 80, expect: mixed}
        - {from: app/other, to: vip/app/front/192.168.1.240, port: 80, expect: denied}
      ---
      apiVersion: v1
      kind: Service
      metadata: {namespace: app, name: front}
      spec:
        externalIPs: [192.168.1.240]
        selector: {app: web}
        ports: [{port: 80, targetPort: 8080}]

      """)
    #expect(report.isAsExpected, "\(report.document.text())")
    // From the other node the packets have the node's address, which the policy does not admit.
    #expect(report.packets(0, 0) == ["delivered", "rejected"])
    let pair = report.expectations[0].flows[0].pairs[0]
    #expect(pair.to == .virtualAddress(NamespacedName("app", "front"), try #require(IPAddress("192.168.1.240"))))
  }

  @Test("reject, drop and no route are distinguished, and the wrong one misses the expectation")
  func mechanisms() async throws {
    let report = try await ExpectationsWorld.run(
      """
      - name: right
        flows:
        - {from: app/other, to: app/Deployment/web, ports: [8080, UDP/8080], expect: denied, mechanism: rejected}
        - {from: app/client, to: 10.43.7.7, port: 80, expect: denied, mechanism: noRoute}
        - {from: external/lan, to: app/client, port: 80, expect: denied, mechanism: noRoute}
        - {from: app/client, to: app/web-0, port: UDP/5353, group: 224.0.0.251, expect: allowed}
        - {from: app/other, to: app/web-0, port: UDP/5353, group: 224.0.0.251, expect: denied, mechanism: noRoute}
      - name: local
        add: [third.yaml]
        flows:
        - {from: external/lan, to: node/node2, port: 30081, expect: denied, mechanism: dropped}
        - {from: external/lan, to: node/node1, port: 30081, expect: allowed}
      - name: wrong
        flows:
        - {from: app/other, to: app/Deployment/web, port: 8080, expect: denied, mechanism: dropped}
        - {from: app/client, to: 10.43.7.7, port: 80, expect: denied, mechanism: rejected}

      """)
    #expect(report.expectations[0].isAsExpected && report.expectations[0].metCount == 6)
    #expect(report.expectations[1].isAsExpected && report.packets(1, 0) == ["dropped"])
    #expect(report.expectations[2].missed.count == 2)
    #expect(report.packets(2, 0) == ["rejected", "rejected"] && report.packets(2, 1) == ["no route"])
    #expect(report.expectations.flatMap(\.failures).isEmpty && !report.isAsExpected)
  }

  @Test("a packet without any answer counts as dropped") func drop() async throws {
    let (cluster, groups) = try ExpectationsWorld.groups(
      "- name: a\n  flows:\n  - {from: app/client, to: app/other, port: 80, expect: allowed}\n")
    let plan = try LabPlan(cluster, .kubeRouterK3s, versionStamp: "1")
    let pair = try #require(
      plan.pairs(groups[0].group.flows[0], Backends(cluster, plan.topology), sctpObstacle: nil).first)
    guard case .flow(let asked) = pair.asking else { return #expect(Bool(false)) }
    let answer = Answer(plan.comparer.compare(asked, .silent(after: .seconds(1))), codes: [.admitted])
    #expect(answer.outcome == .dropped && answer.comparison.isFailure(strict: false))
    var flow = groups[0].group.flows[0]
    #expect(!answer.meets(flow))
    flow.expect = .deny
    flow.mechanism = .drop
    #expect(answer.meets(flow))
    flow.codes = [.admitted]
    #expect(answer.meets(flow))
    flow.codes = [.admitted, .isolated]
    #expect(!answer.meets(flow))
    let lost = plan.comparer.compare(asked, .unusable("lost"))
    #expect(Answer(lost, codes: []).observed == nil && lost.codes.contains(.undecided))
  }

  @Test("a workload's pod that misses the expectation is shown with the rule that decided")
  func missed() async throws {
    let report = try await ExpectationsWorld.run(
      """
      - name: hope
        labels: [{pod: app/web-1, set: {app: free}}]
        flows:
        - {from: app/other, to: app/Deployment/web, port: 8080, expect: allowed, because: of a wrong hope}

      """)
    let flow = report.expectations[0].flows[0]
    #expect(flow.pairs.map(\.state) == [.missed, .met])
    let text = report.document.text()
    #expect(text.contains("MISSED") && text.contains("app/other -> app/web-0: rejected"))
    #expect(!text.contains("app/other -> app/web-1: "))
    #expect(text.contains("(chain of pod app/web-0)") && text.contains("because of a wrong hope"))
  }

  @Test("one flow refutes a document, and that is not a failure")
  func documents() async throws {
    let report = try await ExpectationsWorld.run(
      """
      - name: first
        claim: C1
        says: everybody reaches web
        flows:
        - {from: app/client, to: app/Deployment/web, port: 8080, expect: allowed, document: allowed}
        - {from: app/other, to: app/Deployment/web, port: 8080, expect: denied, document: allowed}
      - name: second
        claim: C1
        without: [app/web-in]
        flows:
        - {from: app/other, to: app/Deployment/web, port: 8080, expect: allowed, document: allowed}
      - name: third
        claim: C2
        flows:
        - {from: app/client, to: app/other, port: UDP/5353, group: 'ff02::fb', expect: allowed, document: allowed}

      """)
    #expect(report.isAsExpected)
    #expect(report.expectations.map(\.document) == [.refuted, .holds, nil])
    #expect(report.expectations.claims.map(\.document) == [.partly, nil])
    let text = report.document.text()
    #expect(text.contains("C1 first: refuted as expected, 2 of 2 expectations met\n  \"everybody reaches web\"\n"))
    #expect(text.contains("C1  holds in part  3 of 3 met"))
  }

  @Test("variants that differ only in rules share a lab, and one with another pod gets its own")
  func variants() async throws {
    let text = """
      - name: added
        add: [third.yaml]
        flows:
        - {from: app/third, to: app/Deployment/web, port: 8080, expect: denied}
      - name: base
        flows:
        - {from: app/other, to: app/Deployment/web, ports: [8080, UDP/8080], expect: denied}
      - name: open
        without: [app/web-in]
        flows:
        - {from: app/other, to: app/Deployment/web, ports: [8080, UDP/8080], expect: allowed}
      - name: labelled
        labels: [{pod: app/other, set: {app: client}}]
        flows:
        - {from: app/other, to: app/Deployment/web, port: 8080, expect: allowed}
        - {from: app/other, to: app/Deployment/web, port: UDP/8080, expect: denied}
      - name: open again
        without: [app/web-in]
        comparedWith: labelled
        flows:
        - {from: app/other, to: app/Service/web, port: 80, expect: allowed}

      """
    let (report, built, loaded) = try await blocking {
      let (cluster, groups) = try ExpectationsWorld.groups(text)
      let worker = try NamespaceWorker()
      let base = try LabPlan(cluster, .kubeRouterK3s, versionStamp: "1")
      let check = try ExpectationsCheck(groups, base: base, sctpObstacle: nil, listsDifferences: true) {
        try LabPlan($0, .kubeRouterK3s, versionStamp: "1")
      }
      var bench = ReusableLab(transports: [.tcp, .udp], worker: worker) { _ in }
      return (try check.run(on: &bench, strict: false) { _, _ in }, bench.labsBuilt, bench.rulesReplaced)
    }
    #expect(
      report.filter { !$0.isAsExpected }.isEmpty,
      "\(Document(sections: ExpectationSections(report).all).text(width: 100))")
    #expect(built == 2 && loaded == 2)
    #expect(report.map { $0.group.name } == ["added", "base", "open", "labelled", "open again"])
    #expect(report[1].difference == nil)
  }

  @Test("flows that a variant opens and closes are listed, and packets are sent in both clusters")
  func differences() async throws {
    let report = try await ExpectationsWorld.run(
      """
      - name: labelled
        labels: [{pod: app/other, set: {app: client}}]
      - name: back
        comparedWith: labelled

      """)
    let opened = try #require(report.expectations[0].difference)
    #expect(opened.reference == nil && opened.opened.count == 5 && opened.closed.isEmpty)
    #expect(opened.unasked == 0 && report.isAsExpected)
    for change in opened.changes {
      #expect(change.flow.source == .pod(PodID("app", "other")) && change.before == .deny && change.after == .allow)
      #expect(change.answerBefore?.outcome == .rejected && change.answerAfter?.outcome == .delivered)
    }
    let closed = try #require(report.expectations[1].difference)
    #expect(closed.reference == "labelled" && closed.closed.count == 5 && closed.opened.isEmpty)
    let text = report.document.text()
    #expect(text.contains("compared with the manifests (166 flows): 5 opened, 0 closed"))
    #expect(text.contains("    opened app/other -> app/{web-0,web-1} TCP 8080: 2 flows"))
    #expect(text.contains("compared with group \"labelled\" (166 flows): 0 opened, 5 closed"))
  }

  @Test("a variant without bridge netfilter gets its own lab") func bridge() async throws {
    let report = try await ExpectationsWorld.run(
      """
      - name: base
        flows: [{from: app/client, to: app/web-0, port: 9, expect: denied}]
      - name: without
        cluster: {bridgeNetfilter: false}
        flows: [{from: app/client, to: app/web-0, port: 9, expect: allowed}]

      """)
    #expect(report.expectations.flatMap(\.missed).isEmpty, "\(report.document.text())")
  }

  @Test("only lines of rules are longer than the width", arguments: [60, 80, 100, 132])
  func width(width: Int) async throws {
    let report = try await ExpectationsWorld.run(
      """
      - name: a group with a name of many words that needs more than one line in a narrow terminal
        claim: C1
        says: words of a document that go on for longer than any terminal of this test has columns to show them in
        without: [app/web-in]
        flows:
        - {from: [app/other, app/client, external/lan, node/node1], to: [app/Deployment/web, app/Service/web, node/node2], ports: [80, 8080, 30080], expect: allowed, because: there is a reason that is told in a good many words and must be broken}
        - {from: app/client, to: app/other, port: UDP/5353, group: 'ff02::fb', expect: allowed}
      - name: b
        flows:
        - {from: app/other, to: app/Deployment/web, port: 8080, expect: allowed}

      """)
    let lines = Document(sections: ExpectationSections(report.expectations).all).text(width: width).split(
      separator: "\n")
    for line in lines where !line.hasPrefix("          -") && !line.hasPrefix("          !") {
      #expect(line.count <= width, "\(line)")
    }
  }
}

@Suite("Expectations without packets") struct PairTests {
  @Test("an endpoint that can't send a packet misses the expectation and does not count as denied") func impossible()
    throws
  {
    let (cluster, groups) = try ExpectationsWorld.groups(
      """
      - name: a
        flows:
        - {from: app/client, to: app/other, port: 80, family: IPv6, expect: denied}
        - {from: node/node1, to: 127.0.0.1, port: 80, expect: denied}
        - {from: app/client, to: app/other, port: SCTP/80, expect: denied}

      """)
    let plan = try LabPlan(cluster, .kubeRouterK3s, versionStamp: "1")
    let results = groups[0].group.flows.map { flow in
      FlowResult(
        expected: flow,
        pairs: plan.pairs(flow, Backends(cluster, plan.topology), sctpObstacle: "none here").map {
          PairResult($0, nil, flow)
        })
    }
    #expect(results.map(\.state) == [.missed, .missed, .notAsked])
    #expect(results[2].pairs[0].whyNot == "SCTP can't be probed here (none here) [\(Code.noSCTP)]")
  }
}
