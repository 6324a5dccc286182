// Not covered: whether the sentences are clear. Readers decide that.
import Foundation
import Kernel
import NetpolModel
import TestSupport
import Testing

@Suite("explain", .serialized) struct ExplainProgramTests {
  private static func explain(_ path: String, _ arguments: [String]) async throws -> Program.Result {
    try await Program.run(["explain", "-f", repository.appendingPathComponent(path).path] + arguments)
  }

  private static func field(_ name: String) -> String { "Tests/Fixtures/field/\(name)" }

  @Test(
    "the cause stands in the first five lines", .needsNamespaces,
    arguments: [
      (
        "01-lb-ip-egress", "vpn/tunnel-client", "192.168.50.99:443",
        ["DENIED", "egress rule 2", "has turned that into 10.42.1.2:8443 before policies see"]
      ),
      (
        "09-ingress-hostnetwork", "ing/controller-n2", "front/ui:8080",
        ["DENIED", "selectors never match host-network pods; ing/controller-n2 speaks as 10.42.1.0"]
      ),
      (
        "12-policytypes", "vault/ingress-only", "vault/free:8200",
        ["ALLOWED", "are not in force: policyTypes names Ingress alone"]
      ),
      (
        "29-peer-selectors", "ing/nginx", "pay/api:8080",
        ["DENIED", "no namespace has label name=ing", "means namespace pay alone"]
      ),
      (
        "31-hostnetwork-selected", "edge/box", "edge/other:80",
        ["DENIED", "edge/deny selects edge/box in vain"]
      ),
      (
        "34-cronjob-db/world.yaml", "data/CronJob/ping-db", "data/mysql:3306",
        ["ALLOWED", "packets are refused until the next sync; netpol-lab lag"]
      ),
    ])
  func firstLines(name: String, from: String, to: String, expected: [String]) async throws {
    let result = try await Self.explain(Self.field(name), [from, to])
    #expect(result.status == .exited(0), "\(result)")
    let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false).prefix(8)
    let text = lines.map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: " ")
    for part in expected { #expect(text.contains(part), "\(part) not in: \(text)") }
    #expect(result.output.contains("What the packet met, by the kernel's own trace\n"), "\(result.output)")
  }

  @Test("every entry is quoted with its line, and says why it does not admit") func quotes() async throws {
    let world = """
      apiVersion: v1
      kind: Namespace
      metadata: {name: shop}
      ---
      apiVersion: v1
      kind: Pod
      metadata: {namespace: shop, name: web, labels: {app: web}}
      spec: {nodeName: n1, containers: [{name: c}]}
      ---
      apiVersion: v1
      kind: Pod
      metadata: {namespace: shop, name: db, labels: {app: db}}
      spec: {nodeName: n2, containers: [{name: c, ports: [{containerPort: 5432}]}]}
      ---
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {namespace: shop, name: db}
      spec:
        podSelector: {matchLabels: {app: db}}
        ingress:
        - from:
          - ipBlock:
              cidr: 10.42.0.0/16
              except:
              - 10.42.9.0/24
              - 10.42.0.0/24
          - podSelector:
              matchLabels: {app: api}
          ports:
          - port: 80
          - port: 443
      """
    let result = try await Program.run(
      ["explain", "--no-packets", "-f", "-", "shop/web", "shop/db:5432"], input: world)
    #expect(result.status == .exited(0), "\(result)")
    for part in [
      "10.42.0.2 is in the except 10.42.0.0/24 of line 26 [NPL-308]", "port 5432 is not in ports (80, 443) [NPL-311]",
      "shop/web has label app=web, not api [NPL-305]", "27 |     - podSelector:", "22 |     - ipBlock:",
      "by the evaluator alone: no packet was wanted [NPL-605]",
    ] {
      let words = result.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      #expect(words.contains(part.split(separator: " ").joined(separator: " ")), "\(part) not in:\n\(result.output)")
    }
  }

  /// Two nodes, a client on the first, and a pod behind a Service on the second.
  private static func world(_ service: String, _ policy: String, client: String = "n1") -> String {
    """
    apiVersion: netpol-lab/v1alpha1
    kind: Cluster
    nodes:
    - {name: n1, addresses: [192.168.20.11], podCIDRs: [10.42.0.0/24]}
    - {name: n2, addresses: [192.168.20.12], podCIDRs: [10.42.1.0/24]}
    ---
    apiVersion: v1
    kind: Pod
    metadata: {namespace: shop, name: cli, labels: {app: cli}}
    spec: {nodeName: \(client), containers: [{name: c}]}
    ---
    apiVersion: v1
    kind: Pod
    metadata: {namespace: shop, name: web, labels: {app: web}}
    spec: {nodeName: n1, containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
    ---
    apiVersion: v1
    kind: Service
    metadata: {namespace: shop, name: web}
    spec: {type: NodePort, clusterIP: 10.43.0.81, selector: {app: web}, \(service)}
    ---
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {namespace: shop, name: some}
    spec: \(policy)
    """
  }

  private static let silent = "{podSelector: {matchLabels: {app: cli}}, policyTypes: [Egress]}"
  private static let fromCli =
    "{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: cli}}}]}]}"
  private static let nobody = "{podSelector: {matchLabels: {app: other}}, policyTypes: [Ingress]}"

  @Test(
    "the cause of a flow to a Service is what decides first",
    arguments: [
      (
        world("ports: [{port: 80, targetPort: mysql, nodePort: 30081}]", nobody), "service/shop/web:80",
        "gives a TCP port the name mysql, its targetPort; known: http"
      ),
      (
        world("externalTrafficPolicy: Local, ports: [{port: 80, targetPort: 8080, nodePort: 30081}]", silent),
        "node/n2:30081", "Cause: on n1 the egress policies of shop/cli refuse the packet first: shop/some"
      ),
      (
        world("externalTrafficPolicy: Local, ports: [{port: 80, targetPort: 8080, nodePort: 30081}]", nobody),
        "node/n2:30081",
        "Cause: Service shop/web: its traffic policy is Local, and its ready endpoints are on n1, not on n2"
      ),
      (
        world("ports: [{port: 80, targetPort: 8080, nodePort: 30081}]", fromCli, client: "n2"), "node/n2:30081",
        "admits shop/cli, but the packet arrives as 10.42.1.0: a node put its own address on it"
      ),
      (
        world("ports: [{port: 80, targetPort: 8081, nodePort: 30081}]", nobody), "service/shop/web:80",
        "Note: no container of shop/web declares TCP/8081 (declared: TCP/8080)"
      ),
    ])
  func causes(world: String, to: String, expected: String) async throws {
    let result = try await Program.run(["explain", "--no-packets", "-f", "-", "shop/cli", to], input: world)
    let text = result.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(result.status == .exited(0) && text.contains(expected), "\(result)")
  }

  @Test("flows with the same answer are explained once, and a sender that is seen otherwise is not alike")
  func alike() async throws {
    let pods = (2...4).map { number in
      """
      ---
      apiVersion: v1
      kind: Pod
      metadata: {namespace: shop, name: web\(number), labels: {app: web}}
      spec: {nodeName: n\(number == 4 ? 2 : 1), containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}

      """
    }.joined()
    let world = Self.world("ports: [{port: 80, targetPort: 8080, nodePort: 30081}]", Self.fromCli) + "\n" + pods
    let ask = { (to: String) in
      let result = try await Program.run(["explain", "--no-packets", "-f", "-", "shop/cli", to], input: world)
      return result.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
    #expect(try await ask("service/shop/web:80").hasPrefix("4 flows: 4 allowed, in these kinds"))
    #expect(try await ask("service/shop/web:80").contains("ALLOWED, and 3 alike"))
    // Three of the pods see the second node's tunnel address, and the fourth sees that of the first node.
    #expect(try await ask("node/n2:30081").contains("DENIED, and 2 alike"))
  }

  @Test(
    "what can't be explained is one line with what to do, and exit code 2",
    arguments: [
      (["shop/web", "shop/nobody:80"], "to shop/nobody: "), (["shop/nobody", "shop/db"], "from shop/nobody: "),
      (["service/shop/db", "shop/db"], "from service/shop/db: a Service sends no packets"),
      (["shop/web", "shop/db:99999"], "a port is a number from 1 to 65535"),
      (["shop/web", "shop/db:x_y"], "write a number such as 80"),
      (["shop/web", "10.0.0.0/8"], "is a network; write one address of it"),
      (["shop/web"], "Missing expected argument '<to>'"),
      (["-o", "pcapng", "--no-packets", "shop/web", "shop/db"], "-o pcapng holds the packets that were sent"),
      (["--node", "n1", "shop/web", "shop/db"], "--node names the node of a dump"),
      (
        ["--netpol-default-deny", "shop/web", "shop/db"],
        "--netpol-default-deny says how the node of a dump was started"
      ),
      (["--pod-cidr", "10.0.0.0/24", "shop/web", "shop/db"], "--pod-cidr says how"),
      (["--nft", "/nonexistent", "shop/web", "shop/db"], "/nonexistent"),
    ])
  func refusals(arguments: [String], expected: String) async throws {
    let result = try await Self.explain("examples/codes/NPL-201.yaml", arguments)
    #expect(result.status == .exited(2) && result.output.isEmpty, "\(result)")
    #expect(result.errors.contains(expected), "\(result.errors)")
  }

  @Test("with a node's dump, the rules are the dump's, and packets meet them too", .needsNamespaces)
  func dump() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("explain-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let world = repository.appendingPathComponent("examples/codes/NPL-104.yaml").path
    let rendered = try await Program.run(
      ["render", "-f", world, "--style", "kube-router-2.11-nft", "--node", "n2"])
    #expect(rendered.status == .exited(0), "\(rendered)")
    // On the node somebody has added a rule in front of the policy's.
    let dump = folder.appendingPathComponent("rules").path
    try Data(rendered.output.utf8).write(to: URL(fileURLWithPath: dump))
    let same = try await Program.run(
      ["explain", "-f", world, "--node", "n2", "--nft", dump, "shop/web", "shop/db:5432"])
    #expect(same.status == .exited(0) && same.output.contains(": ALLOWED\n"), "\(same)")
    #expect(same.output.contains("by the kernel's own trace"), "\(same)")
  }

  /// The programs of iptables, and those of iptables-legacy beside them.
  private static let legacy = ["iptables", "ip6tables"].flatMap { name in
    ["", "-restore", "-save"].map { (name + $0, "/usr/sbin/\(name)-legacy\($0)") }
  }

  @Test(
    "rules of iptables-legacy are traced too, by its TRACE target", .needsNamespaces,
    .enabled(
      if: legacy.allSatisfy { FileManager.default.isExecutableFile(atPath: $0.1) }, "needs iptables-legacy"),
    arguments: [
      ("NPL-105", "shop/web", "shop/db:5432", ": DENIED"), ("NPL-201", "shop/web", "service/shop/db:5432", ": ALLOWED"),
      ("NPL-204", "shop/web", "service/kube-system/kube-dns:53/UDP", ": ALLOWED"),
      ("NPL-205", "external/lan", "node/n1:80", ": ALLOWED"), ("NPL-210", "external/lan", "node/n1:30080", ": DENIED"),
    ])
  func legacyTables(code: String, from: String, to: String, verdict: String) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("legacy-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, target) in Self.legacy {
      try FileManager.default.createSymbolicLink(
        atPath: folder.appendingPathComponent(name).path, withDestinationPath: target)
    }
    let world = repository.appendingPathComponent("examples/codes/\(code).yaml").path
    for style in ["kube-router-2.6-k3s", "kube-router-2.11-nft"] {
      let script = "PATH=\(folder.path):$PATH exec \"$0\" explain --style \(style) -f \(world) \(from) \(to)"
      let result = Program.Result(try await Program.start(["sh", "-c", script, Program.path]))
      #expect(result.status == .exited(0) && result.output.contains("\(verdict)\n"), "\(result)")
      #expect(result.output.contains("(legacy)"), "\(result.output)")
      #expect(result.output.contains("What the packet met, by the kernel's own trace\n"), "\(result.output)")
    }
  }

  @Test("JSON has the same, and a capture opens in Wireshark with a comment for each rule", .needsNamespaces)
  func machineOutput() async throws {
    let path = "examples/codes/NPL-105.yaml"
    let json = try await Self.explain(path, ["-o", "json", "shop/web", "shop/db:5432"])
    #expect(json.status == .exited(0), "\(json)")
    let document = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    let explained = try #require((document["explanations"] as? [[String: Any]])?.first)
    #expect((explained["trace"] as? [String: Any])?["by"] as? String == "kernel")
    #expect((explained["sides"] as? [[String: Any]])?.count == 2)
    let flow = try #require((document["flows"] as? [[String: Any]])?.first)
    #expect(flow["codes"] as? [String] == ["NPL-105"])

    let file = FileManager.default.temporaryDirectory.appendingPathComponent("trace-\(UUID()).pcapng").path
    defer { try? FileManager.default.removeItem(atPath: file) }
    let script =
      "exec \"$0\" explain -f \(repository.appendingPathComponent(path).path) -o pcapng shop/web shop/db:5432 > \(file)"
    let written = Program.Result(try await Program.start(["sh", "-c", script, Program.path]))
    #expect(written.status == .exited(0), "\(written)")
    let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
    #expect(bytes.starts(with: [0x0A, 0x0D, 0x0D, 0x0A]) && bytes.count % 4 == 0)
    // Blocks that follow each other to the end, as the format says.
    var (place, types) = (0, [UInt32]())
    while place + 12 <= bytes.count {
      let word = { (at: Int) in bytes[at..<at + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) } }
      types.append(word(place))
      let length = Int(word(place + 4))
      try #require(length >= 12 && place + length <= bytes.count)
      #expect(word(place + length - 4) == UInt32(length))
      place += length
    }
    #expect(place == bytes.count && types.count { $0 == 6 } > 3 && types.count { $0 == 1 } == 2)
  }

  @Test(
    "tshark reads the capture: addresses, ports, machines and comments", .needsNamespaces,
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/tshark"), "needs tshark (setup.sh --all)"))
  func tshark() async throws {
    let path = repository.appendingPathComponent("examples/codes/NPL-105.yaml").path
    let script =
      "\"$0\" explain -f \(path) -o pcapng shop/web shop/db:5432 2>/dev/null | tshark -r - -T fields -e frame.interface_name "
      + "-e ip.src -e ip.dst -e tcp.dstport -e frame.comment 2>&1"
    let result = Program.Result(try await Program.start(["sh", "-c", script, Program.path]))
    let lines = result.output.split(separator: "\n").filter { $0.contains("10.42.0.2") }
    #expect(lines.count > 3, "\(result)")
    #expect(lines.allSatisfy { $0.contains("10.42.1.2\t5432") }, "\(result.output)")
    #expect(lines.contains { $0.hasPrefix("n1\t") } && lines.contains { $0.hasPrefix("n2\t") }, "\(result.output)")
    #expect(result.output.contains("policy shop/deny") && result.output.contains("REJECT"), "\(result.output)")
    #expect(!result.output.contains("Malformed"), "\(result.output)")
  }
}

