// Not covered: whether the lab obeys the settings. These tests only check that they are read.
import Manifests
import NetpolModel
import Testing

@Suite struct ClusterDocumentTests {
  private func document(_ fields: String) -> String { "apiVersion: netpol-lab/v1alpha1\nkind: Cluster\n\(fields)" }

  @Test("reads every field of the documented example")
  func full() throws {
    let reading = try read(
      document(
        """
        metadata: {name: home, anything: goes}
        nodes:
        - name: node1
          addresses: [192.168.20.11]
          podCIDRs: [10.42.0.0/24]
        clusterCIDRs: [10.0.0.0/8]
        serviceCIDRs: [10.96.0.0/12]
        nodePortRange: 31000-31999
        overlay: host-gw
        bridgeNetfilter: false
        externalHosts:
        - name: lan-host
          addresses: [192.168.20.99]
          networks: [192.168.1.0/24]
          routesToPods: true
        loadBalancerAnnouncer: node1
        icmpLimits: kernel
        defaultDeny: true
        kubeProxy: {masqueradeAll: true, nodePortAddresses: [192.168.20.0/24], localhostNodePorts: false}
        """))
    let cluster = reading.cluster
    #expect(cluster.nodes.map(\.name) == ["node1"])
    #expect(cluster.nodes.first?.addresses == [try address("192.168.20.11")])
    #expect(cluster.nodes.first?.podCIDRs == [try cidr("10.42.0.0/24")])
    var settings = ClusterSettings()
    settings.clusterCIDRs = [try cidr("10.0.0.0/8")]
    settings.serviceCIDRs = [try cidr("10.96.0.0/12")]
    settings.nodePorts = PortRange(31000, 31999)
    settings.overlay = .hostGateway
    settings.bridgeNetfilter = false
    settings.loadBalancerAnnouncer = "node1"
    settings.liftICMPLimits = false
    settings.defaultDeny = true
    settings.kubeProxy.masqueradeAll = true
    settings.kubeProxy.nodePortAddresses = [try cidr("192.168.20.0/24")]
    settings.kubeProxy.localhostNodePorts = false
    #expect(cluster.settings == settings)
    let host = try #require(cluster.externalHost("lan-host"))
    #expect(host.addresses == [try address("192.168.20.99")])
    #expect(host.networks == [try cidr("192.168.1.0/24")])
    #expect(host.routesToPods)
    #expect(host.location?.line == 14)
    #expect(!reading.texts.contains { $0.contains("assumed") })
  }

  @Test("every field is optional")
  func empty() throws {
    let reading = try read(document(""))
    #expect(reading.cluster.settings == ClusterSettings())
    #expect(try read(document("icmpLimits: lifted\noverlay: vxlan")).cluster.settings.liftICMPLimits == true)
  }

  @Test("says who maps host ports, how kube-proxy is started, and who has a route to ClusterIPs")
  func waysIn() throws {
    let fields = """
      nodes: [{name: n1}]
      hostPorts: portmap-nftables
      externalHosts: [{name: lan, addresses: [192.168.1.9], routesToServices: n1}]
      kubeProxy: {masqueradeAll: true, noClusterCIDR: true, localhostNodePorts: false, nodePortAddresses: [10.0.0.0/8]}
      """
    let cluster = try read(document(fields)).cluster
    #expect(cluster.settings.hostPorts == .portmapNftables)
    #expect(cluster.externalHosts.first?.routesToServices == "n1")
    let flags = cluster.settings.kubeProxy
    #expect(flags.masqueradeAll && !flags.knowsClusterCIDR && !flags.localhostNodePorts)
    let (usual, loopback) = (KubeProxyFlags(), IPAddress.loopback(.v4))
    #expect(flags.hasNodePorts(at: try address("10.9.9.9"), of: []))
    #expect(!flags.hasNodePorts(at: try address("192.168.1.1"), of: []))
    #expect(!flags.hasNodePorts(at: loopback, of: []) && usual.hasNodePorts(at: loopback, of: []))
    #expect(!usual.hasNodePorts(at: .loopback(.v6), of: []))
  }

  @Test("nodePortAddresses may be primary: the first address of a node")
  func primary() throws {
    let flags = try read(document("kubeProxy: {nodePortAddresses: [primary]}")).cluster.settings.kubeProxy
    let own = [try address("192.168.1.1"), try address("10.9.9.9"), try address("fd00::1")]
    #expect(own.map { flags.hasNodePorts(at: $0, of: own) } == [true, false, true])
    #expect(!flags.hasNodePorts(at: .loopback(.v4), of: own))
  }

