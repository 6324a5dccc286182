// Not covered: which changes are worth a patch (RemediesTests).
import Foundation
import Manifests
import NetpolModel
import TestSupport
import Testing
import Text

@Suite("Patches of manifests") struct PatchTests {
  private static let objects = """
    apiVersion: v1
    kind: Namespace
    metadata: {name: shop}
    ---
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: web
      namespace: shop
    spec:
      selector: {matchLabels: {app: web}}
      template:
        metadata:
          labels:
            app: web # the name
        spec:
          containers:
          - name: c
    ---
    apiVersion: v1
    kind: Pod
    metadata: {name: db, namespace: shop, labels: {app: db}}
    spec: {containers: [{name: c}]}
    ---

    """

  private static let policy = """
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata:
      name: db
      namespace: shop
    spec:
      podSelector:
        matchLabels:
          app: db
      ingress:
      # the shop
      - from:
        - podSelector:
            matchLabels:
              app: web
        # the office
        - ipBlock: {cidr: 10.0.0.0/8}
        ports:
        - port: 5432 # postgres
      - ports: [{port: 9187}]
      policyTypes:
        - Ingress

    """

  struct Case: CustomTestStringConvertible {
    let edit: UnitEdit
    /// The lines of the patch that begin with - or +.
    let lines: [String]
    var testDescription: String { "\(edit)" }
  }

  private static let place = UnitEdit.RulePlace(PolicyID("shop", "db"), .ingress, 0)
  private static let second = UnitEdit.RulePlace(PolicyID("shop", "db"), .ingress, 1)
  private static let peer = NetworkPolicy.Peer.pods(in: .own, matching: LabelSelector(matchLabels: ["app": "api"]))

  static let cases: [Case] = [
    Case(
      edit: .addPeer(peer, place),
      lines: ["+    - podSelector:", "+        matchLabels:", "+          app: api"]),
    Case(
      edit: .addPort(.init(.udp, .number(53, through: nil)), place), lines: ["+    - protocol: UDP", "+      port: 53"]),
    Case(
      edit: .addPort(.init(.tcp, .name("http")), second),
      lines: ["-  - ports: [{port: 9187}]", "+  - ports: [{port: 9187}, {protocol: TCP, port: http}]"]),
    Case(
      edit: .removePeer(0, place), lines: ["-    - podSelector:", "-        matchLabels:", "-          app: web"]),
    Case(edit: .removePeer(1, place), lines: ["-    - ipBlock: {cidr: 10.0.0.0/8}"]),
    Case(
      edit: .removePort(0, second), lines: ["-  - ports: [{port: 9187}]", "+  - ports: []"]),
    Case(edit: .removeRule(second), lines: ["-  - ports: [{port: 9187}]"]),
    Case(
      edit: .addRule(.init(ports: .listed([.init(.tcp, .number(80, through: 90))])), .ingress, to: place.policy),
      lines: ["+  - ports:", "+    - protocol: TCP", "+      port: 80", "+      endPort: 90"]),
    Case(
      edit: .addRule(.init(), .egress, to: place.policy), lines: ["+  egress:", "+  - {}"]),
    Case(edit: .addType(.egress, place.policy), lines: ["+    - Egress"]),
    Case(
      edit: .label(.pod(PodID("shop", "db")), key: "role", value: "main"),
      lines: [
        "-metadata: {name: db, namespace: shop, labels: {app: db}}",
        "+metadata: {name: db, namespace: shop, labels: {app: db, role: main}}",
      ]),
    Case(
      edit: .label(.pod(PodID("shop", "db")), key: "app", value: nil),
      lines: [
        "-metadata: {name: db, namespace: shop, labels: {app: db}}",
        "+metadata: {name: db, namespace: shop, labels: {}}",
      ]),
    Case(
      edit: .label(.workload(namespace: "shop", .init(kind: "Deployment", name: "web")), key: "role", value: "yes"),
      lines: ["+        role: 'yes'"]),
    Case(
      edit: .label(.namespace("shop"), key: "team", value: "a"),
      lines: ["-metadata: {name: shop}", "+metadata: {name: shop, labels: {team: a}}"]),
  ]

  private static func reading(_ text: String) throws -> ManifestReading {
    try readManifests([ManifestSource(name: "w.yaml", text: text)])
  }

  @Test("a change stands where a user would write it, and leaves all other lines alone", arguments: cases)
  func lines(_ row: Case) throws {
    let patch = try #require(try Self.reading(Self.objects + Self.policy).patch([row.edit]))
    #expect(patch.files.count == 1)
    let changed = patch.files[0].lines.dropFirst(2).filter { $0.hasPrefix("-") || $0.hasPrefix("+") }
    #expect(Array(changed) == row.lines, "\(patch.files[0].lines.joined(separator: "\n"))")
  }

