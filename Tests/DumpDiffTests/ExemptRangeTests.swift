// Not covered: which of the ranges the compare command uses (see CompareProgramTests).
import DumpDiff
import Dumps
import Lowering
import NetpolModel
import Rendering
import RuleIR
import TestSupport
import Testing

@Suite("Ranges that a dump shows") struct ExemptRangeTests {
  private func view() throws -> NodeView {
    let cluster = try GoldenCase.of("no-policy").cluster()
    var view = NodeView(of: try #require(cluster.node("node1")), in: cluster)
    view.families = [.v4, .v6]
    return view
  }

  private func ranges(_ texts: String...) -> [CIDR] { texts.compactMap { CIDR($0) } }

  private func dump(_ ruleset: Ruleset) throws -> NodeRules {
    if ruleset.backend == .nftables { return NodeRules(try readNftList(try nftText(ruleset), file: "dump")) }
    let dumps = try IPFamily.allCases.map { family in
      let text = try ruleset.tables.filter { $0.family == family }.map { try iptablesRestoreText($0) }.joined()
      return try readIptablesSave(text, family: family, file: "dump")
    }
    return NodeRules(dumps, IpsetDump())
  }

  @Test("are those that kube-router was started with", arguments: EnforcementStyle.kubeRouters.map(\.name))
  func roundTrip(name: String) throws {
    let style = try #require(EnforcementStyle.named(name))
    let exemptRanges = try #require(style.exemptRanges)
    var view = try view()
    view.serviceCIDRs = ranges("10.96.0.0/12", "10.200.0.1/32", "fd00:10:96::/108")
    view.nodePorts = PortRange(31000, 31999)
    view.externalIPRanges = ranges("1.2.3.0/24", "1.2.4.4/32", "2001:db8::/32")
    view.loadBalancerIPRanges = ranges("5.6.7.0/24")
    var expected = ExemptRanges()
    expected.serviceCIDRs = view.serviceCIDRs
    expected.nodePorts = view.nodePorts
    expected.externalIPRanges = view.externalIPRanges
    expected.loadBalancerIPRanges = view.loadBalancerIPRanges
    #expect(exemptRanges(try dump(style.lower(view).ruleset).tables) == expected)
  }

  @Test("service CIDRs of a family and NodePorts without a rule stay those of the cluster")
  func absent() throws {
    var view = try view()
    view.serviceCIDRs = ranges("10.43.0.0/16", "fd00:43::/112")
    view.externalIPRanges = ranges("1.2.3.0/24")
    var dumped = ExemptRanges()
    dumped.serviceCIDRs = ranges("10.96.0.0/12")
    view.take(dumped)
    #expect(view.serviceCIDRs == ranges("10.96.0.0/12", "fd00:43::/112"))
    #expect(view.nodePorts == PortRange(30000, 32767))
    #expect(view.externalIPRanges == [])
  }

  @Test("ClusterIPs outside them are worth a warning, abridged")
  func warning() throws {
    var view = try view()
    view.serviceCIDRs = ranges("10.43.0.0/16", "fd00:43::/112")
    let service = { (name: String, ip: String) in
      Service(id: NamespacedName("shop", name), clusterIPs: [IPAddress(ip)].compactMap { $0 })
    }
    #expect(view.warning(aboutClusterIPsOf: [service("a", "10.43.0.7"), service("b", "fd00:43::7")]) == nil)
    let outside = (1...9).map { service("s\($0)", "10.96.0.\($0)") }
    #expect(
      view.warning(aboutClusterIPsOf: outside)
        == "kube-router runs with --service-cluster-ip-range 10.43.0.0/16, fd00:43::/112, but these ClusterIPs are outside: shop/s1 10.96.0.1, shop/s2 10.96.0.2, shop/s3 10.96.0.3, shop/s4 10.96.0.4, shop/s5 10.96.0.5 and 4 more"
    )
  }
}
