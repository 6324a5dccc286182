// Not covered: machines with other versions of ip, iptables, ipset, nft and nc than this one.
import Foundation
import Kernel
import TestSupport
import Testing

@Suite("export", .serialized) struct ExportProgramTests {
  private static let gotchas = repository.appendingPathComponent("netns-scripts/gotchas").standardized

  /// A row of the gotchas' README: the script, what it prints, and the arguments that write it.
  struct Gotcha: CustomTestStringConvertible, Sendable {
    let name: String
    let verdicts: [String]
    let arguments: [String]
    var testDescription: String { name }
    var path: String { gotchas.appendingPathComponent(name).path }

    static let all: [Gotcha] = {
      let text = try? String(contentsOf: gotchas.appendingPathComponent("README.md"), encoding: .utf8)
      return (text ?? "").split(separator: "\n").compactMap { line in
        let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        guard cells.count == 4, cells[0].hasPrefix("["), let end = cells[0].firstIndex(of: "]") else { return nil }
        return Gotcha(
          name: String(cells[0][..<end].dropFirst()), verdicts: cells[2].components(separatedBy: ", then "),
          arguments: cells[3].trimmingCharacters(in: ["`"]).split(separator: " ").dropFirst().map(String.init))
      }
    }()
  }

  private static func export(_ arguments: [String]) async throws -> Program.Result {
    try await Program.run(["export"] + arguments)
  }

  private static func inRepository(_ arguments: [String]) -> [String] {
    arguments.map { $0.hasPrefix("examples/") ? repository.appendingPathComponent($0).path : $0 }
  }

