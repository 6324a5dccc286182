// What this does not show: the service rows of the recordings, which need the data path; what our kernel does with the
// same rules (RecordedPacketsTests).
import Dumps
import Evaluator
import Foundation
import Lowering
import Manifests
import NetpolModel
import DumpDiff
import RuleIR
import Testing

/// What packets did on a real node1 with the real controller's rules (Tests/Fixtures/golden/README.md).
struct RecordedCase: CustomTestStringConvertible, Sendable {
  let folder: URL
  /// Below the folder; the style's own recording.
  let file: String
  let style: EnforcementStyle
  var testDescription: String { "\(folder.lastPathComponent)/\(file)" }

  static let recordings: [(file: String, style: EnforcementStyle)] = [
    ("verdicts.json", .kubeRouterK3s), ("v2.11.1/verdicts.json", .kubeRouterIptables),
    ("v2.11.1-nft/verdicts.json", .kubeRouterNftables),
  ]

  static let all: [RecordedCase] = {
    let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Fixtures/golden").standardized
    let further = ProcessInfo.processInfo.environment["NETPOL_GOLDEN"]?.split(separator: ":").map {
      URL(fileURLWithPath: String($0))
    }
    return ([fixtures] + (further ?? [])).flatMap { root in
      ([root] + ((try? FileManager.default.contentsOfDirectory(at: root, includingPropertiesForKeys: nil)) ?? []))
        .sorted { $0.path < $1.path }
        .flatMap { folder in
          recordings.map { RecordedCase(folder: folder, file: $0.file, style: $0.style) }
        }
        .filter { FileManager.default.fileExists(atPath: $0.folder.appendingPathComponent($0.file).path) }
    }
  }()

  struct Row: Decodable {
    let src, dst, proto, verdict: String
    let port: UInt16
  }

  func rows() throws -> [Row] {
    try JSONDecoder().decode([Row].self, from: Data(contentsOf: folder.appendingPathComponent(file)))
  }

  func cluster() throws -> Cluster {
    var options = ReadOptions()
    options.validation = .asStored
    let text = try String(contentsOf: folder.appendingPathComponent("manifests.yaml"), encoding: .utf8)
    return try readManifests([ManifestSource(name: "manifests.yaml", text: text)], options: options).cluster
  }

  /// What the controller left on node1.
  func dump() throws -> NodeRules {
    let place = folder.appendingPathComponent(file).deletingLastPathComponent()
    let text = { (name: String) in try String(contentsOf: place.appendingPathComponent(name), encoding: .utf8) }
    if style.backend == .nftables { return NodeRules(try readNftList(try text("ruleset.nft"), file: "ruleset.nft")) }
    let files: [(String, IPFamily)] = [("iptables-save.txt", .v4), ("ip6tables-save.txt", .v6)]
    let tables = try files.filter {
      FileManager.default.fileExists(atPath: place.appendingPathComponent($0.0).path)
    }.map { try readIptablesSave(try text($0.0), family: $0.1, file: $0.0) }
    return NodeRules(tables, try readIpsetSave(try text("ipset-save.txt"), file: "ipset-save.txt"))
  }

  /// Addresses that the controller did not know (annotation `probe-ip`), as namespace/name.
  func probeAddresses() throws -> [String: IPAddress] {
    let text = try String(contentsOf: folder.appendingPathComponent("manifests.yaml"), encoding: .utf8)
    var found: [String: IPAddress] = [:]
    for document in text.components(separatedBy: "\n---\n") where document.contains("probe-ip:") {
      let value = { (key: String) in
        document.components(separatedBy: "\n").first { $0.trimmingCharacters(in: .whitespaces).hasPrefix(key) }?
          .components(separatedBy: ": ").last?.trimmingCharacters(in: CharacterSet(charactersIn: " '\""))
      }
      if let name = value("name:"), let namespace = value("namespace:"), let address = value("probe-ip:") {
        found["\(namespace)/\(name)"] = IPAddress(address)
      }
    }
    return found
  }
}

@Suite("Packets on a real node") struct RecordedVerdictTests {
  /// node1's own addresses and its bridge's.
  static let local = ["192.168.20.11", "10.42.0.1", "fd00:20::11", "2001:db8:20::11", "fc00:20::11", "fd00:42::1"]

  private static func evaluator(_ ruleset: Ruleset) throws -> Evaluator {
    try Evaluator(ruleset, localAddresses: Set(local.compactMap { IPAddress($0) }))
  }

  @Test("open in the evaluator exactly where they were open with the real controller", arguments: RecordedCase.all)
  func agrees(recorded: RecordedCase) throws {
    let cluster = try recorded.cluster()
    let view = NodeView(of: Node(name: "node1", addresses: [IPAddress(v4: 0xc0a8_140b)]), in: cluster)
    try check(recorded, cluster, Self.evaluator(recorded.style.lower(view).ruleset))
  }

  @Test("the real controller's own dump, read back, judges them as its kernel did", arguments: RecordedCase.all)
  func dumps(recorded: RecordedCase) throws {
    try check(recorded, try recorded.cluster(), Self.evaluator(try recorded.dump().ruleset))
  }

  private func check(_ recorded: RecordedCase, _ cluster: Cluster, _ evaluator: Evaluator) throws {
    let unknown = try recorded.probeAddresses()
    var compared = 0
    for row in try recorded.rows() where !row.src.contains("service") && !row.dst.contains("service") {
      let family: IPFamily =
        (row.src + row.dst).contains("v6") || row.src.contains("::") || row.dst.contains("::") ? .v6 : .v4
      let address = { (text: String) -> IPAddress? in
        if text.hasPrefix("(lan host ") { return IPAddress(String(text.dropFirst(10).dropLast())) }
        if text.hasPrefix("(node") { return IPAddress(family == .v4 ? "10.42.0.1" : "fd00:42::1") }
        let name = text.replacingOccurrences(of: " v6", with: "")
        let parts = name.split(separator: "/").map(String.init)
        return cluster.pod(PodID(parts[0], parts[1]))?.address(family) ?? unknown[name]
      }
      let from = try #require(address(row.src), "\(row)")
      let to = try #require(address(row.dst), "\(row)")
      let transport = try #require(Transport(rawValue: row.proto.uppercased()))
      let isBridged =
        row.src.contains("/") && row.dst.contains("/") && isLocal(row.src, cluster, unknown)
        && isLocal(row.dst, cluster, unknown)
      let packet = Packet(
        from: from, to: to, .transport(transport, source: 40000, destination: row.port), isBridged: isBridged)
      let outcome = evaluator.run(packet, at: row.src.hasPrefix("(node") ? .output : .forward)
      #expect((outcome.verdict == .accept) == (row.verdict == "open"), "\(row)")
      compared += 1
    }
    #expect(compared > 0)
  }

  private func isLocal(_ text: String, _ cluster: Cluster, _ unknown: [String: IPAddress]) -> Bool {
    let name = text.replacingOccurrences(of: " v6", with: "")
    let parts = name.split(separator: "/").map(String.init)
    return unknown[name] != nil || cluster.pod(PodID(parts[0], parts[1]))?.node == "node1"
  }
}
