package import DumpDiff
internal import Dumps
package import Foundation
package import Lowering
internal import Manifests
package import NetpolModel
internal import RuleIR
internal import Testing

/// What packets did on a real node1 with the real controller's rules (Tests/Fixtures/golden/README.md).
package struct RecordedCase: CustomTestStringConvertible, Sendable {
  package let folder: URL
  /// Below the folder; the style's own recording.
  package let file: String
  package let style: EnforcementStyle
  package var testDescription: String { "\(folder.lastPathComponent)/\(file)" }

  private static let recordings: [(file: String, style: EnforcementStyle)] = [
    ("verdicts.json", .kubeRouterK3s), ("v2.11.1/verdicts.json", .kubeRouterIptables),
    ("v2.11.1-nft/verdicts.json", .kubeRouterNftables),
  ]

  package static let all: [RecordedCase] = {
    ([goldenFolder] + named(by: "NETPOL_GOLDEN")).flatMap { root in
      ([root] + ((try? FileManager.default.contentsOfDirectory(at: root, includingPropertiesForKeys: nil)) ?? []))
        .sorted { $0.path < $1.path }
        .flatMap { folder in
          recordings.map { RecordedCase(folder: folder, file: $0.file, style: $0.style) }
        }
        .filter { FileManager.default.fileExists(atPath: $0.folder.appendingPathComponent($0.file).path) }
    }
  }()

  package struct Row: Decodable {
    package let src, dst, proto, verdict: String
    package let port: UInt16
  }

  package func rows() throws -> [Row] {
    try JSONDecoder().decode([Row].self, from: Data(contentsOf: folder.appendingPathComponent(file)))
  }

  package func cluster() throws -> Cluster {
    var options = ReadOptions()
    options.validation = .asStored
    let text = try String(contentsOf: folder.appendingPathComponent("manifests.yaml"), encoding: .utf8)
    return try readManifests([ManifestSource(name: "manifests.yaml", text: text)], options: options).cluster
  }

  /// What the controller left on node1.
  package func dump() throws -> NodeRules {
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
  package func probeAddresses() throws -> [String: IPAddress] {
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

  /// `(lan host ADDRESS)`
  package static func lanAddress(_ text: String) -> IPAddress? {
    text.hasPrefix("(lan host ") ? IPAddress(String(text.dropFirst(10).dropLast())) : nil
  }
}
