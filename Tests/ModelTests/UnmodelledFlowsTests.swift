import NetpolModel
import Testing

@Suite("What is not modelled") struct UnmodelledFlowsTests {
  private static let node = IPAddress(v4: 0x0a00_000b)
  private static let service = IPAddress(v4: 0x0a2b_0001)

  private static func cluster(_ change: (inout Cluster) -> Void) -> Cluster {
    var pod = Pod(id: PodID("a", "web"), node: "n1", podIPs: [IPAddress(v4: 0x0a2a_0002)])
    pod.hostPorts = [HostPort(TransportPort(.tcp, 80)), HostPort(TransportPort(.tcp, 81), at: IPAddress(v4: 1))]
    var cluster = Cluster(
      nodes: [Node(name: "n1", addresses: [node])], pods: [pod],
      services: [
        Service(
          id: NamespacedName("a", "s"), kind: .nodePort,
          ports: [.init(port: 90, targetPort: .number(90), transport: .tcp, nodePort: 30000)], clusterIPs: [service])
      ])
    change(&cluster)
    return cluster
  }

  private func why(
    _ to: IPAddress, _ port: UInt16, at node: String?, _ change: (inout Cluster) -> Void = { _ in }
  ) -> String? {
    let flow = Flow(from: .external("x"), IPAddress(v4: 9), to: .address(to), to, .tcp, port)
    return UnmodelledFlows(Self.cluster(change)).why(flow, at: node)
  }

  @Test("a hostPort of a running pod on its node and address has no verdict")
  func hostPort() {
    #expect(why(Self.node, 80, at: "n1")?.contains("TCP/80 of node n1 is a hostPort of pod a/web") == true)
    #expect(why(Self.node, 80, at: "n2") == nil && why(Self.node, 80, at: nil) == nil)
    #expect(why(Self.node, 81, at: "n1") == nil && why(IPAddress(v4: 1), 81, at: "n1") != nil)
    #expect(why(Self.node, 80, at: "n1") { $0.pods[0].phase = .succeeded } == nil)
  }

  @Test("a NodePort of the same number comes first")
  func nodePort() {
    #expect(why(Self.node, 80, at: "n1") { $0.services[0].ports[0].nodePort = 80 } == nil)
  }

  @Test("with IPVS, services and NodePorts have no verdict, and everything else has")
  func ipvs() {
    let ipvs = { (cluster: inout Cluster) in cluster.settings.usesIPVS = true }
    #expect(why(Self.service, 90, at: nil, ipvs)?.contains("IPVS") == true)
    #expect(why(Self.node, 30000, at: "n1", ipvs)?.contains("IPVS") == true)
    #expect(why(Self.node, 22, at: "n1", ipvs) == nil && why(Self.service, 90, at: nil) == nil)
  }
}
