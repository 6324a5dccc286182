import Foundation
import Kernel
import TestSupport
import Testing

@Suite("netpol-lab prove and equal") struct ProveProgramTests {
  private static let homelab = repository.appendingPathComponent("examples/homelab").standardized.path

  @Test("prove ends with 0 where every difference has a number, and names the numbers")
  func proved() async throws {
    let result = try await Program.run(["prove", "-f", Self.homelab])
    #expect(result.status == .exited(0), "\(result.errors)\(result.output)")
    #expect(result.output.hasPrefix("proved: kube-router-2.6-k3s, 2^"))
    for part in ["D5 (", "D8 (", "D9 (", "D25 (", "Not covered: "] { #expect(result.output.contains(part)) }
    let json = try await Program.run(["prove", "-f", Self.homelab, "-o", "json"])
    #expect(json.output.contains(#""schema":"netpol-lab/prove/v1""#) && json.output.contains(#""proved":true"#))
  }

  @Test("equal ends with 0 for one style twice, and with 1 for two that differ")
  func styles() async throws {
    let same = try await Program.run(["equal", "-f", Self.homelab, "--style", "compiled", "--style", "compiled"])
    #expect(same.status == .exited(0), "\(same.errors)\(same.output)")
    #expect(same.output.hasPrefix("equal: compiled and compiled do the same with 2^"))
    let other = try await Program.run(
      ["equal", "-f", Self.homelab, "--style", "kube-router-2.6-k3s", "--style", "kube-router-2.11-nft"])
    #expect(other.status == .exited(1), "\(other.errors)\(other.output)")
    let text = other.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(text.contains("SCTP/30000-32767: kube-router-2.6-k3s refuses it, kube-router-2.11-nft allows it"))
  }

  @Test("a dump whose sets lack a pod: equal and compare --by-meaning say what that costs")
  func dump() async throws {
    let folder = repository.appendingPathComponent("Tests/Fixtures/field/30-ipset-drift").path
    let rules = ["-f", "\(folder)/world.yaml", "--iptables-save", "\(folder)/v4", "--ipset-save"]
    let right = try await Program.run(["equal"] + rules + ["\(folder)/sets"])
    #expect(right.status == .exited(0), "\(right.errors)\(right.output)")
    for (command, options) in [("equal", []), ("compare", ["--by-meaning"])] {
      let stale = try await Program.run([command] + rules + ["\(folder)/sets-stale"] + options)
      #expect(stale.status == .exited(1), "\(stale.errors)\(stale.output)")
      let text = stale.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      #expect(text.contains("drift/probe -> drift/db all ports"), "\(stale.output)")
    }
    let said = try await Program.run(["equal"] + rules + ["\(folder)/sets", "--specification"])
    #expect(said.output.hasPrefix("proved: the dump of n1, 2^"), "\(said.output)")
  }

  @Test("a dump is told apart if it lacks rules, if others accept before them, or if it can't be judged")
  func oddDumps() async throws {
    let folder = repository.appendingPathComponent("Tests/Fixtures/field/30-ipset-drift").path
    let dump = try String(contentsOfFile: "\(folder)/v4", encoding: .utf8)
    let temporary = FileManager.default.temporaryDirectory.appendingPathComponent("dumps-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: temporary) }
    let jump = try #require(dump.split(separator: "\n").first { $0.hasPrefix("-A FORWARD") }.map(String.init))
    let chain = "-A KUBE-ROUTER-FORWARD "
    let cases: [(text: String, status: Int32, says: String)] = [
      (dump, 0, "equal: "), ("*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n", 2, "holds no rule of"),
      (dump.replacing(jump, with: "-A FORWARD -j ACCEPT\n" + jump), 1, "not equal: "),
      (
        dump.replacing(jump, with: "\(chain)-p udp -m udp --sport 53 -j ACCEPT\n" + jump), 2, "looks at the source port"
      ),
      (dump.replacing(jump, with: "-A FORWARD -j MARK --set-xmark 0x10000/0x10000\n" + jump), 1, "not equal: "),
      (dump.replacing(jump, with: "-A FORWARD -i eth0 -j ACCEPT\n" + jump), 2, "what this rule means is not known"),
      (
        dump.replacing("*filter\n", with: "*filter\n:MY - [0:0]\n")
          .replacing(jump, with: "-A FORWARD -j MY\n\(jump)\n-A MY -j ACCEPT"), 2, "leads to the chain MY"
      ),
    ]
    for (number, one) in cases.enumerated() {
      let file = temporary.appendingPathComponent("v4-\(number)").path
      try one.text.write(toFile: file, atomically: true, encoding: .utf8)
      let result = try await Program.run([
        "equal", "-f", "\(folder)/world.yaml", "--style", "kube-router-2.6-k3s", "--node", "n1", "--iptables-save",
        file,
        "--ipset-save", "\(folder)/sets",
      ])
      #expect(result.status == .exited(one.status), "\(number): \(result.errors)\(result.output)")
      #expect((result.output + result.errors).contains(one.says), "\(number): \(result.errors)\(result.output)")
    }
  }

  /// One node, a pod that a policy closes, and a service that leads to it.
  private static let closed = """
    apiVersion: v1
    kind: Node
    metadata: {name: n0}
    spec: {podCIDRs: [10.42.0.0/24]}
    status: {addresses: [{type: InternalIP, address: 192.168.20.11}]}
    ---
    apiVersion: v1
    kind: Pod
    metadata: {namespace: a, name: s, labels: {app: s}}
    spec: {nodeName: n0, containers: [{name: c, ports: [{containerPort: 8080}]}]}
    status: {phase: Running, hostIP: 192.168.20.11, podIP: 10.42.0.6, podIPs: [{ip: 10.42.0.6}]}
    ---
    apiVersion: v1
    kind: Service
    metadata: {namespace: a, name: s}
    spec: {type: NodePort, clusterIP: 10.43.0.16, selector: {app: s}, ports: [{port: 81, targetPort: 8080, nodePort: 30080}]}
    ---

    """
  private static let policy = """
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {namespace: a, name: deny}
    spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
    """

  @Test("equal shows a pod that reaches itself through its Service, and compares with the same Services only")
  func hairpins() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("equal-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    let write = { (name: String, text: String) throws -> String in
      let file = folder.appendingPathComponent(name).path
      try text.write(toFile: file, atomically: true, encoding: .utf8)
      return file
    }
    let old = try write("old.yaml", Self.closed + Self.policy)
    // The policy moves to another line, which changes nothing.
    let moved = try write("moved.yaml", "# a comment\n" + Self.closed + Self.policy)
    let other = try write("other.yaml", (Self.closed + Self.policy).replacing("port: 81", with: "port: 82"))
    let equal = { (path: String) in
      try await Program.run(["equal", "-f", old, "--other", path, "--style", "kube-router-2.6-k3s"])
    }
    #expect(try await equal(moved).status == .exited(0))
    let styles = try await Program.run([
      "equal", "-f", old, "--style", "kube-router-2.6-k3s", "--style", "compiled", "-o", "json",
    ])
    let report = try JSONDecoder().decode(Unequal.self, from: Data(styles.output.utf8))
    let own = report.differences.filter { $0.from == "a/s" && $0.to == "a/s" }
    #expect(own.map(\.serviceAddress) == ["10.43.0.16"] && own.map(\.asked) == [["TCP/8080"]], "\(own)")
    #expect(own.map(\.one) == ["denied"])
    let refused = try await equal(other)
    #expect(refused.status == .exited(2) && refused.errors.contains("other Services or endpoints"), "\(refused)")
  }

  private struct Unequal: Decodable {
    struct Difference: Decodable {
      let from, to: String
      let serviceAddress: String?
      let one: String
      let asked: [String]
    }
    let differences: [Difference]
  }

  @Test(
    "what a compiled dump does to packets of services is compared, and a rule that can't be read is no equality",
    arguments: [
      ("chain marked-4000 {", "chain marked-4000 {\n    accept", Int32(1), "not equal: "),
      ("chain to-pod {", "chain to-pod {\n    meta length 1-65535 accept", 2, "can't be compared by its meaning"),
      ("", "", 0, "equal: "),
    ])
  func compiledDump(place: String, mutated: String, status: Int32, says: String) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dump-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (manifests, file) = (folder.appendingPathComponent("a.yaml").path, folder.appendingPathComponent("nft").path)
    try (Self.closed + Self.policy).write(toFile: manifests, atomically: true, encoding: .utf8)
    let rules = try await Program.run(["render", "-f", manifests, "--style", "compiled", "--node", "n0", "-o", "nft"])
    var text = rules.output
    if !place.isEmpty {
      #expect(text.contains(place), "\(text)")
      text = text.replacing(place, with: mutated)
    }
    try text.write(toFile: file, atomically: true, encoding: .utf8)
    let result = try await Program.run([
      "equal", "-f", manifests, "--style", "compiled", "--node", "n0", "--nft", file,
    ])
    #expect(result.status == .exited(status), "\(result.errors)\(result.output)")
    #expect((result.output + result.errors).contains(says), "\(result.errors)\(result.output)")
  }

  @Test(
    "bad usage is one line and exit code 2",
    arguments: [
      ["prove"], ["equal", "-f", homelab, "--style", "compiled"],
      ["equal", "-f", homelab, "--nft", "a", "--ipset-save", "b"],
      ["prove", "-f", homelab, "--certificate", "/nonexistent/folder/file"],
    ])
  func badUsage(arguments: [String]) async throws {
    let result = try await Program.run(arguments)
    #expect(result.status == .exited(2), "\(arguments): \(result.errors)\(result.output)")
  }
}
