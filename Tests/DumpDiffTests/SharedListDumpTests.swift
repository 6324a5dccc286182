import DumpDiff
import Dumps
import Lowering
import NetpolModel
import Rendering
import RuleIR
import TestSupport
import Testing

@Suite("Dumps whose named-port sets depend on the order of pods (D16)") struct SharedListDumpTests {
  /// Pods that share some of their named ports.
  private static func view(_ ports: [[String]], _ policies: String) throws -> NodeView {
    let pods = ports.enumerated().map { number, ports in
      podText(
        "app/p\(number)", on: "node1", labels: "app: web",
        ports: ports.map { text in
          let parts = text.split(separator: "=")
          return "name: \(parts[0]), containerPort: \(parts[1])"
        },
        status: "podIP: 10.42.0.\(10 + number), hostIP: 192.168.20.11, phase: Running")
    }
    let cluster = try readWorld(twoNodesText() + pods.joined() + policies, asStored: true)
    return NodeView(of: try #require(cluster.node("node1")), in: cluster)
  }

  private static let ingress = policyText(
    "app/in", "podSelector: {}\npolicyTypes: [Ingress]\ningress: [{ports: [{port: http}, {port: admin}]}]")
  private static let egress = policyText(
    "app/out",
    "podSelector: {}\npolicyTypes: [Egress]\negress: [{to: [{podSelector: {}}], ports: [{port: http}, {port: admin}]}]")
  private static let ports = [["http=80", "admin=81"], ["http=80"], ["admin=81", "http=8080"], ["http=8080"]]

  private func dump(_ rules: Ruleset) throws -> NodeRules {
    switch rules.backend {
    case .nftables: return NodeRules(try readNftList(try nftText(rules), file: "dump"))
    case .iptables:
      let tables = try rules.tables.map {
        try readIptablesSave(try iptablesRestoreText($0), family: $0.family, file: "dump")
      }
      return NodeRules(tables, try readIpsetSave(try ipsetRestoreText(rules.sets), file: "dump"))
    }
  }

  private func differences(
    _ found: Ruleset, _ style: EnforcementStyle, _ view: NodeView, excusing: Bool = true
  ) throws -> [Difference] {
    let lowered = style.lower(view)
    return try DumpComparison(
      try dump(found), expected: lowered.ruleset, traces: style.traces(on: view), namesHold: false,
      sharedLists: excusing ? lowered.sharedLists : []
    ).differences
  }

  @Test(
    "what another order of pods gives is no difference, and what no order gives is one",
    arguments: EnforcementStyle.kubeRouters, [ingress, egress, ingress + egress])
  func orders(style: EnforcementStyle, policies: String) throws {
    let view = try Self.view(Self.ports, policies)
    var differed = 0
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 0, 1, 3], [1, 3, 0, 2]] {
      var other = view
      other.pods = order.map { view.pods[$0] }
      let found = style.lower(other).ruleset
      #expect(try differences(found, style, view) == [], "\(order)")
      if try !differences(found, style, view, excusing: false).isEmpty { differed += 1 }
      // One address less in any named port's set is given by no order.
      for index in found.sets.indices where found.sets[index].origin?.portName != nil {
        guard !found.sets[index].members.isEmpty else { continue }
        var changed = found
        let gone = changed.sets[index].members[0].cidr
        changed.sets[index].members.removeAll { $0.cidr == gone }
        #expect(try !differences(changed, style, view).isEmpty, "\(order) \(found.sets[index].name)")
      }
    }
    #expect(differed > 0)
  }
}
