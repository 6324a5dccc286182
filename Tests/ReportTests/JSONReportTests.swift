// Not covered: what real packets did. The kernel's answers are made by hand.
import EngineComparison
import Foundation
import Kernel
import Lowering
import NetpolModel
import Path
import Run
import TestSupport
import Testing
import Verdicts

@testable import Documents
@testable import Report

@Suite("A run as JSON") struct JSONReportTests {
  /// A table of docs/json.md: its fields, and which of them are always there.
  private struct Fields {
    var always: Set<String> = []
    var sometimes: Set<String> = []
    var types: [String: String] = [:]
    var all: Set<String> { always.union(sometimes) }
  }

  /// By the line above the table, without its colon. The first table has none.
  private func documented() throws -> [String: Fields] {
    let text = try String(contentsOf: repository.appendingPathComponent("docs/json.md"), encoding: .utf8)
    var tables: [String: Fields] = [:]
    var heading = ""
    for line in text.split(separator: "\n") {
      if line.hasSuffix(":") { heading = line.dropLast().replacingOccurrences(of: "`", with: "") }
      guard line.hasPrefix("| `") else { continue }
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      for name in cells[0].split(separator: ",") {
        let name = name.trimmingCharacters(in: CharacterSet(charactersIn: " `"))
        let type = cells[1].replacingOccurrences(of: " or absent", with: "")
        tables[heading, default: Fields()].types[name] = type
        if type == cells[1] {
          tables[heading, default: Fields()].always.insert(name)
        } else {
          tables[heading, default: Fields()].sometimes.insert(name)
        }
      }
    }
    return tables
  }