  private static func temporary(_ text: String, _ name: String = "world.yaml") throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let file = folder.appendingPathComponent(name)
    try Data(text.utf8).write(to: file)
    return file
  }

  @Test("there are scripts of eight gotchas") func eight() throws {
    #expect(Gotcha.all.count == 8)
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.gotchas.path).filter { $0.hasSuffix(".sh") }
    #expect(Set(files) == Set(Gotcha.all.map(\.name) + ["write.sh"]))
  }

  @Test("each gotcha's script is what export writes today", arguments: Gotcha.all)
  func isFresh(gotcha: Gotcha) async throws {
    let arguments = Self.inRepository(Array(gotcha.arguments.dropFirst()))
    let result = try await Self.export(arguments + ["--no-check"])
    #expect(result.status == .exited(0), "\(result.errors)")
    #expect(
      try result.output == String(contentsOfFile: gotcha.path, encoding: .utf8),
      "netns-scripts/gotchas/write.sh writes the scripts anew")
  }

  @Test("each gotcha's script shows what it says, and leaves nothing", .needsNamespaces, arguments: Gotcha.all)
  func shows(gotcha: Gotcha) async throws {
    let result = Program.Result(try await Program.start(["bash", gotcha.path]))
    #expect(result.status == .exited(0), "\(result)")
    let verdicts = result.output.split(separator: "\n").map(String.init).filter { ["ALLOWED", "DENIED"].contains($0) }
    #expect(verdicts == gotcha.verdicts, "\(result)")
    #expect(result.output.contains("table filter, chain "), "\(result)")
    #expect(!FileManager.default.fileExists(atPath: "/run/netns/lan"))
  }

  @Test("a script that shows another verdict than it says ends with 1", .needsNamespaces) func disagrees() async throws
  {
    let path = try #require(Gotcha.all.first { $0.name == "host-port.sh" }?.path)
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let file = try Self.temporary(text.replacingOccurrences(of: "tell DENIED", with: "tell ALLOWED"), "wrong.sh")
    defer { try? FileManager.default.removeItem(at: file.deletingLastPathComponent()) }
    let result = Program.Result(try await Program.start(["bash", file.path]))
    #expect(result.status == .exited(1) && result.output.contains("DENIED"), "\(result)")
  }

  @Test(
    "export runs its script, in every style and for every protocol", .needsNamespaces,
    arguments: ["kube-router-2.6-k3s", "kube-router-2.11", "kube-router-2.11-nft", "compiled"])
  func styles(style: String) async throws {
    let example = repository.appendingPathComponent("examples/dual-stack").path
    for (from, to, verdict) in [
      ("external/lan", "[fd00:20::11]:30080", "DENIED"), ("shop/web", "10.43.0.80:80", "ALLOWED"),
      ("shop/job", "[2001:db8:1::50]:443", "ALLOWED"), ("external/2001:db8:1::50", "shop/web:8080/UDP", "DENIED"),
      ("external/2001:db8:1::50", "shop/web:8080/SCTP", "DENIED"), ("shop/job", "10.42.1.2:ICMP", nil),
    ] as [(String, String, String?)] {
      let result = try await Self.export(["-f", example, "--style", style, from, to])
      #expect(result.status == .exited(0), "\(from) \(to) \(result.errors)")
      #expect(result.errors.contains("shows what its heading says"), "\(from) \(to) \(result.errors)")
      if let verdict { #expect(result.output.contains("# verdict  \(verdict)\n"), "\(from) \(to)") }
    }
  }

  @Test("several ports are refused by name, and so is what is not asked") func refusals() async throws {
    let codes = repository.appendingPathComponent("examples/codes").path
    for (arguments, parts) in [
      (["-f", "\(codes)/NPL-304.yaml", "ops/web", "shop/db"], ["3 flows", "TCP/5432", "UDP/20000"]),
      (["-f", "\(codes)/NPL-402.yaml", "shop/web", "service/shop/db:5432"], ["not asked", "Cilium"]),
      (["-f", "\(codes)/NPL-503.yaml", "external/lan", "shop/db:5432"], ["not asked", "no route to the pods"]),
      (
        ["-f", "\(codes)/NPL-304.yaml", "ops/web", "shop/db:5432", "--group", "224.0.0.1"], ["--group needs a UDP port"]
      ),
      (["-f", "\(codes)/NPL-304.yaml", "ops/web", "shop/db:5432", "--new-pod", "node/n1"], ["is no pod"]),
    ] {
      let result = try await Self.export(arguments)
      #expect(result.status == .exited(2) && result.output.isEmpty, "\(result)")
      for part in parts { #expect(result.errors.contains(part), "\(result.errors)") }
    }
  }

  @Test("names that mean something to a shell are text in a script", .needsNamespaces) func hostileNames() async throws
  {
    let mark = FileManager.default.temporaryDirectory.appendingPathComponent("mark-\(UUID().uuidString)").path
    let bad = "$(touch \(mark))`touch \(mark)`; touch \(mark) #"
    let world = try Self.temporary(
      """
      apiVersion: netpol-lab/v1alpha1
      kind: Cluster
      nodes:
      - {name: "n1", addresses: [192.168.20.11], podCIDRs: [10.42.0.0/24]}
      ---
      apiVersion: v1
      kind: Namespace
      metadata: {name: "s\(bad)"}
      ---
      apiVersion: v1
      kind: Pod
      metadata: {namespace: "s\(bad)", name: "web\(bad)", labels: {app: web}}
      spec: {nodeName: n1, containers: [{name: c}]}
      ---
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {namespace: "s\(bad)", name: "p\(bad)"}
      spec:
        podSelector: {matchLabels: {app: web}}
        policyTypes: [Ingress]
      """)
    defer { try? FileManager.default.removeItem(at: world.deletingLastPathComponent()) }
    for style in ["kube-router-2.6-k3s", "kube-router-2.11-nft", "compiled"] {
      let result = try await Self.export(
        ["-f", world.path, "--as-stored", "--style", style, "192.168.20.50", "10.42.0.2:80"])
      #expect(result.status == .exited(0), "\(style) \(result.errors)")
      #expect(result.output.contains("# pod--2 is pod s$(touch"), "\(result.output.prefix(2500))")
      #expect(!FileManager.default.fileExists(atPath: mark))
    }
  }

  @Test("a name with a character that nobody sees is in no script") func hiddenCharacters() async throws {
    for hidden in [#"\e[31m"#, #"\u202e"#] {
      let world = try Self.temporary(
        """
        apiVersion: v1
        kind: Namespace
        metadata: {name: shop}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {namespace: shop, name: web, labels: {app: web}}
        spec: {nodeName: n1, containers: [{name: c}]}
        ---
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {namespace: shop, name: "deny\(hidden)"}
        spec:
          podSelector: {matchLabels: {app: web}}
          policyTypes: [Ingress]
        """)
      defer { try? FileManager.default.removeItem(at: world.deletingLastPathComponent()) }
      let result = try await Self.export(
        ["-f", world.path, "--as-stored", "--no-check", "192.168.20.50", "shop/web:80"])
      #expect(result.status == .exited(2) && result.output.isEmpty, "\(result)")
      #expect(result.errors.contains("which readers of a script don't see"), "\(result)")
    }
  }
}
