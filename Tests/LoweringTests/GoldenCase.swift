import Foundation
import Lowering
import Manifests
import NetpolModel
import Rendering
import RuleIR
import Testing

/// One folder of dumps: what a real controller wrote on node1 for some manifests (Tests/Fixtures/golden/README.md).
struct GoldenCase: CustomTestStringConvertible, Sendable {
  let manifests: URL
  let dumps: URL
  let style: EnforcementStyle

  var testDescription: String { dumps.path.split(separator: "/").suffix(2).joined(separator: "/") }

  /// Sub-folders of a case, and which style writes what is in them.
  static let flavours: [(folder: String, style: EnforcementStyle)] = [
    ("", .kubeRouterK3s), ("legacy", .kubeRouterK3s), ("v2.11.1", .kubeRouterIptables),
    ("v2.11.1-default-deny", .kubeRouterIptables), ("v2.11.1-nft", .kubeRouterNftables),
    ("v2.11.1-nft-default-deny", .kubeRouterNftables),
  ]

  /// Folders that NETPOL_GOLDEN names (`:` between them): of cases, or a case itself.
  static let named: [URL] =
    ProcessInfo.processInfo.environment["NETPOL_GOLDEN"]?.split(separator: ":").map {
      URL(fileURLWithPath: String($0)).standardized
    } ?? []

  /// Every dump below the fixtures and the named folders.
  static let all: [GoldenCase] = {
    let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Fixtures/golden").standardized
    return ([fixtures] + named).flatMap { root in
      let folders = (try? FileManager.default.contentsOfDirectory(at: root, includingPropertiesForKeys: nil)) ?? []
      return ([root] + folders).sorted { $0.path < $1.path }.flatMap { folder in
        flavours.compactMap { flavour in
          let dumps = flavour.folder.isEmpty ? folder : folder.appendingPathComponent(flavour.folder)
          let golden = GoldenCase(
            manifests: folder.appendingPathComponent("manifests.yaml"), dumps: dumps, style: flavour.style)
          let dump = flavour.style.backend == .nftables ? "ruleset.nft" : "iptables-save.txt"
          let files = [golden.manifests, dumps.appendingPathComponent(dump)]
          return files.allSatisfy({ FileManager.default.fileExists(atPath: $0.path) }) ? golden : nil
        }
      }
    }
  }()

  /// Folders that NETPOL_GOLDEN names and that hold no case: a mistake, not an absence.
  static var emptyFolders: [String] {
    named.filter { root in !all.contains { $0.manifests.path.hasPrefix(root.path) } }.map(\.path)
  }

  struct Names: Decodable {
    let syncVersion: String
    let flags: [String]?
  }

  func text(_ file: String) throws -> String {
    try String(contentsOf: dumps.appendingPathComponent(file), encoding: .utf8)
  }

  func has(_ file: String) -> Bool { FileManager.default.fileExists(atPath: dumps.appendingPathComponent(file).path) }

  func lowered() throws -> Lowered {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let names = try decoder.decode(Names.self, from: Data(text("names.json").utf8))
    let flag = { (name: String) in
      names.flags?.first { $0.hasPrefix("--\(name)=") }.map { String($0.dropFirst(name.count + 3)) }
    }
    let source = ManifestSource(
      name: manifests.lastPathComponent, text: try String(contentsOf: manifests, encoding: .utf8))
    var options = ReadOptions()
    options.validation = .asStored
    let cluster = try readManifests([source], options: options).cluster
    var view = NodeView(
      node: "node1", nodeAddresses: [IPAddress(v4: 0xc0a8_140b)],
      namespaceLabels: Dictionary(cluster.namespaces.map { ($0.name, $0.labels) }) { first, _ in first },
      pods: cluster.pods, policies: cluster.policies,
      families: flag("enable-ipv6") == "true" ? [.v4, .v6] : [.v4],
      serviceCIDRs: (flag("service-cluster-ip-range") ?? "10.43.0.0/16").split(separator: ",").compactMap {
        CIDR(String($0))
      }, nodePorts: PortRange(30000, 32767), versionStamp: names.syncVersion)
    view.defaultDeny = flag("netpol-default-deny") == "true"
    view.podCIDRs = ["10.42.0.0/24", "fd00:42::/64"].compactMap { CIDR($0) }
    return style.lower(view)
  }

  /// The real dump and ours of one family.
  func dumps(_ lowered: Lowered, _ family: IPFamily) throws -> (real: Dump, ours: Dump) {
    let prefix = { (line: Substring) in
      line.split(separator: " ").dropFirst().first?.hasPrefix("inet6:") == (family == .v6)
    }
    let sets = try text("ipset-save.txt").split(separator: "\n").filter(prefix).joined(separator: "\n")
    let table = try #require(lowered.ruleset.table("filter", family))
    return (
      Dump(iptablesSave: try text(family == .v4 ? "iptables-save.txt" : "ip6tables-save.txt"), ipsetSave: sets),
      Dump(
        iptablesSave: try iptablesRestoreText(table),
        ipsetSave: try ipsetRestoreText(lowered.ruleset.sets.filter { $0.family == family }))
    )
  }
}