  @Test(
    "kube-proxy's mode may be nftables, of a version; then NodePorts answer at primary addresses and never on loopback",
    arguments: [
      ("", KubeProxyRelease.v36), (", version: \"1.31\"", .v32), (", version: v1.32.9", .v32),
      (", version: \"1.33\"", .v33), (", version: v1.33.9", .v33),
      (", version: \"1.34\"", .v34), (", version: v1.35.0-rc.1", .v34), (", version: \"1.36\"", .v36),
      (", version: \"1.40\"", .v36), (", version: \"2.0\"", .v36),
    ])
  func nftables(version: String, release: KubeProxyRelease) throws {
    let fields = "kubeProxy: {mode: nftables\(version)"
    let flags = try read(document(fields + "}")).cluster.settings.kubeProxy
    #expect(flags.mode == .nftables(release))
    let own = [try address("192.168.1.1"), try address("10.9.9.9")]
    #expect((own + [.loopback(.v4)]).map { flags.hasNodePorts(at: $0, of: own) } == [true, false, false])
    let all = try read(document(fields + ", nodePortAddresses: [0.0.0.0/0]}")).cluster.settings.kubeProxy
    #expect((own + [.loopback(.v4)]).map { all.hasNodePorts(at: $0, of: own) } == [true, true, false])
  }

  @Test("an entry extends a Node object, or creates the node")
  func nodes() throws {
    let node =
      "apiVersion: v1\nkind: Node\nmetadata: {name: a, labels: {zone: b}}\nstatus: {addresses: [{type: InternalIP, address: 10.0.0.1}]}"
    let cluster = try read(
      node, document("nodes: [{name: a, podCIDRs: [10.9.0.0/24]}, {name: b, addresses: [10.0.0.2]}]")
    ).cluster
    #expect(cluster.nodes.map(\.name) == ["a", "b"])
    #expect(cluster.node("a")?.addresses == [try address("10.0.0.1")])
    #expect(cluster.node("a")?.podCIDRs == [try cidr("10.9.0.0/24")])
    #expect(cluster.node("a")?.labels == ["zone": "b"])
    #expect(cluster.node("b")?.podCIDRs == [try cidr("10.9.1.0/24")])
  }

