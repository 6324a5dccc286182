// Not covered: whether the networks are those of the original cluster. ClusterIPs show only a part of them.
import Manifests
import NetpolModel
import Testing

@Suite("Service CIDRs") struct ServiceNetworkTests {
  private func text(_ services: [String], _ more: String = "") -> String {
    services.enumerated().map { index, ip in
      serviceText(ip.isEmpty ? "{}" : "{clusterIP: \"\(ip)\"}", metadata: "name: s\(index)")
    }.joined() + more
  }
  private func cidrs(_ reading: ManifestReading) -> [String] {
    reading.cluster.settings.serviceCIDRs.map(\.description)
  }
  private func serviceCIDR(_ name: String, _ cidrs: String, version: String = "v1") -> String {
    "apiVersion: networking.k8s.io/\(version)\nkind: ServiceCIDR\nmetadata: {name: \(name)}\nspec: {cidrs: [\(cidrs)]}\n---\n"
  }

  private static let impliedCases: [(services: [String], networks: [String])] = [
    ([], ["10.43.0.0/16"]), ([""], ["10.43.0.0/16"]), (["10.43.0.1", "10.43.200.7"], ["10.43.0.0/16"]),
    (["fd00:43::1"], ["fd00:43::/112"]), (["10.43.0.1", "fd00:43::1"], ["10.43.0.0/16", "fd00:43::/112"]),
    (["10.96.0.1"], ["10.96.0.1/32"]), (["fd00:10:96::1"], ["fd00:10:96::1/128"]),
    (["10.96.0.1", "10.96.33.7"], ["10.96.0.0/18"]),
    (["10.96.0.1", "10.96.0.10", "fd00:10:96::a"], ["10.96.0.0/28", "fd00:10:96::a/128"]),
    (["10.43.0.1", "10.44.0.1"], ["10.40.0.0/13"]),
    (["10.96.0.1", "172.20.0.10"], ["10.96.0.1/32", "172.20.0.10/32"]),
  ]

  @Test(
    "without any statement they are k3s's, or the longest prefixes that hold the ClusterIPs", arguments: impliedCases)
  func implied(services: [String], networks: [String]) throws {
    let reading = try read(text(services))
    #expect(cidrs(reading) == networks)
    let isUsual = networks.allSatisfy { ["10.43.0.0/16", "fd00:43::/112"].contains($0) }
    #expect(reading.texts.filter { $0.hasPrefix("service CIDRs") }.count == (isUsual ? 0 : 1))
  }

