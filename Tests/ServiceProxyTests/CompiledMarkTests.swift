// What this does not show: that kube-proxy's and portmap's rules set these marks on a node.
import Evaluator
import Lowering
import NetpolModel
import RuleIR
import Testing

@Suite("Marks of other programs in the compiled style") struct CompiledMarkTests {
  private static let pod = Pod(
    id: PodID("app", "web"), node: "n1", podIPs: [IPAddress(v4: 0x0a2a_0005)], hostIP: IPAddress(v4: 0xc0a8_140b))

  private static func outcome(_ mark: UInt32, port: UInt16, toItself: Bool = false) throws -> Outcome {
    let rule = NetworkPolicy.Rule(ports: .listed([.init(.tcp, .number(80, through: nil))]))
    var view = NodeView(
      node: "n1", nodeAddresses: [], namespaceLabels: [:], pods: [pod],
      policies: [
        NetworkPolicy(id: PolicyID("app", "p"), isolates: [.ingress, .egress], ingress: [rule], egress: [rule])
      ], families: [.v4], serviceCIDRs: [], nodePorts: PortRange(30000, 32767), versionStamp: "1")
    view.podCIDRs = [CIDR(IPAddress(v4: 0x0a2a_0000), prefixLength: 24)]
    let packet = Packet(
      from: toItself ? pod.podIPs[0] : IPAddress(v4: 0xc0a8_0132), to: pod.podIPs[0],
      .transport(.tcp, source: 40000, destination: port), mark: mark)
    return try Evaluator(EnforcementStyle.compiled.lower(view).ruleset, localAddresses: []).run(packet, at: .forward)
  }

  @Test(
    "packets that are masqueraded later keep their mark, whatever the rules do", arguments: [0, 0x2000, 0x4000, 0x6000])
  func kept(mark: UInt32) throws {
    let admitted = try Self.outcome(mark, port: 80)
    #expect(admitted.verdict == .accept && admitted.packet.mark == mark)
    #expect(try Self.outcome(mark, port: 81).verdict == .reject(.portUnreachable))
    let itself = try Self.outcome(mark, port: 81, toItself: true)
    #expect(itself.verdict == .accept && itself.packet.mark == mark)
  }

  @Test("an unknown mark opens nothing", arguments: [1, 3, 0x8000, 0x10000, .max])
  func unknown(mark: UInt32) throws {
    #expect(try Self.outcome(mark, port: 80).verdict == .accept)
    #expect(try Self.outcome(mark, port: 81).verdict == .reject(.portUnreachable))
  }
}