  private func object(_ report: RunReport) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: try report.document.json()) as? [String: Any])
  }

  /// By the words of docs/json.md. Booleans and numbers are distinguished by how they are written.
  private func isOfType(_ value: Any, _ type: String) -> Bool {
    switch type {
    case "string": value is String
    case "number": (value as? NSNumber).map { !["true", "false"].contains("\(written($0))") } ?? false
    case "boolean": (value as? NSNumber).map { ["true", "false"].contains("\(written($0))") } ?? false
    case "array of strings": value is [String]
    case "array of numbers": value is [NSNumber]
    case "array of objects": value is [[String: Any]]
    case "object": value is [String: Any]
    default: false
    }
  }

  private func written(_ value: Any) -> String {
    let data = try? JSONSerialization.data(withJSONObject: value, options: .fragmentsAllowed)
    return String(decoding: data ?? Data(), as: UTF8.self)
  }

  private func check(_ objects: [[String: Any]], _ fields: Fields?, _ name: String) throws {
    let fields = try #require(fields, "docs/json.md has no table for \(name)")
    #expect(!objects.isEmpty, "\(name)")
    for object in objects {
      #expect(fields.always.isSubset(of: object.keys), "\(name): \(object)")
      for (key, value) in object {
        let type = try #require(fields.types[key], "\(name): \(key) is not documented")
        #expect(isOfType(value, type), "\(name): \(key) is no \(type)")
      }
    }
    #expect(Set(objects.flatMap(\.keys)) == fields.all, "\(name)")
  }

  /// Flows to a Service and its pod: two traced, one without a packet.
  private func explained() async throws -> [[String: Any]] {
    let policy = policyText(
      "app/some",
      """
      podSelector: {matchLabels: {app: web}}
      ingress:
      - {from: [{podSelector: {matchLabels: {app: client}}}], ports: [{port: http}, {port: 9}]}
      - {from: [{ipBlock: {cidr: 203.0.113.0/24}}]}
      """)
    let service = """
      apiVersion: v1
      kind: Service
      metadata: {namespace: app, name: some}
      spec: {type: NodePort, clusterIP: 10.43.0.80, ports: [{port: 80, targetPort: http, nodePort: 30080}], selector: {app: web}}
      ---

      """
    let far =
      "apiVersion: netpol-lab/v1alpha1\nkind: Cluster\n"
      + "externalHosts: [{name: far, addresses: [203.0.113.9]}]\n"
    let twin = podText("app/twin", on: "node1", labels: "app: client")
    let cluster = try readWorld(webAndClient + twin + policy + service + far)
    let documents = try await blocking {
      let port = { (port: UInt16) in [AskedPort.question(.port(TransportPort(.tcp, port)))] }
      let asked: [(from: [Endpoint], to: Endpoint, port: UInt16)] = [
        ([.pod(PodID("app", "client"))], .service(NamespacedName("app", "some")), 80),
        ([.pod(PodID("app", "client")), .pod(PodID("app", "twin"))], .pod(PodID("app", "web")), 81),
        ([.external("far")], .node("node1"), 30080), ([.external("far")], .pod(PodID("app", "web")), 80),
      ]
      return try asked.map { from, to, number in
        var selection = ProbePlan.Selection()
        (selection.sources, selection.destinations, selection.ports) = (from, [to], port(number))
        var run = ClusterRun(style: .kubeRouterK3s, selection: selection)
        run.advice = AdviceRequest(most: 2, mostPods: number == 30080 ? 1 : nil) { edits in
          ([FileChange(name: "w.yaml", before: "a\n", after: "b\n")], cluster.applying(edits))
        }
        run.advice?.togetherToo = true
        // Without packets nothing is observed.
        let report =
          number == 81
          ? try run.explain(
            try run.selected(in: cluster, Topology(cluster)), withoutPackets: .unwanted, version: "test")
          : try run.run(cluster, version: "test")
        return try report.document.json()
      }
    }
    return try documents.map { try #require(try JSONSerialization.jsonObject(with: $0) as? [String: Any]) }
  }

  private func reportByClass(_ world: String) async throws -> [String: Any] {
    let cluster = try readWorld(world)
    let report = try await blocking {
      var run = ClusterRun(style: .kubeRouterK3s)
      run.packets = .classes
      return try run.run(cluster, version: "test")
    }
    return try object(report)
  }

  @Test("every field is documented, every documented field is there, and each has its type", .needsNamespaces)
  func documentation() async throws {
    let far =
      "apiVersion: netpol-lab/v1alpha1\nkind: Cluster\n"
      + "externalHosts: [{name: far, addresses: [203.0.113.9]}]\n"
    let rules = """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {namespace: app, name: some}
      spec: {podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: 80}]}]}
      ---

      """
    let service = """
      apiVersion: v1
      kind: Service
      metadata: {namespace: app, name: some}
      spec: {type: NodePort, ports: [{port: 80, targetPort: 8080}], selector: {app: web}}
      ---

      """
    // The policy above admits the port of one endpoint, and not that of the other.
    let mixed = """
      \(podText("app/one", on: "node1", labels: "app: mixed", ports: ["name: http, containerPort: 80"]))
      \(podText("app/other", on: "node1", labels: "app: mixed", ports: ["name: http, containerPort: 81"]))
      apiVersion: v1
      kind: Service
      metadata: {namespace: app, name: mixed}
      spec: {ports: [{port: 81, targetPort: http}], selector: {app: mixed}}
      ---

      """
    // A pod that sends packets on has steps of its own in their path.
    let labels = "svccontroller.k3s.cattle.io/svcname: lb, svccontroller.k3s.cattle.io/svcnamespace: app"
    let balanced = """
      \(podText("app/svclb-lb", on: "node1", labels: labels, ports: ["containerPort: 80, hostPort: 80"]))
      apiVersion: v1
      kind: Service
      metadata: {namespace: app, name: lb}
      spec: {type: LoadBalancer, ports: [{port: 80, targetPort: 8080}], selector: {app: web}}
      ---

      """
    let world = HandMadeReport.pods + HandMadeReport.policy + rules + service + mixed + balanced + far
    let expectations = try await ExpectationsWorld.run(
      """
      - name: a
        claim: C1
        says: words
        without: [app/web-in]
        flows:
        - {from: app/client, to: 10.43.7.7, port: 80, family: IPv4, expect: denied, mechanism: noRoute, document: denied}
        - {from: app/client, to: app/web-0, port: 80, endpoint: app/web-0, expect: denied}
        - {from: app/other, to: app/client, port: UDP/53, group: 'ff02::fb', expect: allowed, because: of that}
      - name: b
        comparedWith: a
        flows:
        - {from: app/Deployment/web, to: node/node1, port: 30080, expect: allowed}
      - name: c
        add: [third.yaml]
        flows:
        - {from: app/third, to: node/node2, port: 30000, expect: allowed}
      """
    ).expectations
    var report = try HandMadeReport.make(world, expectations: expectations) { flow, verdict in
      switch (flow.transport, flow.port) {
      case (.udp, _): .unusable("lost")
      case (_, 80): verdict == .allow ? .silent(after: .seconds(1)) : .delivered
      default: verdict == .allow ? .delivered : .refused(.reset)
      }
    }
    report.notes = ["a note"]
    report.warnings = ["a warning"]
    let object = try object(report)
    let tables = try documented()
    let byClass = try await reportByClass(world)
    let objects = { (list: [[String: Any]], key: String) in list.flatMap { $0[key] as? [[String: Any]] ?? [] } }
    let explained = try await explained()
    try check([object, byClass] + explained, tables[""], "the document")
    let explanations = objects(explained, "explanations")
    try check(explanations, tables["An explanation"], "an explanation")
    let sides = objects(explanations, "sides")
    try check(sides, tables["A side"], "a side")
    try check(objects(sides, "policies"), tables["A policy of a side"], "a policy of a side")
    let admitting = objects(objects(sides, "policies"), "rules")
    try check(admitting, tables["A rule of a policy"], "a rule of a policy")
    try check(objects(admitting, "peers") + objects(admitting, "ports"), tables["An entry"], "an entry")
    let hooks = objects(explanations, "hooks")
    try check(hooks, tables["A hook"], "a hook")
    try check(objects(hooks, "rules"), tables["A rule that was met"], "a rule that was met")
    try check(explanations.compactMap { $0["trace"] as? [String: Any] }, tables["A trace"], "a trace")
    let advice = explanations.compactMap { $0["advice"] as? [String: Any] }
    try check(advice, tables["advice"], "advice")
    try check(objects(advice, "changes"), tables["A change of advice"], "a change of advice")
    let survey = try #require(byClass["survey"] as? [String: Any])
    try check([survey], tables["survey"], "survey")
    try check(try #require(survey["found"] as? [[String: Any]]), tables["An object of found"], "found")
    try check(
      try #require(survey["evaluatorOnly"] as? [[String: Any]]), tables["An object of evaluatorOnly"], "evaluatorOnly")
    try check(try #require(byClass["classes"] as? [[String: Any]]), tables["An object of classes"], "classes")
    let flows = try #require(object["flows"] as? [[String: Any]])
    try check(flows, tables["A flow"], "a flow")
    try check(try #require(object["mixed"] as? [[String: Any]]), tables["An entry of mixed"], "mixed")
    try check(flows.flatMap { $0["rules"] as? [[String: Any]] ?? [] }, tables["A rule"], "a rule")
    try check(flows.flatMap { $0["path"] as? [[String: Any]] ?? [] }, tables["A step of a path"], "a step")
    try check([try #require(object["environment"] as? [String: Any])], tables["environment"], "environment")
    try check([try #require(object["seconds"] as? [String: Any])], tables["seconds"], "seconds")
    try check(try #require(object["notInLab"] as? [[String: Any]]), tables["A pod of notInLab"], "notInLab")
    let groups = try #require(object["expectations"] as? [[String: Any]])
    let expected = objects(groups, "flows")
    let differences = groups.compactMap { $0["difference"] as? [String: Any] }
    try check(groups, tables["A group of expectations"], "a group")
    try check(expected, tables["An expected flow"], "an expected flow")
    try check(objects(expected, "pairs"), tables["A pair of an expected flow"], "a pair")
    try check(differences, tables["A difference"], "a difference")
    try check(objects(differences, "changes"), tables["A change"], "a change")
    try check(try #require(object["claims"] as? [[String: Any]]), tables["A claim"], "a claim")
    #expect(tables.count == 28)
    // Verdicts and outcomes have the same words in flows and in expectations.
    let all =
      try #require(object["flows"] as? [[String: Any]]) + expected + objects(expected, "pairs")
      + objects(differences, "changes")
    let words = { (keys: [String]) in Set(all.flatMap { entry in keys.compactMap { entry[$0] as? String } }) }
    let verdicts = words(["oracle", "evaluator", "kernel", "expect", "claimed", "before", "after"])
    #expect(verdicts == Set(Verdict.allCases.map(\.rawValue)))
    let outcomes = words(["mechanism", "packets", "packetsBefore", "packetsAfter"])
    #expect(!outcomes.isEmpty && outcomes.isSubset(of: Set(PacketOutcome.allCases.map(\.rawValue))), "\(outcomes)")
    #expect(object["notes"] as? [String] == ["a note"] && object["warnings"] as? [String] == ["a warning"])
  }

  @Test("with many flows, those that agree or have no route lack reasons and rules, the others have both")
  func reasons() throws {
    let report = try HandMadeReport.make(HandMadeReport.pods + HandMadeReport.policy)
    let flows = try #require(try object(report)["flows"] as? [[String: Any]])
    #expect(Set(flows.compactMap { $0["result"] as? String }) == ["agreement", "deviation"])
    for flow in flows {
      let isTold = flow["result"] as? String == "deviation"
      #expect((flow["because"] != nil) == isTold && (flow["rules"] != nil) == isTold, "\(flow)")
    }
  }

  @Test("with few flows, each has the oracle's reasons and the rules that decided")
  func few() throws {
    let selection = ProbePlan.Selection(
      source: .pod(PodID("app", "client")), destination: .pod(PodID("app", "web")), ports: [TransportPort(.tcp, 80)])
    let report = try HandMadeReport.make(HandMadeReport.pods + HandMadeReport.policy, selection)
    let flows = try #require(try object(report)["flows"] as? [[String: Any]])
    #expect(flows.count == 1 && flows[0]["result"] as? String == "agreement")
    let why = "the destination is isolated for ingress by app/silence, and no rule admits it"
    #expect(flows[0]["because"] as? [String] == [why])
    let rules = try #require(flows[0]["rules"] as? [[String: Any]])
    let last = try #require(rules.last?["text"] as? String)
    #expect(last.hasPrefix("-") && last.contains("-j REJECT"))
  }
}
