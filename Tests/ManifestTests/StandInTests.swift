// Not covered: stand-ins for ipBlocks. A Cluster document can define external hosts.
import Manifests
import NetpolModel
import Testing

@Suite("Stand-in pods for policies without pods") struct StandInTests {
  private func read(_ texts: String...) throws -> ManifestReading {
    var options = ReadOptions()
    options.standsIn = true
    return try readManifests(
      texts.enumerated().map { ManifestSource(name: "\($0.offset).yaml", text: $0.element) }, options: options)
  }

  private func pods(_ specs: String...) throws -> [String] {
    let text = specs.enumerated().map { policyText($1).replacing("name: web", with: "name: p\($0)") }
    return try read(text.joined(separator: "\n---\n")).cluster.pods.map { "\($0.id)" }
  }

  @Test(
    "each selector gets a pod that it selects and one that differs in one label",
    arguments: [
      (
        "{podSelector: {matchLabels: {app: web}}}",
        ["any-namespace/any-pod", "shop/like-app-web", "shop/unlike-app-web"]
      ),
      ("{podSelector: {}}", ["any-namespace/any-pod", "shop/any-pod", "shop/any-pod-2"]),
      (
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 8080}]}]}",
        ["any-namespace/any-pod", "shop/any-pod", "shop/any-pod-2"]
      ),
      (
        "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchExpressions: [{key: tier, operator: In, values: [a, b]}]}}]}]}",
        [
          "any-namespace/any-pod", "shop/like-app-db", "shop/like-tier-a", "shop/unlike-app-db", "shop/unlike-tier-a",
        ]
      ),
      (
        "{podSelector: {}, egress: [{to: [{namespaceSelector: {matchLabels: {team: ops}}, podSelector: {matchLabels: {app.kubernetes.io/name: x}}}]}]}",
        [
          "like-team-ops/like-name-x", "like-team-ops/unlike-name-x", "shop/any-pod", "shop/any-pod-2",
          "unlike-team-ops/like-name-x",
        ]
      ),
      (
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]}]}",
        ["monitoring/any-pod", "shop/any-pod", "shop/any-pod-2", "unlike-monitoring/any-pod"]
      ),
      // No pod can have both.
      (
        "{podSelector: {matchLabels: {a: b}, matchExpressions: [{key: a, operator: DoesNotExist}]}}", []
      ),
    ])
  func selectors(spec: String, expected: [String]) throws {
    #expect(try pods(spec) == expected)
  }

  @Test("a selector that no pod can meet, and IPv6 blocks that no pod can use, are told")
  func limits() throws {
    let contradiction = "{podSelector: {matchLabels: {a: b}, matchExpressions: [{key: a, operator: DoesNotExist}]}}"
    #expect(
      try read(policyText(contradiction)).texts.contains(
        "no pod can have the labels that a selector asks for, so none was made: 0.yaml:1"))
    let block = policyText("{podSelector: {}, egress: [{to: [{ipBlock: {cidr: fd00::/8}}]}]}")
    let told = { (reading: ManifestReading) in
      reading.texts.contains { $0.contains("IPv6 ipBlocks are not asked: shop/web") }
    }
    #expect(told(try read(block)))
    let dual =
      "apiVersion: netpol-lab/v1alpha1\nkind: Cluster\nnodes: [{name: n1, podCIDRs: [10.42.0.0/24, \"fd00:42::/64\"]}]"
    #expect(!told(try read(block, dual)))
  }

  private static let requirements = [
    "{key: a, operator: In, values: [x, z]}", "{key: a, operator: NotIn, values: [x, not-x, any]}",
    "{key: a, operator: Exists}", "{key: a, operator: DoesNotExist}",
  ]

  @Test("like is selected and unlike is not, for every operator", arguments: requirements, ["", "b: c"])
  func operators(requirement: String, labels: String) throws {
    let reading = try read(policyText("{podSelector: {matchLabels: {\(labels)}, matchExpressions: [\(requirement)]}}"))
    let selector = try #require(reading.cluster.policies.first).podSelector
    let pods = reading.cluster.pods.filter { $0.id.namespace == "shop" }
    let like = try #require(pods.first { $0.id.name.hasPrefix("like-") })
    let unlike = try #require(pods.first { $0.id.name.hasPrefix("unlike-") })
    #expect(selector.matches(like.labels) && !selector.matches(unlike.labels))
    let keys = Set(like.labels.keys).union(unlike.labels.keys)
    #expect(keys.count { like.labels[$0] != unlike.labels[$0] } == 1)
  }

  @Test("namespaces of the input are used where they match")
  func namespaces() throws {
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: ops, labels: {team: ops}}\n---\n"
    let reading = try read(
      namespace
        + policyText("{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: ops}}}]}]}"))
    #expect(reading.cluster.pods.map { "\($0.id)" }.contains("ops/any-pod"))
    #expect(reading.cluster.labels(ofNamespace: "unlike-team-ops")["team"] == "not-ops")
  }

  @Test("named ports get numbers that no rule mentions")
  func ports() throws {
    let reading = try read(
      policyText(
        "{podSelector: {}, ingress: [{ports: [{port: http}, {port: dns, protocol: UDP}, {port: 10001, endPort: 10002}]}]}"
      ))
    for pod in reading.cluster.pods {
      #expect(pod.numbers(named: "http", .tcp) == [10003] && pod.numbers(named: "dns", .udp) == [10004])
    }
    #expect(
      reading.texts.contains {
        $0.hasPrefix(
          "no pods in the input: 3 stand-in pods made from the selectors of 1 policy; like-X is selected by X,")
          && $0.hasSuffix("named ports: http TCP/10003, dns UDP/10004")
      })
  }

  @Test("there are at most a hundred, with one note")
  func limit() throws {
    let text = (0..<300).map { number in
      policyText("{podSelector: {matchLabels: {app: a\(number)}}}").replacing("name: web", with: "name: p\(number)")
    }.joined(separator: "\n---\n")
    let reading = try read(text)
    #expect(reading.cluster.pods.count == 100)
    #expect(reading.texts.count { $0.contains("stand-in") } == 1)
    #expect(reading.texts.contains { $0.hasSuffix("500 more are left out") })
  }

  @Test("there are none if the input has pods, or if nobody asks for them")
  func notNeeded() throws {
    let policy = policyText("{podSelector: {matchLabels: {app: web}}}")
    #expect(try read(policy, podText("p")).cluster.pods.map(\.id.name) == ["p"])
    #expect(try readManifests([ManifestSource(name: "a.yaml", text: policy)]).cluster.pods.isEmpty)
    #expect(try read("").cluster.pods.isEmpty)
  }

  @Test("expectations can name them, also in a variant that adds a policy or a pod")
  func expectations() throws {
    let groups = """
      apiVersion: netpol-lab/v1alpha1
      kind: Expectations
      groups:
      - name: g
        flows: [{from: shop/unlike-app-web, to: shop/like-app-web, port: 80, expect: denied}]
      - name: h
        add: [x.yaml]
        flows: [{from: shop/unlike-app-web, to: shop/like-app-web, port: 80, expect: denied}]
      """
    let reading = try read(policyText("{podSelector: {matchLabels: {app: web}}}"), groups)
    #expect(reading.expectations.count == 2)
    let group = try #require(reading.expectations.last)
    for added in [
      policyText("{podSelector: {matchLabels: {app: db}}}").replacing("name: web", with: "name: added"),
      podText("p", namespace: "shop"),
    ] {
      let variant = try reading.reading(of: group) { ManifestSource(name: $0, text: added) }
      for pod in reading.cluster.pods {
        #expect(variant.cluster.pod(pod.id)?.podIPs == pod.podIPs)
      }
    }
  }
}
