// Not covered: whether the networks are those of the original cluster. Pods show only a part of them.
import Manifests
import NetpolModel
import Testing

@Suite("Networks of pods") struct PodNetworkTests {
  private func node(_ name: String, _ address: String, _ cidr: String? = nil) -> String {
    """
    apiVersion: v1
    kind: Node
    metadata: {name: \(name)}
    spec: {\(cidr.map { "podCIDR: \"\($0)\"" } ?? "")}
    status: {addresses: [{type: InternalIP, address: "\(address)"}]}
    ---

    """
  }
  private func blocks(_ reading: ManifestReading) -> [String] {
    reading.cluster.nodes.map { $0.podCIDRs.map(\.description).joined(separator: " ") }
  }
  private func networks(_ reading: ManifestReading, _ family: IPFamily = .v4) -> [String] {
    reading.cluster.podNetworks(family).map(\.description)
  }

  private static let neighbours: [(known: [String], given: String, network: String)] = [
    (["192.168.190.65"], "192.168.191.0/24", "192.168.190.0/23"),
    (["192.168.191.65"], "192.168.190.0/24", "192.168.190.0/23"),
    (["10.244.1.2", "10.244.2.2"], "10.244.0.0/24", "10.244.0.0/22"),
    (["10.244.0.2", "10.244.1.2"], "10.244.2.0/24", "10.244.0.0/22"),
    (["10.42.5.2"], "10.42.0.0/24", "10.42.0.0/16"),
    (["fd00:244:0:1::2"], "fd00:244::/64", "fd00:244::/63"),
    (["34.1.2.3"], "34.1.3.0/24", "34.1.2.0/23"),
  ]

  @Test("a node without pods and pod CIDR gets the next free block beside the known ones", arguments: neighbours)
  func neighbour(known: [String], given: String, network: String) throws {
    let isIPv6 = given.contains(":")
    let pods = known.enumerated().map { podText("p\($0)", node: "w\($0)", ip: $1) }.joined()
    let reading = try read(node("a", isIPv6 ? "fd00:30::1" : "172.30.0.1"), pods)
    #expect(blocks(reading).first == given)
    #expect(networks(reading, isIPv6 ? .v6 : .v4) == [network])
    #expect(reading.texts.contains("pod CIDRs assumed: a \(given)"))
  }