  @Test(
    "rejects invalid documents",
    arguments: [
      (
        "podCIDR: 10.0.0.0/8",
        "podCIDR: unknown field; known here: apiVersion, kind, metadata, nodes, clusterCIDRs, serviceCIDRs, nodePortRange, overlay, bridgeNetfilter, externalHosts, loadBalancer, loadBalancerAnnouncer, icmpLimits, defaultDeny, kubeProxy, hostPorts"
      ),
      ("defaultdeny: true", "defaultdeny: unknown field; did you mean defaultDeny?"),
      (
        "kubeProxy: {cidr: 10.42.0.0/16}",
        "kubeProxy.cidr: unknown field; known here: mode, version, masqueradeAll, nodePortAddresses, localhostNodePorts, noClusterCIDR"
      ), ("kubeProxy: {mode: ipvs}", "kubeProxy.mode: unknown value \"ipvs\"; write iptables or nftables"),
      (
        "kubeProxy: {version: latest}", "kubeProxy.version: \"latest\" is not a version; write one such as \"1.36\""
      ),
      ("nodes: [{name: a, cidr: 10.0.0.0/8}]", "nodes[0].cidr: unknown field; known here: name, addresses, podCIDRs"),
      ("nodes: [{addresses: [10.0.0.1]}]", "nodes[0].name: is missing; give it a name"),
      ("nodes: [{name: a}, {name: a}]", "nodes[1].name: \"a\" appears twice; keep one of them"),
      (
        "nodes: [{name: a, addresses: [10.0.0]}]",
        "nodes[0].addresses[0]: \"10.0.0\" is not an IP address; write one such as 10.42.0.5 or fd00::5"
      ),
      (
        "nodes: [{name: a, podCIDRs: [10.42.0.1/24]}]",
        "nodes[0].podCIDRs[0]: \"10.42.0.1/24\" has host bits set; write 10.42.0.0/24"
      ),
      ("serviceCIDRs: 10.43.0.0/16", "serviceCIDRs: expected a list, found the string \"10.43.0.0/16\""),
      (
        "nodePortRange: 32767-30000",
        "nodePortRange: \"32767-30000\" is not a port range; write one such as 30000-32767"
      ),
      (
        "nodePortRange: 30000",
        "nodePortRange: expected a string, found the number 30000; write \"30000\" with the quotes"
      ),
      ("overlay: wireguard", "overlay: unknown value \"wireguard\"; write vxlan or host-gw"),
      ("hostPorts: true", "hostPorts: expected a string, found the boolean true; write \"true\" with the quotes"),
      (
        "loadBalancer: f5", "loadBalancer: unknown value \"f5\"; write metallb-l2, metallb-bgp, kube-vip or servicelb"
      ),
      ("hostPorts: cilium", "hostPorts: unknown value \"cilium\"; write portmap, portmap-nftables or other"),
      (
        "externalHosts: [{name: a, addresses: [1.2.3.4], routesToServices: n9}]",
        "externalHosts[0].routesToServices: \"n9\" matches no node; name one of node1"
      ),
      ("icmpLimits: none", "icmpLimits: unknown value \"none\"; write kernel or lifted"),
      ("bridgeNetfilter: 1", "bridgeNetfilter: expected true or false, found the number 1"),
      ("loadBalancerAnnouncer: nobody", "loadBalancerAnnouncer: \"nobody\" matches no node; name one of node1"),
      ("externalHosts: [{name: a}]", "externalHosts[0].addresses: is missing; give at least one address"),
      (
        "externalHosts: [{name: A.b, addresses: [1.2.3.4]}]",
        "externalHosts[0].name: \"A.b\" is not a DNS name; use a-z, 0-9 and inner '-'"
      ),
      (
        "externalHosts: [{name: a, addresses: [1.2.3.4]}, {name: b, addresses: [1.2.3.4]}]",
        "externalHosts[1].addresses[0]: 1.2.3.4 is listed twice in externalHosts; give each host addresses of its own"
      ),
      (
        "externalHosts: [{name: a, addresses: [10.42.0.9]}]",
        "externalHosts[0].addresses[0]: 10.42.0.9 is within 10.42.0.0/24, a pod CIDR of node x; give the host an address of its own"
      ),
    ])
  func refused(fields: String, line: String) {
    let nodes =
      fields.hasPrefix("externalHosts: [{name: a, addresses: [10.42")
      ? "\nnodes: [{name: x, podCIDRs: [10.42.0.0/24]}]" : ""
    #expect(refusal(document(fields + nodes)) == "a.yaml:3: Cluster: \(line)")
  }

  @Test("notes a setting that only some styles support")
  func styles() throws {
    let notes = { (styles: [String]) in
      var options = ReadOptions()
      options.stylesWithDefaultDeny = styles
      return try read(document("defaultDeny: true"), options: options).notes
    }
    let remark = "defaultDeny: true has an effect in"
    #expect(try notes(["a", "b", "c"]).contains(Note(.note, "\(remark) a, b and c only")))
    #expect(try notes(["a"]).contains(Note(.note, "\(remark) a only")))
    #expect(try notes([]).count == 2, "these notes are about the assumed node's networks")
  }

  @Test(
    "settings that the lab supports need no note",
    arguments: [
      "overlay: host-gw", "overlay: vxlan", "icmpLimits: lifted", "icmpLimits: kernel", "loadBalancerAnnouncer: node1",
      "defaultDeny: false", "bridgeNetfilter: false",
    ])
  func modelled(field: String) throws {
    #expect(try read(document(field)).notes == read(document("")).notes)
  }

  @Test("allows one Cluster document, with one apiVersion")
  func single() {
    #expect(
      refusal(document(""), document(""))
        == "b.yaml:1: Cluster: a second Cluster document; keep one; the first is at a.yaml:1")
    #expect(
      refusal("apiVersion: netpol-lab/v1\nkind: Cluster")
        == "a.yaml:1: Cluster: apiVersion \"netpol-lab/v1\" has no kind Cluster; write apiVersion: netpol-lab/v1alpha1")
    #expect(
      refusal("apiVersion: netpol-lab/v1alpha1\nkind: Lab")
        == "a.yaml:1: Lab: netpol-lab has no kind \"Lab\"; write kind: Cluster or Expectations")
    #expect(refusal("apiVersion: cluster.x-k8s.io/v1beta1\nkind: Cluster\nmetadata: {name: c}") == "accepted")
  }
}