  @Test(
    "several networks, with one note, where one would hold an address of another machine",
    arguments: [
      podText("a", node: "n1", ip: "10.96.16.9"),
      podText("a", node: "n1", ip: "10.1.0.2", more: ", hostIP: 10.96.16.9"),
      "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\nspec: {podCIDR: 10.96.16.0/24}\n---\n",
      "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\nstatus: {addresses: [{type: InternalIP, address: 10.96.16.9}]}",
      "apiVersion: netpol-lab/v1alpha1\nkind: Cluster\nexternalHosts: [{name: h, addresses: [10.96.16.9]}]\n---\n",
    ])
  func several(others: String) throws {
    let reading = try read(text(["10.96.0.1", "10.96.0.2", "10.96.33.7"]), others)
    #expect(cidrs(reading) == ["10.96.0.0/30", "10.96.33.7/32"])
    #expect(
      reading.texts.filter { $0.hasPrefix("service CIDRs") } == [
        "service CIDRs assumed from the ClusterIPs: 10.96.0.0/30, 10.96.33.7/32 (one network would hold addresses of other machines too)"
      ])
  }

  @Test(
    "k3s's network is not assumed if machines have addresses in it",
    arguments: [
      ([], podText("a", node: "n1", ip: "10.43.0.15"), ["10.96.0.0/16"]),
      ([], podText("a", node: "n1", ip: "10.43.0.15") + podText("b", node: "n1", ip: "10.96.0.15"), ["172.20.0.0/16"]),
      (["10.43.250.1"], podText("a", node: "n1", ip: "10.43.0.15"), ["10.43.250.1/32"]),
      (["10.96.0.1"], podText("a", node: "n1", ip: "10.43.0.15"), ["10.96.0.0/16"]),
    ])
  func occupied(services: [String], others: String, networks: [String]) throws {
    let reading = try read(text(services), others)
    #expect(cidrs(reading) == networks)
    #expect(reading.texts.filter { $0.hasPrefix("service CIDR") }.count == 1)
  }

  @Test("the Cluster document decides, and then ServiceCIDR objects do")
  func stated() throws {
    let document = "apiVersion: netpol-lab/v1alpha1\nkind: Cluster\nserviceCIDRs: [10.96.0.0/12]\n---\n"
    let object = serviceCIDR("kubernetes", "10.96.0.0/16, \"fd00:96::/112\"", version: "v1beta1")
    #expect(cidrs(try read(text(["10.96.0.1"], document), object)) == ["10.96.0.0/12"])
    let more = serviceCIDR("a-second", "10.200.0.0/24")
    let reading = try read(text(["10.96.0.1"]), more, object)
    #expect(cidrs(reading) == ["10.96.0.0/16", "fd00:96::/112", "10.200.0.0/24"])
    #expect(!reading.texts.contains { $0.hasPrefix("service CIDRs") || $0.hasPrefix("skipped") })
    #expect(
      refusal(text(["10.97.0.1"]), object)
        == "a.yaml:4: Service default/s0: spec.clusterIP: 10.97.0.1 is not in any service CIDR (10.96.0.0/16, fd00:96::/112); use another address, or set serviceCIDRs in a Cluster document"
    )
  }

  @Test("a ServiceCIDR besides the cluster's own, which is called kubernetes, leaves the rest to the ClusterIPs")
  func further() throws {
    let more = serviceCIDR("more", "10.200.0.0/24")
    #expect(cidrs(try read(text(["10.96.0.1", "10.200.0.9"]), more)) == ["10.200.0.0/24", "10.96.0.1/32"])
    #expect(cidrs(try read(text(["10.200.0.9"]), more)) == ["10.200.0.0/24"])
    #expect(cidrs(try read(text([]), more)) == ["10.200.0.0/24"])
  }

  @Test(
    "rejects a ServiceCIDR that the API server rejects",
    arguments: [
      ("10.96.0.1/16", "spec.cidrs[0]: \"10.96.0.1/16\" has host bits set; write 10.96.0.0/16"),
      ("x", "spec.cidrs[0]: \"x\" is not a CIDR; write one such as 10.0.0.0/8 or fd00::/8"),
      ("", "spec.cidrs: is empty; give one CIDR, or one of each family"),
      (
        "10.96.0.0/16, 10.97.0.0/16",
        "spec.cidrs: has two CIDRs of one family; give one CIDR, or one of each family; put the other into a ServiceCIDR of its own"
      ),
    ])
  func broken(list: String, line: String) {
    #expect(refusal(serviceCIDR("x", list)) == "a.yaml:4: ServiceCIDR x: \(line)")
  }

  private static let assigned: [(services: [String], more: String, networks: [String], given: String)] = [
    (["10.96.0.1", ""], "", ["10.96.0.0/30"], "10.96.0.2"),
    (["10.96.0.1", "10.96.33.7", ""], "", ["10.96.0.0/18"], "10.96.1.1"),
    (["fd00:96::1", ""], "", ["fd00:96::/126"], "fd00:96::2"),
    // The wider network would hold a pod's block or a node.
    (["10.96.0.1", ""], podText("a", node: "n1", ip: "10.96.0.77"), ["10.96.0.1/32", "10.43.0.0/16"], "10.43.1.1"),
    (
      ["10.96.0.1", ""], podText("a", node: "n1", ip: "10.1.0.2", more: ", hostIP: 10.96.0.3"),
      ["10.96.0.1/32", "10.43.0.0/16"], "10.43.1.1"
    ),
    (["10.43.0.1", ""], "", ["10.43.0.0/16"], "10.43.1.1"),
  ]

  @Test("a new Service gets a free address, for which the implied network is made wider", arguments: assigned)
  func newServices(services: [String], more: String, networks: [String], given: String) throws {
    let reading = try read(text(services, more))
    #expect(cidrs(reading) == networks)
    #expect(reading.cluster.services.last?.clusterIPs.map(\.description) == [given])
    if !networks.contains("10.43.0.0/16"), networks != ["10.96.0.0/18"] {
      #expect(reading.texts.contains { $0.hasSuffix(", with room for 1 Service without a ClusterIP") })
    }
  }

  @Test("if there is room nowhere, the error says what to set")
  func noRoom() {
    let pods = ["10.96.0.3", "10.43.0.3", "172.20.0.3"].enumerated().map { index, ip in
      podText("p\(index)", node: "n1", ip: ip)
    }.joined()
    #expect(
      refusal(text(["10.96.0.1", ""], pods))
        == "a.yaml:7: Service default/s1: no IPv4 address is left in the service CIDRs; give wider serviceCIDRs in a Cluster document"
    )
  }

  @Test("the family of default/kubernetes is the default")
  func primary() throws {
    let kubernetes = serviceText("{clusterIP: \"fd00:96::1\"}", metadata: "name: kubernetes")
    let reading = try read(text(["10.96.0.7", ""], kubernetes))
    #expect(cidrs(reading) == ["fd00:96::/126", "10.96.0.7/32"])
    #expect(reading.cluster.service(NamespacedName("default", "s1"))?.clusterIPs.map(\.description) == ["fd00:96::2"])
  }

  @Test("pods without a status and nodes without a pod CIDR stay out of the implied networks")
  func disjoint() throws {
    let reading = try read(text(["10.42.0.1", "10.42.0.7", ""], podText("p", node: "n1")))
    #expect(cidrs(reading) == ["10.42.0.0/29"])
    #expect(reading.pod("default/p")?.podIPs.map(\.description) == ["10.42.1.2"])
  }
}
