// Not covered: which change is the smallest (RemediesTests), and where it is written in a file (ManifestTests).
import Foundation
import Kernel
import TestSupport
import Testing

@Suite("explain --fix", .serialized) struct FixProgramTests {
  private static let world = """
    apiVersion: v1
    kind: Namespace
    metadata: {name: shop}
    ---
    \(podText("shop/web", on: "node1", labels: "app: web"))
    \(podText("shop/db", on: "node2", labels: "app: db", ports: ["containerPort: 5432"]))
    \(podText("shop/cache", on: "node2", labels: "app: cache", ports: ["containerPort: 6379"]))
    ---
    # who may use the database
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata:
      namespace: shop
      name: db
    spec:
      podSelector:
        matchLabels:
          app: db
      ingress:
      - from:
        - podSelector:
            matchLabels:
              app: api # not deployed yet

    """

  /// Writes the world into a folder that is removed afterwards.
  private static func inFolder(_ body: (URL) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try Data(world.utf8).write(to: folder.appendingPathComponent("w.yaml"))
    try await body(folder)
  }

  private static let flow = ["shop/web", "shop/db:5432"]

  @Test(
    "the best change stands in the answer, as a patch, with what it opens and what the packet did", .needsNamespaces)
  func best() async throws {
    let result = try await Program.run(["explain", "-f", "-"] + Self.flow, input: Self.world)
    #expect(result.status == .exited(0), "\(result)")
    for part in [
      "Smallest change: add a ", "    +++ -\n", "    +  - from:\n", "  With it: ALLOWED (delivered)\n",
      "  opens no other flow\n",
      "other changes do it with as few edits; --fix shows them",
    ] {
      #expect(result.output.contains(part), "\(part) not in \(result.output)")
    }
  }

  @Test("--fix lists every change, and a packet passes with each", .needsNamespaces) func all() async throws {
    let result = try await Program.run(["explain", "-f", "-", "--fix", "-o", "json"] + Self.flow, input: Self.world)
    let document = try JSONDecoder().decode(Explained.self, from: Data(result.output.utf8))
    let advice = try #require(document.explanations.first?.advice)
    #expect(advice.kind == "allowing" && advice.others == 0)
    #expect(advice.changes.count >= 4, "\(advice)")
    for change in advice.changes { #expect(change.observed == "allowed" && !change.patches.isEmpty, "\(change)") }
    // Cheapest first.
    #expect(advice.changes.map(\.opensCount) == advice.changes.map(\.opensCount).sorted())
    #expect(advice.changes.contains { $0.edits == ["remove policy shop/db (-:25)"] && !$0.opens.isEmpty }, "\(advice)")
  }

  private struct Explained: Decodable {
    let explanations: [Explanation]
    struct Explanation: Decodable { let advice: Advice? }
    struct Advice: Decodable {
      let kind: String
      let why: String?
      let others: Int
      let changes: [Change]
    }
    struct Change: Decodable {
      let edits, opens, closes: [String]
      let opensCount, closesCount: Int
      let verdict: String
      let observed: String?
      let patches: [Patch]
    }
    struct Patch: Decodable { let file, diff: String }
  }

  @Test("--write makes a new file beside the old one, with which the flow passes; --in-place changes the file itself")
  func write() async throws {
    try await Self.inFolder { folder in
      let path = folder.appendingPathComponent("w.yaml").path
      let explain = { (file: String, options: [String]) in
        try await Program.run(["explain", "--no-packets", "-f", file] + options + Self.flow)
      }
      let written = try await explain(path, ["--fix", "--write"])
      #expect(written.status == .exited(0) && written.errors.contains("note: written: \(path).fixed"), "\(written)")
      #expect(try String(contentsOfFile: path, encoding: .utf8) == Self.world)
      try FileManager.default.copyItem(atPath: path + ".fixed", toPath: folder.appendingPathComponent("n.yaml").path)
      let after = try await explain(folder.appendingPathComponent("n.yaml").path, [])
      #expect(after.output.contains("TCP/5432: ALLOWED\n"), "\(after)")
      // The user's comments stay.
      let text = try String(contentsOfFile: path + ".fixed", encoding: .utf8)
      #expect(text.contains("# who may use the database\n") && text.contains("app: api # not deployed yet\n"))
      let again = try await explain(path, ["--fix", "--write"])
      #expect(again.status == .exited(2) && again.errors.contains("w.yaml.fixed is there already"), "\(again)")
      // A folder does not read the new file.
      let folderRead = try await explain(folder.path, [])
      #expect(folderRead.status == .exited(2) || folderRead.output.contains("DENIED"), "\(folderRead)")
      let changed = try await explain(path, ["--fix", "--write", "--in-place"])
      #expect(changed.status == .exited(0), "\(changed)")
      #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
      let last = try await explain(path, [])
      #expect(last.output.contains("TCP/5432: ALLOWED\n"), "\(last)")
      let nothing = try await explain(path, ["--fix", "--write", "--in-place"])
      #expect(nothing.status == .exited(2) && nothing.errors.contains("the flow is allowed already"), "\(nothing)")
    }
  }

  @Test("an allowed flow says which single removal stops it, and what else that closes") func closing() async throws {
    let open = Self.world.replacingOccurrences(of: "app: api # not deployed yet", with: "app: web")
    let result = try await Program.run(["explain", "--no-packets", "-f", "-"] + Self.flow, input: open)
    #expect(
      result.output.contains(
        "To stop it: remove ingress rule 0 of shop/db (-:35)\n  With it: DENIED (by specification and rules, no packet sent)\n  It closes:\n    - shop/web -> shop/db: everything (also ICMP)\n"
      ),
      "\(result.output)")
    let free = try await Program.run(
      ["explain", "--no-packets", "-f", "-", "shop/web", "shop/cache:6379"], input: open)
    #expect(free.output.contains("To stop it: no policy isolates either end, so nothing admits it"), "\(free.output)")
  }

