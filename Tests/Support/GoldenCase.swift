package import Foundation
package import Lowering
package import NetpolModel
internal import RuleIR
internal import Testing

/// One folder of dumps: what a real controller wrote on node1 for some manifests, and what happened to packets there
/// (Tests/Fixtures/golden/README.md).
package struct GoldenCase: CustomTestStringConvertible, Sendable {
  package let manifests: URL
  package let dumps: URL
  package let style: EnforcementStyle

  package var testDescription: String { dumps.path.split(separator: "/").suffix(2).joined(separator: "/") }

  /// The sub-folders of a case, and the style that writes each.
  private static let flavours: [(folder: String, style: EnforcementStyle)] = [
    ("", .kubeRouterK3s), ("legacy", .kubeRouterK3s), ("v2.11.1", .kubeRouterIptables),
    ("v2.11.1-default-deny", .kubeRouterIptables), ("v2.11.1-nft", .kubeRouterNftables),
    ("v2.11.1-nft-default-deny", .kubeRouterNftables),
  ]

  /// The fixture case in a folder, with the sub-folder of the controller's version.
  package static func of(_ name: String, _ version: String = "") throws -> GoldenCase {
    let dumps = version.isEmpty ? name : "\(name)/\(version)"
    return try #require(
      all.first { $0.dumps.path == goldenFolder.appendingPathComponent(dumps).path }, "no dumps \(dumps)")
  }

  /// Folders in NETPOL_GOLDEN: folders of cases, or single cases.
  private static let named = TestSupport.named(by: "NETPOL_GOLDEN")

  /// Every dump in the fixtures and in the folders of NETPOL_GOLDEN.
  package static let all: [GoldenCase] = {
    ([goldenFolder] + named).flatMap { root in
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

  /// Folders in NETPOL_GOLDEN without a case. That is a mistake, not an absence.
  package static var emptyFolders: [String] {
    named.filter { root in !all.contains { $0.manifests.path.hasPrefix(root.path) } }.map(\.path)
  }

  private struct Names: Decodable {
    let syncVersion: String
    let flags: [String]?
  }

  package func text(_ file: String) throws -> String {
    try String(contentsOf: dumps.appendingPathComponent(file), encoding: .utf8)
  }

  package func has(_ file: String) -> Bool {
    FileManager.default.fileExists(atPath: dumps.appendingPathComponent(file).path)
  }

  /// The manifests as the API server would have stored them.
  package func cluster() throws -> Cluster {
    try readWorld(
      try String(contentsOf: manifests, encoding: .utf8), name: manifests.lastPathComponent, asStored: true)
  }

  /// What the node saw, with the flags of the controller.
  package func view() throws -> NodeView {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let names = try decoder.decode(Names.self, from: Data(text("names.json").utf8))
    let flag = { (name: String) in
      names.flags?.first { $0.hasPrefix("--\(name)=") }.map { String($0.dropFirst(name.count + 3)) }
    }
    let cluster = try cluster()
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
    return view
  }

  package func lowered() throws -> Lowered { style.lower(try view()) }
}
