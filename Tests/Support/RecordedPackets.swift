package import DumpDiff
internal import Dumps
internal import Foundation
internal import Lowering
package import NetpolModel
internal import RuleIR

/// What happened to packets under the real controller's rules.
extension GoldenCase {
  /// Cases in which only the policies close a pod.
  package static let recorded = all.filter { $0.has("verdicts.json") && !$0.dumps.path.hasSuffix("-default-deny") }

  package struct Row: Decodable {
    package let src, dst, proto, verdict: String
    package let port: UInt16
  }

  package func rows() throws -> [Row] {
    try JSONDecoder().decode([Row].self, from: Data(text("verdicts.json").utf8))
  }

  /// The rules that the controller left on node1.
  package func nodeRules() throws -> NodeRules {
    if style.backend == .nftables { return NodeRules(try readNftList(try text("ruleset.nft"), file: "ruleset.nft")) }
    let files: [(String, IPFamily)] = [("iptables-save.txt", .v4), ("ip6tables-save.txt", .v6)]
    let tables = try files.filter { has($0.0) }.map { try readIptablesSave(try text($0.0), family: $0.1, file: $0.0) }
    return NodeRules(tables, try readIpsetSave(try text("ipset-save.txt"), file: "ipset-save.txt"))
  }

  /// Addresses that the controller did not see (annotation `probe-ip`), by namespace/name.
  package func probeAddresses() throws -> [String: IPAddress] {
    let text = try String(contentsOf: manifests, encoding: .utf8)
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