  @Test("a change that closes other flows does not come before two that don't") func harmless() async throws {
    let both =
      Self.world.replacingOccurrences(of: "app: api # not deployed yet", with: "role: client")
      + "---\n" + policyText("shop/web-out", "podSelector: {matchLabels: {app: web}}\npolicyTypes: [Egress]")
    let result = try await Program.run(
      ["explain", "--no-packets", "--fix", "-o", "json", "-f", "-"] + Self.flow, input: both)
    let advice = try #require(
      try JSONDecoder().decode(Explained.self, from: Data(result.output.utf8)).explanations.first?.advice)
    #expect(advice.changes.first?.edits.count == 2 && advice.changes.first?.closes == [], "\(advice)")
    // Those with a single edit are told after them.
    #expect(advice.changes.contains { $0.edits.count == 1 && !$0.closes.isEmpty } || advice.others > 0, "\(advice)")
  }

  @Test("no label is changed that takes a pod from its Service, and no selector has a version in it") func services()
    async throws
  {
    let world = """
      apiVersion: v1
      kind: Namespace
      metadata: {name: front}
      ---
      apiVersion: v1
      kind: Namespace
      metadata: {name: data}
      ---
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: web, namespace: front}
      spec:
        selector: {matchLabels: {app: web}}
        template:
          metadata: {labels: {app: web, role: web, app.kubernetes.io/version: 1.4.2, pod-template-hash: abc}}
          spec: {containers: [{name: c, ports: [{containerPort: 80}]}]}
      ---
      apiVersion: v1
      kind: Service
      metadata: {name: web, namespace: front}
      spec: {selector: {role: web}, ports: [{port: 80}]}
      ---
      \(podText("data/db", on: "node1", labels: "app: db", ports: ["containerPort: 5432"]))
      \(policyText("data/db", "podSelector: {matchLabels: {app: db}}\ningress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {role: client}}}]}]"))
      \(policyText("front/web", "podSelector: {matchLabels: {role: web}}\npolicyTypes: [Egress]"))
      """
    let result = try await Program.run(
      ["explain", "--no-packets", "--fix", "-o", "json", "-f", "-", "front/web", "data/db:5432"], input: world)
    let advice = try #require(
      try JSONDecoder().decode(Explained.self, from: Data(result.output.utf8)).explanations.first?.advice, "\(result)")
    #expect(!advice.changes.isEmpty)
    for change in advice.changes {
      #expect(
        !change.edits.contains { $0.contains("label role") || $0.contains("1.4.2") || $0.contains("abc") }, "\(change)")
      #expect(change.verdict == "allowed")
    }
  }

  @Test("several refused flows get their changes together, and --write makes all of them") func together() async throws
  {
    // Each node's pod speaks as its node.
    let agents = """
      apiVersion: apps/v1
      kind: DaemonSet
      metadata: {name: agent, namespace: shop}
      spec:
        selector: {matchLabels: {app: agent}}
        template:
          metadata: {labels: {app: agent}}
          spec: {hostNetwork: true, containers: [{name: c}]}
      ---
      \(podText("shop/far", on: "node2", labels: "app: far"))

      """
    try await Self.inFolder { folder in
      let path = folder.appendingPathComponent("w.yaml").path
      let world = agents + Self.world.replacingOccurrences(of: "node2", with: "node3")
      try Data(world.utf8).write(to: URL(fileURLWithPath: path))
      let explain = { (options: [String]) in
        try await Program.run(
          ["explain", "--no-packets", "-f", path] + options + ["shop/agent", "shop/db:5432"])
      }
      let before = try await explain(["--fix", "--write", "--in-place"])
      #expect(before.status == .exited(0), "\(before)")
      #expect(before.output.contains("Changes for all 2 refused flows, of which 2 pass with them"), "\(before.output)")
      let after = try await explain([])
      #expect(
        !after.output.contains("TCP/5432: DENIED") && after.output.contains("TCP/5432: ALLOWED"), "\(after.output)")
    }
  }

  @Test(
    "where no policy can help, it says what else refuses the packet",
    arguments: [
      ("NPL-207", "the packet is forwarded in a loop"), ("NPL-208", "the source is not in loadBalancerSourceRanges"),
      ("NPL-209", "has no usable endpoint"), ("NPL-210", "has traffic policy Local and no usable endpoint"),
      ("NPL-211", "doesn't serve this port"),
    ])
  func hopeless(code: String, expected: String) async throws {
    let path = repository.appendingPathComponent("examples/codes/\(code).yaml").path
    let first = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")[0]
    // `# netpol-lab explain -f FILE FROM TO`
    let words = first.split(separator: " ").map(String.init)
    let ends = Array(words.suffix(2))
    let result = try await Program.run(["explain", "--no-packets", "-f", path] + ends)
    let told = result.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.joined(
      separator: " ")
    let sentence = try #require(told.range(of: "No change of policies or labels helps: "), "\(result)")
    #expect(told[sentence.upperBound...].contains(expected), "\(result)")
  }

  @Test(
    "options that make no sense together get one line",
    arguments: [
      (["--write"], "--write writes what --fix finds"),
      (["--fix", "--in-place"], "--in-place says where --write writes"),
      (["--fix", "--write"], "standard input can't be changed"),
      (["--fix", "--nft", "/dev/null"], "--fix changes policies, and the rules of a dump stay as they are"),
    ])
  func usage(options: [String], expected: String) async throws {
    let result = try await Program.run(["explain", "--no-packets", "-f", "-"] + options + Self.flow, input: Self.world)
    #expect(result.status == .exited(2) && result.errors.contains(expected), "\(result)")
  }
}