@Suite("Codes") struct CodeTests {
  /// What a machine lacks, and not a manifest, and the test that provokes it.
  private static let ofMachines: Set<Code> = [.undecided, .noSCTP, .noPackets, .traceLost, .notTraced]
  /// These are errors of the question.
  private static let nothingToAsk = "NPL-701"..."NPL-799"

  @Test("each has a page with its title, its meaning, what one sees, and how to mend it", arguments: Code.allCases)
  func pages(code: Code) throws {
    let page = repository.appendingPathComponent("docs/codes/\(code).md")
    let text = try String(contentsOf: page, encoding: .utf8)
    #expect(text.hasPrefix("# \(code): "))
    for heading in ["\n## In a cluster\n\n", "\n## How to mend it\n\n"] { #expect(text.contains(heading)) }
    let index = try String(contentsOf: repository.appendingPathComponent("docs/codes/README.md"), encoding: .utf8)
    #expect(index.contains("[\(code)](\(code).md)"))
    let world = repository.appendingPathComponent("examples/codes/\(code).yaml").path
    #expect(FileManager.default.fileExists(atPath: world) != Self.ofMachines.contains(code), "\(code)")
  }

  @Test(
    "each reason of manifests is printed for its smallest cluster", .needsNamespaces,
    arguments: Code.allCases.filter { !ofMachines.contains($0) })
  func worlds(code: Code) async throws {
    let world = repository.appendingPathComponent("examples/codes/\(code).yaml")
    let first = try #require(try String(contentsOf: world, encoding: .utf8).split(separator: "\n").first)
    var words = first.split(separator: " ").map(String.init)
    #expect(words.prefix(2) == ["#", "netpol-lab"] && words.contains("examples/codes/\(code).yaml"))
    words = words.dropFirst(2).map { $0.hasPrefix("examples/") ? repository.appendingPathComponent($0).path : $0 }
    if words.first == "explain" { words.append("--no-packets") }
    let result = try await Program.run(words)
    if Self.nothingToAsk.contains(code.rawValue) {
      #expect(result.status == .exited(2) && result.output.isEmpty, "\(result)")
      #expect(result.errors.contains("[\(code)]\n"), "\(result.errors)")
      return
    }
    #expect(result.status == .exited(0), "\(result)")
    #expect(result.output.contains("[\(code)]"), "\(result.output)")
    let json = try await Program.run(words + ["-o", "json"])
    #expect(json.output.contains("\(code)"), "\(json.output)")
  }

  @Test("a machine that can make no namespaces still explains, by rules and policies alone", .needsNamespaces)
  func poorMachine() async throws {
    let world = repository.appendingPathComponent("examples/codes/NPL-105.yaml").path
    let script =
      "exec unshare -Urnm sh -c 'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-net_admin "
      + "--inh-caps=-net_admin \"$0\" \"$@\"' \(Program.path) explain -f \(world) shop/web shop/db:5432"
    let result = Program.Result(try await Program.start(["sh", "-c", script]))
    #expect(result.status == .exited(0), "\(result)")
    #expect(result.output.contains(": DENIED\n") && result.output.contains("[\(Code.noPackets)]"), "\(result.output)")
    #expect(result.errors.contains("warning: this machine can't send packets"), "\(result.errors)")
  }

  @Test("an expectation may name codes: they must be among the answer's", .needsNamespaces) func expected() async throws
  {
    let world = try String(
      contentsOf: repository.appendingPathComponent("examples/codes/NPL-304.yaml"), encoding: .utf8)
    let asked = { (because: String) in
      """
      ---
      apiVersion: netpol-lab/v1alpha1
      kind: Expectations
      groups:
      - name: codes
        flows: [{from: ops/web, to: shop/db, port: 5432, expect: denied, because: '\(because)'}]

      """
    }
    let run = { (because: String) in
      try await Program.run(["run", "--expectations-only", "-f", "-"], input: world + asked(because))
    }
    #expect(try await run("NPL-105, NPL-304").status == .exited(0))
    #expect(try await run("nobody gave the namespace a label (NPL-304)").status == .exited(0))
    let missed = try await run("NPL-305")
    #expect(missed.status == .exited(1) && missed.output.contains("not because of NPL-305"), "\(missed)")
    let unknown = try await run("NPL-999")
    #expect(unknown.status == .exited(2) && unknown.errors.contains("unknown code \"NPL-999\""), "\(unknown)")
  }
}
