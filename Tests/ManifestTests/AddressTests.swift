// Not covered: whether the lab can really use every accepted address. These tests only check known obstacles.
import Manifests
import NetpolModel
import Testing

@Suite struct AddressTests {
  private func cluster(_ fields: String) -> String { "apiVersion: netpol-lab/v1alpha1\nkind: Cluster\n\(fields)\n" }
  private func node(_ name: String, _ addresses: String...) -> String {
    let entries = addresses.map { "{type: InternalIP, address: \"\($0)\"}" }.joined(separator: ", ")
    return "apiVersion: v1\nkind: Node\nmetadata: {name: \(name)}\nstatus: {addresses: [\(entries)]}\n---\n"
  }
  private static let obstacles = [
    ("0.0.0.0", "the unspecified address"), ("::", "the unspecified address"), ("127.0.0.1", "a loopback address"),
    ("127.255.255.254", "a loopback address"), ("::1", "a loopback address"), ("224.0.0.1", "a multicast address"),
    ("239.255.255.255", "a multicast address"), ("ff02::1", "a multicast address"),
    ("255.255.255.255", "the broadcast address"), ("169.254.0.1", "a link-local address"),
    ("fe80::1", "a link-local address"), ("febf::1", "a link-local address"),
    ("198.18.255.254", "an address reserved by the lab"), ("fdff::fffe", "an address reserved by the lab"),
    ("fdfe::1", "an address reserved by the lab"),
  ]

  @Test("rejects an address that no machine of the lab can have, stored or not", arguments: obstacles)
  func unusable(address: String, obstacle: String) {
    func line(_ owner: String) -> String {
      "\(address) is \(obstacle); give the \(owner) a unicast address that others can reach"
    }
    let podIPs =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c}]}\nstatus: {podIPs: [{ip: \"\(address)\"}]}"
    for validation in Validation.allCases {
      #expect(
        refusal(podText("p", node: "n1", ip: address), validation: validation)
          == "a.yaml:5: Pod default/p: status.podIP: \(line("pod"))")
      #expect(
        refusal(podIPs, validation: validation) == "a.yaml:5: Pod default/p: status.podIPs[0].ip: \(line("pod"))")
      #expect(
        refusal(node("n1", "10.0.0.1", address), validation: validation)
          == "a.yaml:4: Node n1: status.addresses[1].address: \(line("node"))")
      #expect(
        refusal(cluster("nodes: [{name: n1, addresses: [\"\(address)\"]}]"), validation: validation)
          == "a.yaml:3: Cluster: nodes[0].addresses[0]: \(line("node"))")
      #expect(
        refusal(cluster("externalHosts: [{name: h, addresses: [\"\(address)\"]}]"), validation: validation)
          == "a.yaml:3: Cluster: externalHosts[0].addresses[0]: \(line("host"))")
    }
  }

  @Test(
    "accepts the addresses next to those ranges",
    arguments: [
      "126.255.255.255", "128.0.0.1", "223.255.255.255", "240.0.0.1", "169.253.255.255", "169.255.0.1",
      "198.18.255.253", "::2", "fe7f::1", "fec0::1", "feff::1", "fdff::fffd", "fdfe::2",
    ])
  func usable(address: String) {
    #expect(refusal(podText("p", node: "n1", ip: address)) == "accepted")
  }

  @Test("checks a hostIP only if the node's address is taken from it")
  func hostIP() {
    let pod = podText("p", node: "n1", ip: "10.42.0.2", more: ", hostIP: 127.0.0.1")
    #expect(
      refusal(pod)
        == "a.yaml:5: Pod default/p: status.hostIP: 127.0.0.1 is a loopback address; give the node a unicast address that others can reach"
    )
    #expect(refusal(pod, node("n1", "10.0.0.1")) == "accepted")
  }

  @Test("ignores a Node object's addresses if the Cluster document gives others")
  func replaced() {
    #expect(refusal(node("n1", "fe80::1"), cluster("nodes: [{name: n1, addresses: [10.0.0.1]}]")) == "accepted")
  }

  @Test("neither uses nor checks the address that a host-network pod states")
  func hostNetwork() {
    for address in ["10.0.0.1", "127.0.0.1"] {
      let pod =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {hostNetwork: true, nodeName: n1, containers: [{name: c}]}\nstatus: {podIP: \(address)}"
      #expect(refusal(pod, node("n1", "10.0.0.1")) == "accepted")
    }
  }

  @Test("no pod gets an address reserved by the lab")
  func pool() throws {
    let pods = (1...2).map { podText("p\($0)", node: "n1") }.joined()
    let reading = try read(pods, cluster("nodes: [{name: n1, podCIDRs: [198.18.255.248/29]}]"))
    #expect(reading.cluster.pods.flatMap(\.podIPs).map(\.description) == ["198.18.255.250", "198.18.255.251"])
    let five = (1...5).map { podText("p\($0)", node: "n1") }.joined()
    #expect(
      refusal(five, cluster("nodes: [{name: n1, podCIDRs: [198.18.255.248/29]}]")).hasSuffix(
        "no address is left in 198.18.255.248/29 of node n1; give the node wider podCIDRs in a Cluster document"))
  }

  @Test("two nodes can't share an address, whichever object states it")
  func nodes() {
    let line = "10.0.0.1 is the address of node a (a.yaml:4); give the node an address of its own"
    #expect(
      refusal(node("a", "10.0.0.1"), node("b", "10.0.0.1"))
        == "b.yaml:4: Node b: status.addresses[0].address: \(line)")
    #expect(
      refusal(node("a", "10.0.0.1"), cluster("nodes: [{name: b, addresses: [10.0.0.1]}]"))
        == "b.yaml:3: Cluster: nodes[0].addresses[0]: \(line)")
    #expect(
      refusal(node("a", "10.0.0.1"), podText("p", node: "b", ip: "10.42.0.2", more: ", hostIP: 10.0.0.1"))
        == "b.yaml:5: Pod default/p: status.hostIP: \(line)")
  }

  @Test("a node that states an address twice has it once")
  func repeated() throws {
    let reading = try read(node("a", "10.0.0.1", "10.0.0.1"))
    #expect(reading.cluster.nodes.map(\.addresses) == [[try address("10.0.0.1")]])
  }

  @Test("a pod can't have a node's address, but may share another pod's")
  func pods() {
    #expect(
      refusal(podText("p", node: "a", ip: "10.0.0.1"), node("a", "10.0.0.1"))
        == "a.yaml:5: Pod default/p: status.podIP: 10.0.0.1 is the address of node a (b.yaml:4); give the pod an address of its own"
    )
    #expect(refusal(podText("p", node: "a", ip: "10.0.0.9") + podText("q", node: "a", ip: "10.0.0.9")) == "accepted")
  }

  @Test("an external host can't have a node's or a pod's address")
  func hosts() {
    let text = cluster("externalHosts: [{name: a, addresses: [10.0.0.1]}]")
    let place = "a.yaml:3: Cluster: externalHosts[0].addresses[0]: 10.0.0.1 is the address of"
    let remedy = "give the host an address of its own"
    #expect(
      refusal(text, podText("p", node: "n1", ip: "10.0.0.1")) == "\(place) pod default/p (b.yaml:5); \(remedy)")
    #expect(
      refusal(text, podText("p", node: "n1", ip: "10.9.0.1", more: ", hostIP: 10.0.0.1"))
        == "\(place) node n1 (b.yaml:5); \(remedy)")
    #expect(refusal(text, node("n1", "10.0.0.1")) == "\(place) node n1 (b.yaml:4); \(remedy)")
  }
}
