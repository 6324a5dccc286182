// Not covered: whether a real API server applies the same defaults. They are taken from its source code.
import Manifests
import NetpolModel
import Testing

@Suite struct PolicyDefaultsTests {
  @Test(
    "policyTypes default to Ingress, plus Egress if there is an egress rule",
    arguments: [
      ("{podSelector: {}}", [Direction.ingress]),
      ("{}", [.ingress]),
      ("", [.ingress]),
      ("{policyTypes: []}", [.ingress]),
      ("{policyTypes: null, egress: []}", [.ingress]),
      ("{egress: null}", [.ingress]),
      ("{egress: [{}]}", [.ingress, .egress]),
      ("{policyTypes: [], egress: [null]}", [.ingress, .egress]),
      ("{policyTypes: [Egress]}", [.egress]),
      ("{policyTypes: [Ingress], egress: [{}]}", [.ingress]),
      ("{policyTypes: [Egress, Ingress]}", [.ingress, .egress]),
      ("{policyTypes: [Egress, Egress]}", [.egress]),
    ])
  func types(spec: String, isolates: [Direction]) throws {
    #expect(try policy(spec).isolates == Set(isolates))
  }

  @Test(
    "a rule without peers admits every peer, and a rule without ports every port",
    arguments: [
      "{ingress: [{}]}", "{ingress: [null]}", "{ingress: [{from: [], ports: []}]}",
      "{ingress: [{from: null, ports: null}]}",
    ])
  func openRule(spec: String) throws {
    let rules = try policy(spec).ingress
    #expect(rules.count == 1)
    #expect(rules.first?.peers == .any)
    #expect(rules.first?.ports == .all)
  }

  @Test(
    "a missing, null or empty list of rules admits nothing",
    arguments: ["{}", "{ingress: null}", "{ingress: []}"])
  func noRules(spec: String) throws {
    #expect(try policy(spec).ingress.isEmpty)
  }

  @Test(
    "a port's protocol is TCP by default",
    arguments: [
      ("{}", NetworkPolicy.PortRule(.tcp, .any)),
      ("null", .init(.tcp, .any)),
      ("{port: 80}", .init(.tcp, .number(80, through: nil))),
      ("{port: 0x50}", .init(.tcp, .number(80, through: nil))),
      ("{port: 80.0}", .init(.tcp, .number(80, through: nil))),
      ("{port: 80, protocol: null}", .init(.tcp, .number(80, through: nil))),
      ("{port: http, protocol: UDP}", .init(.udp, .name("http"))),
      ("{port: \"http\", protocol: SCTP}", .init(.sctp, .name("http"))),
      ("{port: 80, endPort: 80}", .init(.tcp, .number(80, through: 80))),
      ("{port: 80, endPort: 65535}", .init(.tcp, .number(80, through: 65535))),
      ("{protocol: UDP}", .init(.udp, .any)),
    ])
  func ports(port: String, expected: NetworkPolicy.PortRule) throws {
    #expect(try policy("{ingress: [{ports: [\(port)]}]}").ingress.first?.ports == .listed([expected]))
  }

  @Test("a peer selects pods of the policy's namespace, or of the namespaces that namespaceSelector matches")
  func peers() throws {
    let spec = """
      {egress: [{to: [{podSelector: {}}, {namespaceSelector: {}},
        {podSelector: {matchLabels: {a: b}}, namespaceSelector: {matchExpressions: [{key: team, operator: Exists}]}},
        {ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}, {ipBlock: {cidr: "::/0", except: null}}]}]}
      """
    let expected: [NetworkPolicy.Peer] = [
      .pods(in: .own, matching: .everything),
      .pods(in: .matching(.everything), matching: .everything),
      .pods(
        in: .matching(LabelSelector(matchExpressions: [.init(key: "team", operator: .exists)])),
        matching: LabelSelector(matchLabels: ["a": "b"])),
      .block(.init(try cidr("10.0.0.0/8"), except: [try cidr("10.1.0.0/16")])),
      .block(.init(try cidr("::/0"))),
    ]
    #expect(try policy(spec).egress.first?.peers == .listed(expected))
  }

  @Test(
    "a missing or null podSelector selects every pod",
    arguments: ["{}", "{podSelector: null}", "{podSelector: {matchLabels: null}}"])
  func selector(spec: String) throws {
    #expect(try policy(spec).podSelector == .everything)
  }

  @Test("policies and rules have the right line numbers")
  func locations() throws {
    let reading = try read(
      """
      # a comment
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata:
        name: p
        annotations: {note: here}
      spec:
        ingress:
        - from:
          - podSelector: {}
        - ports:
          - port: 80
      """)
    let policy = try #require(reading.cluster.policies.first)
    #expect(policy.id == PolicyID("default", "p"))
    #expect(policy.annotations == ["note": "here"])
    #expect(policy.location == SourceLocation(file: "a.yaml", line: 2))
    #expect(policy.ingress.map { $0.location?.line } == [9, 11])
  }

  @Test("host bits in a CIDR are dropped with a warning, as in today's API")
  func hostBits() throws {
    let reading = try read(policyText("{ingress: [{from: [{ipBlock: {cidr: 10.0.0.5/24}}]}]}"))
    #expect(reading.cluster.policies.first?.ingress.first?.peers == .listed([.block(.init(try cidr("10.0.0.0/24")))]))
    let text =
      "a.yaml:4: NetworkPolicy shop/web: spec.ingress[0].from[0].ipBlock.cidr: \"10.0.0.5/24\" has host bits set and means 10.0.0.0/24"
    #expect(reading.notes.first == Note(.warning, text))
  }

  @Test("a policy from a test table needs no apiVersion, kind or name")
  func rawPolicy() throws {
    let raw = try readPolicy("{\"spec\": {\"podSelector\": {}, \"ingress\": [{}], \"egress\": null}}", name: "case-7")
    #expect(raw.id == PolicyID("default", "case-7"))
    #expect(raw.ingress.count == 1)
    let named = try readPolicy("metadata: {name: p, namespace: x}\nspec: {policyTypes: [Egress]}", name: "case-8")
    #expect(named.id == PolicyID("x", "p"))
    #expect(throws: ManifestError.self) { try readPolicy("spec: {podselector: {}}", name: "case-9") }
    #expect(throws: ManifestError.self) { try readPolicy("# nothing", name: "case-10") }
  }

  @Test("a stored policy is read as it is if the model can represent it")
  func asStored() throws {
    let spec = """
      {extra: 1, podSelector: {matchLabels: {"bad key!": "-"}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8, 11.0.0.0/8]}}],
        ports: [{port: 90, endPort: 80}, {port: "80"}]}]}
      """
    let stored = try policy(spec, validation: .asStored)
    let block = NetworkPolicy.IPBlock(try cidr("10.0.0.0/8"), except: [try cidr("10.0.0.0/8"), try cidr("11.0.0.0/8")])
    #expect(stored.ingress.first?.peers == .listed([.block(block)]))
    #expect(stored.ingress.first?.ports == .listed([.init(.tcp, .number(90, through: 80)), .init(.tcp, .name("80"))]))
    #expect(refusal(policyText("{ingress: [{from: [{ipBlock: {cidr: ten}}]}]}"), validation: .asStored) != "accepted")
    #expect(refusal(policyText("{ingress: {}}"), validation: .asStored) != "accepted")
  }
}