  @Test("stated pod CIDRs have neighbours of the same length")
  func lengths() throws {
    #expect(
      blocks(try read(node("a", "172.30.0.1", "10.244.0.0/20"), node("b", "172.30.0.2"), node("c", "172.30.0.3")))
        == ["10.244.0.0/20", "10.244.16.0/20", "10.244.32.0/20"])
  }

  @Test("pods of two nodes in one block still show where pods are")
  func sharedBlock() throws {
    let reading = try read(
      podText("a", node: "w1", ip: "192.168.190.65") + podText("b", node: "w2", ip: "192.168.190.130"),
      node("cp", "10.0.0.1"))
    #expect(blocks(reading) == ["192.168.191.0/24", "", ""])
    #expect(networks(reading) == ["192.168.190.0/23"])
    #expect(!reading.texts.contains { $0.contains("network") })
  }

  @Test("pods outside their node's pod CIDR count, as with Calico's own blocks")
  func strays() throws {
    let reading = try read(node("a", "10.0.0.1", "192.168.0.0/24"), podText("p", node: "a", ip: "192.168.235.193"))
    #expect(networks(reading) == ["192.168.0.0/16"])
    #expect(reading.cluster.strayPodAddresses.mapValues { $0.map(\.description) } == ["a": ["192.168.235.193"]])
  }

  @Test("a block that holds a node or an external host is no pod CIDR")
  func foreigners() throws {
    #expect(blocks(try read(node("a", "10.0.1.1"), podText("p", node: "a", ip: "10.0.1.7"))) == [""])
    let host =
      "apiVersion: netpol-lab/v1alpha1\nkind: Cluster\nexternalHosts: [{name: h, addresses: [10.0.1.9]}]\n---\n"
    #expect(blocks(try read(host, podText("p", node: "a", ip: "10.0.1.7"))) == [""])
  }

  @Test(
    "scattered pods are in several networks, and a note says so",
    arguments: [
      ("172.16.0.5", "192.168.7.5", "172.30.0.1", "172.16.0.0/24, 192.168.7.0/24"),
      ("10.1.0.5", "10.244.0.5", "10.128.0.1", "10.1.0.0/24, 10.244.0.0/24"),
    ])
  func scattered(one: String, two: String, third: String, list: String) throws {
    let reading = try read(
      node("a", third) + node("b", "172.31.0.1"), podText("p", node: "a", ip: one) + podText("q", node: "b", ip: two))
    #expect(networks(reading).joined(separator: ", ") == list)
    #expect(reading.cluster.clusterCIDR(.v4) == nil)
    #expect(
      reading.texts.filter { $0.hasPrefix("pods are in several") } == [
        "pods are in several IPv4 networks: \(list); kube-proxy is assumed to know none; set clusterCIDRs in a Cluster document if kube-proxy has a --cluster-cidr"
      ])
    let wide = CIDR(try address(one), prefixLength: 8)
    let document = "apiVersion: netpol-lab/v1alpha1\nkind: Cluster\nclusterCIDRs: [\(wide)]\n---\n"
    let stated = try read(document + node("a", third), podText("p", node: "a", ip: one))
    #expect(stated.cluster.clusterCIDR(.v4) == wide)
  }

  @Test("pods among nodes show no network, and a note says that nothing is masqueraded")
  func unknown() throws {
    let texts = (0..<20).map {
      node("n\($0)", "10.0.0.\(10 + 4 * $0)") + podText("p\($0)", node: "n\($0)", ip: "10.0.0.\(12 + 4 * $0)")
    }
    let reading = try read(texts.joined())
    #expect(networks(reading) == [])
    #expect(
      reading.texts.filter { $0.contains("masqueraded") } == [
        "no one IPv4 network holds just the pods; nothing is masqueraded; set clusterCIDRs in a Cluster document if kube-proxy has a --cluster-cidr"
      ])
  }

  @Test(
    "rejects cluster CIDRs that kube-proxy can't have",
    arguments: [
      (
        "[10.0.0.0/8, 172.16.0.0/12]",
        "clusterCIDRs[1]: 172.16.0.0/12 is a second IPv4 network; give one of each family, as kube-proxy's --cluster-cidr does"
      ),
      (
        "[10.42.0.0/24]",
        "clusterCIDRs[0]: 10.42.0.0/24 does not hold 10.42.0.0/16, a pod CIDR; give the network of all pods"
      ),
      (
        "[10.0.0.0/9]",
        "clusterCIDRs[0]: 10.0.0.0/9 does not hold 10.244.0.7/32, a pod's address; give the network of all pods"
      ),
      ("[0.0.0.0/0]", "clusterCIDRs[0]: 0.0.0.0/0 holds every address; give the network of the pods only"),
    ])
  func refused(list: String, line: String) {
    let document = "apiVersion: netpol-lab/v1alpha1\nkind: Cluster\nclusterCIDRs: \(list)"
    let others = node("a", "172.30.0.1", "10.42.0.0/16") + podText("p", node: "a", ip: "10.244.0.7")
    #expect(refusal(document, others) == "a.yaml:3: Cluster: \(line)")
  }

  @Test("pods without a status have the families of the pods that have one")
  func families() throws {
    let reading = try read(podText("a", node: "n1", ip: "fd00:244::2"), podText("b", node: "n2"))
    #expect(reading.pod("default/b")?.podIPs.map(\.description) == ["fd00:244:0:1::2"])
  }
}