  /// Ways to write the same objects.
  static let texts: [String: String] = [
    "as written": objects + policy,
    "with line breaks of Windows": (objects + policy).replacingOccurrences(of: "\n", with: "\r\n"),
    "without a last line break": String((objects + policy).dropLast()),
    "with a mark at the beginning": "---\n" + objects + policy,
    "the policy first": policy + "---\n" + objects.dropLast(4),
    "as a List": list,
    "as JSON": json,
  ]

  private static let list: String = {
    let items = (objects + policy).components(separatedBy: "---\n").map { document in
      document.split(separator: "\n").enumerated().map { ($0 == 0 ? "- " : "  ") + $1 }.joined(separator: "\n")
    }
    return "apiVersion: v1\nkind: List\nitems:\n" + items.joined(separator: "\n") + "\n"
  }()

  private static let json = """
    {
      "apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
         "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": {
           "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c"}]}}}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db", "namespace": "shop", "labels": {"app": "db"}},
         "spec": {"containers": [{"name": "c"}]}},
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
         "metadata": {"name": "db", "namespace": "shop"},
         "spec": {"podSelector": {"matchLabels": {"app": "db"}}, "ingress": [
           {"from": [{"podSelector": {"matchLabels": {"app": "web"}}}, {"ipBlock": {"cidr": "10.0.0.0/8"}}],
            "ports": [{"port": 5432}]},
           {"ports": [{"port": 9187}]}
         ], "policyTypes": ["Ingress"]}}
      ]
    }

    """

  @Test("the changed files read as the changed objects, however they are written", arguments: texts.keys.sorted())
  func styles(_ name: String) throws {
    let text = try #require(Self.texts[name])
    let edits =
      Self.cases.map(\.edit) + [
        .removePolicy(Self.place.policy), .addPolicy(NetworkPolicy(id: PolicyID("shop", "new"), isolates: [.ingress])),
      ]
    for edit in edits {
      let reading = try Self.reading(text)
      let patch = try #require(reading.patch([edit]), "\(edit)")
      let expected = reading.cluster.applying([edit])
      #expect(patch.reading.cluster.policies.map(\.unlocated) == expected.policies.map(\.unlocated), "\(edit)")
      #expect(patch.reading.cluster.pods.map(\.labels) == expected.pods.map(\.labels), "\(edit)")
      #expect(patch.files.map(\.before) == [text])
    }
  }

  private static let hasPatch = ["/usr/bin/patch", "/bin/patch"].contains(where: FileManager.default.isExecutableFile)

  @Test(
    "patch(1) makes the changed file from the patch", .enabled(if: hasPatch, "patch(1) is not installed"),
    arguments: texts.keys.sorted())
  func patchProgram(_ name: String) throws {
    let text = try #require(Self.texts[name])
    let patch = try #require(try Self.reading(text).patch([Self.cases[0].edit, Self.cases[2].edit]))
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try Data(text.utf8).write(to: folder.appendingPathComponent("w.yaml"))
    try Data((patch.files[0].lines.joined(separator: "\n") + "\n").utf8).write(to: folder.appendingPathComponent("p"))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["patch", "--binary", "-p0", "-s", "-i", "p"]
    process.currentDirectoryURL = folder
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(try Data(contentsOf: folder.appendingPathComponent("w.yaml")) == Data(patch.files[0].after.utf8))
  }

  @Test("what two objects share by an anchor gets no patch, and what they don't share does") func anchors() throws {
    let shared = """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: db, namespace: shop}
      spec: {podSelector: {}, ingress: [{from: &peers [{podSelector: {}}], ports: [{port: 80}]}]}
      ---
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: web, namespace: shop}
      spec: {podSelector: {}, ingress: [{from: *peers, ports: [{port: 81}]}]}

      """
    let reading = try Self.reading(Self.objects + shared)
    #expect(reading.patch([Self.cases[0].edit])?.files == nil)
    #expect(reading.patch([Self.cases[1].edit])?.files.count == 1)
    let web = UnitEdit.RulePlace(PolicyID("shop", "web"), .ingress, 0)
    #expect(reading.patch([.addPeer(Self.peer, web)])?.files == nil)
  }

  @Test("what a text doesn't have gets no patch") func missing() throws {
    let reading = try Self.reading(Self.objects + Self.policy)
    let nobody = UnitEdit.RulePlace(PolicyID("shop", "nobody"), .ingress, 0)
    #expect(reading.patch([.addPort(.init(.udp, .any), nobody)])?.files == nil)
  }
}

extension FileChange {
  fileprivate var lines: [String] { LineDiff(before, after).unified(name) }
}
