// Not covered: which changes of a dump are noticed (see DumpComparisonTests).
import Foundation
import Kernel
import TestSupport
import Testing

@Suite("netpol-lab compare") struct CompareProgramTests {
  static let golden = goldenFolder.path

  @Test("every dump of the real controllers is equal, including names, with a line for each")
  func all() async throws {
    let result = try await Program.run(["compare", "--golden", Self.golden])
    #expect(result.status == .exited(0))
    let lines = result.output.split(separator: "\n")
    #expect(lines.dropLast().allSatisfy { $0.hasSuffix("  equal") })
    #expect(lines.last == "\(lines.count - 1) dumps, \(lines.count - 1) equal, 0 with differences")
    for style in ["kube-router-2.6-k3s", "kube-router-2.11", "kube-router-2.11-nft"] {
      #expect(lines.contains { $0.contains("  \(style)  ") })
    }
  }

  @Test(
    "style and node are found from the dump",
    arguments: [("v2.11.1-nft", "kube-router-2.11-nft"), ("", "kube-router-2.6-k3s")])
  func detected(folder: String, style: String) async throws {
    let place = "\(Self.golden)/dual-stack-pod-peer"
    let dump =
      folder.isEmpty
      ? [
        "--iptables-save", "\(place)/iptables-save.txt", "--ip6tables-save", "\(place)/ip6tables-save.txt",
        "--ipset-save", "\(place)/ipset-save.txt",
      ] : ["--nft", "\(place)/\(folder)/ruleset.nft"]
    let result = try await Program.run(
      ["compare", "-f", "\(place)/manifests.yaml", "--service-cidr", "10.43.0.0/16,fd00:43::/112"] + dump)
    #expect(result.status == .exited(0))
    #expect(result.output.hasPrefix("\(style) on node1: "))
    #expect(result.output.hasSuffix("equal: the node has what \(style) writes\n"))
  }

  @Test(
    "a dump without anything of the style is bad input, and not equal to it",
    arguments: [
      ["--style", "compiled", "--nft", "/dev/null"], ["--style", "kube-router-2.11-nft", "--nft", "/dev/null"],
      ["--style", "kube-router-2.6-k3s", "--iptables-save", "/dev/null", "--ipset-save", "/dev/null"],
      ["--style", "compiled", "--nft", "\(golden)/dual-stack-pod-peer/v2.11.1-nft/ruleset.nft"],
    ]) func nothing(arguments: [String]) async throws
  {
    let manifests = "\(Self.golden)/dual-stack-pod-peer/manifests.yaml"
    let result = try await Program.run(["compare", "-f", manifests, "--node", "node1"] + arguments)
    #expect(result.status == .exited(2) && result.output.isEmpty)
    #expect(result.errors.contains("the dump holds no chain and no set of \(arguments[1])"), "\(result.errors)")
  }

