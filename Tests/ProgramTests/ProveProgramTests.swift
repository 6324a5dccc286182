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
