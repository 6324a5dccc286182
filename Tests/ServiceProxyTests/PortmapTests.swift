// Not covered: options that a cluster doesn't set (snat, conditions, other marks), and ADDs and DELs that follow.
import Dumps
import Foundation
import NetpolModel
import Rendering
import RuleIR
import ServiceProxy
import TestSupport
import Testing

@Suite("Host ports by portmap") struct PortmapTests {
  /// What the real plugin wrote, a folder for each case (see its README).
  private static let folder = repository.appendingPathComponent("Tests/Fixtures/services/portmap")

  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    var testDescription: String { name }

    func text(_ file: String) throws -> String? {
      let url = PortmapTests.folder.appendingPathComponent("\(name)/\(file)")
      return FileManager.default.fileExists(atPath: url.path) ? try String(contentsOf: url, encoding: .utf8) : nil
    }

    /// What the plugin read at each ADD.
    func view() throws -> PortmapView {
      let ids = try #require(try text("README")).split(separator: "\n").filter { $0.hasPrefix("container ") }
        .compactMap { $0.split(separator: " ").last.map(String.init) }
      let configs = try ["config.json", "config2.json"].compactMap { try text($0) }
        .map { try JSONDecoder().decode(Config.self, from: Data($0.utf8)) }
      #expect(!configs.isEmpty && ids.count == configs.count)
      return PortmapView(
        network: try #require(configs.first).name, sandboxes: try zip(ids, configs).map { try $1.sandbox(id: $0) })
    }
  }

  private struct Config: Decodable {
    struct Mapping: Decodable {
      let hostPort, containerPort: UInt16
      let `protocol`: String
      let hostIP: String?
    }
    struct RuntimeConfig: Decodable { let portMappings: [Mapping] }
    struct Address: Decodable { let address: String }
    struct Result: Decodable { let ips: [Address] }
    let name: String
    let runtimeConfig: RuntimeConfig
    let prevResult: Result

    func sandbox(id: String) throws -> PortmapView.Sandbox {
      let parts = prevResult.ips.map { $0.address.split(separator: "/").map(String.init) }
      let addresses = try parts.map { try #require(IPAddress($0[0])) }
      return PortmapView.Sandbox(
        id: id, addresses: addresses,
        networks: try zip(addresses, parts).map { CIDR($0, prefixLength: try #require(Int($1[1]))) },
        hostPorts: try runtimeConfig.portMappings.map { mapping in
          HostPort(
            TransportPort(try #require(Transport.allCases.first { $0.keyword == mapping.protocol }), mapping.hostPort),
            at: try mapping.hostIP.map { try #require(IPAddress($0)) }, to: mapping.containerPort)
        })
    }
  }

  static let cases = [
    "tcp", "udp", "sctp", "mixed", "sixteen-ports", "dual", "ipv6", "hostip", "hostip-any", "hostip-loopback",
    "hostip-other-family", "two-pods", "two-pods-one-port", "k3s", "cni-first",
  ].map { Case(name: $0) }

  @Test("the chains are those that the plugin writes with iptables, behind those of other programs", arguments: cases)
  func iptables(given: Case) throws {
    let tables = portmapTables(try given.view())
    var compared = 0
    for family in IPFamily.allCases {
      let own = tables.filter { $0.family == family }
      guard let expected = try given.text(family == .v4 ? "iptables.v4" : "iptables.v6") else {
        #expect(own.isEmpty)
        continue
      }
      // What other programs wrote is taken from the dump.
      let others = try readIptablesSave(
        expected.split(separator: "\n").filter { !$0.contains("CNI-") }.joined(separator: "\n") + "\n", family: family,
        file: given.name, required: { _ in true }
      ).tables
      var text = try withHostPorts(others, own).map { try iptablesRestoreText($0) }.joined()
      // kube-proxy puts its jump in front of what it finds.
      if given.name == "cni-first" {
        text = text.movingLine(containing: "KUBE-POSTROUTING", inFrontOf: "-j CNI-HOSTPORT-MASQ")
      }
      // flannel's comment stands behind its match, which the reader doesn't keep.
      let hasOthers = others.contains { $0.chains.count > 4 }
      #expect(text == (hasOthers ? try normalized(expected, family) : expected))
      compared += 1
    }
    #expect(compared > 0)
  }

  private func normalized(_ text: String, _ family: IPFamily) throws -> String {
    try readIptablesSave(text, family: family, file: "expected", required: { _ in true }).tables
      .map { try iptablesRestoreText($0) }.joined()
  }

  @Test("the tables are those that the plugin writes with nftables", arguments: cases)
  func nftables(given: Case) throws {
    let text = try nftText(Ruleset(backend: .nftables, tables: portmapNftablesTables(try given.view())))
    let expected = try #require(try given.text("nftables"))
    let tables = expected.components(separatedBy: "\ntable ").enumerated().map { $0 == 0 ? $1 : "table " + $1 }
      .filter { $0.contains("cni_hostport") }.map { $0.hasSuffix("\n") ? $0 : $0 + "\n" }
    #expect(text == tables.joined())
    // Read back, as from a node.
    let read = try readNftList(text, file: given.name, required: { _ in true })
    #expect(read.tables == portmapNftablesTables(try given.view()))
  }

  @Test("only pods with an own network, an address and a host port have chains, in the order of their names")
  func view() throws {
    let node = NetpolModel.Node(name: "n1")
    let pod = { (name: String, node: String?, address: UInt32?, change: (inout Pod) -> Void) -> Pod in
      let addresses: [IPAddress] = address.map { [IPAddress(v4: 0x0a2a_0000 + $0)] } ?? []
      var made = Pod(id: PodID("a", name), node: node, podIPs: addresses)
      made.hostPorts = [HostPort(TransportPort(.tcp, 80))]
      change(&made)
      return made
    }
    let cluster = Cluster(
      nodes: [node],
      pods: [
        pod("ended", "n1", 2) { $0.phase = .failed }, pod("first", "n1", 3) { _ in },
        pod("none", "n1", 4) { $0.hostPorts = [] },
        pod("other", "n2", 5) { _ in }, pod("second", "n1", 6) { _ in }, pod("waiting", "n1", nil) { _ in },
        pod("host", "n1", 7) { $0.hostNetwork = true },
      ])
    let block = try #require(CIDR("10.42.0.0/24"))
    var networks: [IPAddress: CIDR] = [:]
    for number in UInt32(0)...9 { networks[IPAddress(v4: 0x0a2a_0000 + number)] = block }
    let view = PortmapView(of: node, in: cluster, networks: networks)
    #expect(view.sandboxes.map(\.addresses) == [[IPAddress(v4: 0x0a2a_0003)], [IPAddress(v4: 0x0a2a_0006)]])
    #expect(view.sandboxes.allSatisfy { $0.networks == [block] && $0.id.count == 64 })
    #expect(Set(view.sandboxes.map(\.id)).count == 2)
    #expect(
      portmapTables(PortmapView(sandboxes: [])).isEmpty && portmapNftablesTables(PortmapView(sandboxes: [])).isEmpty)
  }
}

extension String {
  fileprivate func movingLine(containing text: String, inFrontOf other: String) -> String {
    var lines = split(separator: "\n", omittingEmptySubsequences: false)
    guard let place = lines.firstIndex(where: { $0.hasPrefix("-A ") && $0.contains(text) }) else { return self }
    let line = lines.remove(at: place)
    guard let target = lines.firstIndex(where: { $0.contains(other) }) else { return self }
    lines.insert(line, at: target)
    return lines.joined(separator: "\n")
  }
}
