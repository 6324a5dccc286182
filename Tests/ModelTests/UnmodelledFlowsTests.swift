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
    return UnmodelledFlows(Self.cluster(change)).why(flow, at: node)?.description
  }

  @Test("a hostPort has no verdict without portmap, or if two pods on a node have it")
  func hostPort() {
    let other = { @Sendable (cluster: inout Cluster) in cluster.settings.hostPorts = .other }
    #expect(why(Self.node, 80, at: "n1") == nil)
    #expect(
      why(Self.node, 80, at: "n1", other)
        == "TCP/80 of node n1 is a hostPort of pod a/web, and only portmap is modelled")
    #expect(why(Self.node, 80, at: "n2", other) == nil && why(Self.node, 80, at: nil, other) == nil)
    #expect(why(Self.node, 81, at: "n1", other) == nil && why(IPAddress(v4: 1), 81, at: "n1", other) != nil)
    let twice = { @Sendable (cluster: inout Cluster) in
      var second = cluster.pods[0]
      second.id = PodID("a", "twin")
      cluster.pods.append(second)
    }
    #expect(why(Self.node, 80, at: "n1", twice)?.hasPrefix("pods a/web and a/twin both have hostPort TCP/80") == true)
    #expect(
      why(Self.node, 80, at: "n1") { cluster in
        twice(&cluster)
        cluster.pods[0].phase = .succeeded
      } == nil)
  }

  @Test("a NodePort of the same number comes before a hostPort that two pods want, but not with nftables")
  func order() {
    for (mapping, isAsked) in [(HostPortMapping.portmap, true), (.portmapNftables, false)] {
      let found = why(Self.node, 80, at: "n1") { cluster in
        cluster.settings.hostPorts = mapping
        cluster.services[0].ports[0].nodePort = 80
        var second = cluster.pods[0]
        second.id = PodID("a", "twin")
        cluster.pods.append(second)
      }
      #expect((found == nil) == isAsked)
    }
  }

  @Test("a hostPort of servicelb's pods has no verdict, unless it is known where they send packets")
  func servicelb() {
    let label = { @Sendable (cluster: inout Cluster) in
      cluster.pods[0].labels = ["svccontroller.k3s.cattle.io/svcname": "edge"]
    }
    #expect(
      why(Self.node, 80, at: "n1", label)?.contains("a pod of servicelb, and nothing says where it sends packets")
        == true)
    #expect(why(Self.node, 80, at: "n1") { $0.pods[0].id = PodID("a", "svclb-edge-1") } != nil)
    let forward = PodForward(TransportPort(.tcp, 80), from: [], to: [], port: 80)
    #expect(
      why(Self.node, 80, at: "n1") {
        label(&$0)
        $0.pods[0].forwards = [forward]
      } == nil)
  }

  @Test("with IPVS or eBPF, services and NodePorts have no verdict, and everything else has")
  func proxies() {
    for (proxy, name) in [(ServiceProxyKind.ipvs, "IPVS"), (.ebpf("Cilium"), "Cilium's eBPF")] {
      let change = { @Sendable (cluster: inout Cluster) in cluster.settings.serviceProxy = proxy }
      #expect(why(Self.service, 90, at: nil, change)?.contains("translated by \(name)") == true)
      #expect(why(Self.node, 30000, at: "n1", change)?.contains(name) == true)
      #expect(why(Self.node, 22, at: "n1", change) == nil)
    }
    #expect(why(Self.service, 90, at: nil) == nil)
  }

  @Test("TCP from, to and through a service to a pod of a mesh has no verdict")
  func mesh() {
    var cluster = Self.cluster { $0.pods[0].mesh = .istio }
    let (outside, pod) = (Endpoint.external("x"), Endpoint.pod(PodID("a", "web")))
    let why = { (from: Endpoint, to: Endpoint, transport: Transport, leadingTo: [Endpoint]) in
      UnmodelledFlows(cluster).why(
        Flow(from: from, Self.node, to: to, Self.service, transport, 90), at: nil, leadingTo: leadingTo)?.description
    }
    #expect(why(outside, pod, .tcp, [])?.hasPrefix("Istio redirects the TCP connections of pod a/web") == true)
    #expect(why(pod, outside, .tcp, []) != nil && why(outside, .service(NamespacedName("a", "s")), .tcp, [pod]) != nil)
    #expect(why(outside, pod, .udp, []) == nil && why(outside, .node("n1"), .tcp, []) == nil)
    cluster.pods[0].mesh = nil
    #expect(why(outside, pod, .tcp, []) == nil)
  }
}