  @Test(
    "names.json that is not a JSON object with these fields is bad input",
    arguments: [
      "", "{", "[]", "sync_version: \"1\"\n", "{\"sync_version\": \"1\", \"flags\": \"--a=b\"}",
      "{\"sync_version\": {}}", "{\"flags\": [\"\\x41\"]}", "{\"a\": &a [], \"b\": *a}",
    ]) func brokenNames(text: String) async throws
  {
    let files = FileManager.default
    let folder = files.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? files.removeItem(at: folder) }
    try files.createDirectory(at: folder, withIntermediateDirectories: false)
    for file in ["manifests.yaml", "iptables-save.txt", "ipset-save.txt"] {
      try files.copyItem(
        atPath: "\(Self.golden)/no-policy/\(file)", toPath: folder.appendingPathComponent(file).path)
    }
    let names = folder.appendingPathComponent("names.json")
    try text.write(to: names, atomically: true, encoding: .utf8)
    let result = try await Program.run(["compare", "--golden", folder.path])
    #expect(result.status == .exited(2) && result.output.isEmpty)
    #expect(result.errors.contains("\(names.path): is not a JSON object with sync_version and flags"))
  }

  @Test("a kube-router flag that the command wasn't given is a difference and exit code 1, also in JSON")
  func flag() async throws {
    let place = "\(Self.golden)/no-policy"
    let arguments = [
      "compare", "-f", "\(place)/manifests.yaml", "--nft", "\(place)/v2.11.1-nft-default-deny/ruleset.nft",
    ]
    #expect(try await Program.run(arguments + ["--netpol-default-deny"]).status == .exited(0))
    let result = try await Program.run(arguments)
    #expect(result.status == .exited(1))
    #expect(result.output.contains("chain KUBE-NWPLCY-TAIL (kube-router-filter-ipv4, IPv4) differs:"))
    let json = try await Program.run(arguments + ["-o", "json"])
    let object = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    #expect(object["schema"] as? String == "netpol-lab/compare/v1")
    #expect(object["equal"] as? Bool == false)
    let documented = try String(
      contentsOf: repository.appendingPathComponent("docs/compare-json.md"), encoding: .utf8)
    let difference = try #require((object["differences"] as? [[String: Any]])?.first)
    for field in Array(object.keys) + Array(difference.keys) {
      #expect(documented.contains("`\(field)`"), "docs/compare-json.md says nothing of \(field)")
    }
    #expect((object["differences"] as? [[String: Any]])?.isEmpty == false)
  }

  /// The dump of the case `no-policy`, changed, with the options that name its files.
  private func withDump(
    _ nft: Bool, _ change: (String) -> String, _ body: ([String]) async throws -> Void
  ) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    let place = "\(Self.golden)/no-policy"
    let dump = folder.appendingPathComponent("dump")
    let original = "\(place)/\(nft ? "v2.11.1-nft/ruleset.nft" : "iptables-save.txt")"
    try change(try String(contentsOfFile: original, encoding: .utf8)).write(to: dump, atomically: true, encoding: .utf8)
    try await body(
      ["compare", "-f", "\(place)/manifests.yaml"]
        + (nft ? ["--nft", dump.path] : ["--iptables-save", dump.path, "--ipset-save", "\(place)/ipset-save.txt"]))
  }

  @Test(
    "service CIDRs and NodePorts are those that the dump exempts, unless an option gives others",
    arguments: [false, true])
  func ranges(nft: Bool) async throws {
    let change = { (text: String) in
      text.replacingOccurrences(of: "10.43.0.0/16", with: "10.96.0.0/12")
        .replacingOccurrences(of: "EKROEGTNIJ3AP3LC", with: "BVHX2PIHDXXEO43X")
    }
    try await withDump(nft, change) { arguments in
      let result = try await Program.run(arguments)
      #expect(result.status == .exited(0), "\(result.errors)\(result.output)")
      for option in [["--service-cidr", "10.43.0.0/16"], ["--node-port-range", "30000-32000"]] {
        #expect(try await Program.run(arguments + option).status == .exited(1))
      }
    }
  }

  @Test("an exemption that is missing is a difference", arguments: [false, true])
  func missingRange(nft: Bool) async throws {
    let change = { (text: String) in
      text.split(separator: "\n").filter { !$0.contains("10.43.0.0/16") }.joined(separator: "\n") + "\n"
    }
    try await withDump(nft, change) { arguments in
      let result = try await Program.run(arguments)
      #expect(result.status == .exited(1) && result.output.contains("10.43.0.0/16"), "\(result.errors)")
    }
  }

  @Test(
    "further ranges given to kube-router are in KUBE-ROUTER-INPUT, as on real nodes",
    arguments: [
      ("kube-router-2.11", "allow traffic to external IP range: 1.2.3.0/24 - IXGFL4ASW22URLDR"),
      ("kube-router-2.6-k3s", "allow traffic to load balancer IP range: 1.2.3.0/24 - B556T4UEWRJJNJW7"),
      ("kube-router-2.11-nft", "allow LB IP range"), ("kube-router-2.11-nft", "allow traffic to External IP range"),
    ]) func furtherRanges(style: String, comment: String) async throws
  {
    let result = try await Program.run(
      [
        "render", "-f", "\(Self.golden)/no-policy/manifests.yaml", "--style", style, "--service-external-ip-range",
        "1.2.3.0/24", "--loadbalancer-ip-range", "1.2.3.0/24",
      ])
    #expect(result.output.contains("comment \"\(comment)\"") || result.output.contains("--comment \"\(comment)\""))
  }
}
