// Not covered: whether the assumed networks match the original cluster's. They can't be known.
import Manifests
import NetpolModel
import Testing

@Suite struct NodeTests {
  private func nodes(_ texts: String...) throws -> [String] {
    let sources = texts.enumerated().map { ManifestSource(name: "\($0).yaml", text: $1) }
    return try readManifests(sources).cluster.nodes.map {
      "\($0.name) \($0.addresses.map(\.description).joined(separator: " ")) \($0.podCIDRs.map(\.description).joined(separator: " "))"
    }
  }
  private func node(_ name: String, _ rest: String = "") -> String {
    "apiVersion: v1\nkind: Node\nmetadata: {name: \(name)}\n\(rest)\n---\n"
  }

  @Test("podCIDR counts before podCIDRs")
  func authoritative() throws {
    #expect(
      try nodes(
        "apiVersion: v1\nkind: Node\nmetadata: {name: a}\nspec: {podCIDR: 10.1.0.0/24, podCIDRs: [10.2.0.0/24]}\nstatus: {addresses: [{type: InternalIP, address: 10.0.0.1}]}"
      )
        == ["a 10.0.0.1 10.1.0.0/24"])
  }

  @Test("without Node objects, the nodes are those that pods name, or node1")
  func implied() throws {
    #expect(try nodes(podText("a")) == ["node1 172.30.0.11 10.42.0.0/24"])
    #expect(
      try nodes(podText("a", node: "v") + podText("b", node: "u"))
        == ["u 172.30.0.11 10.42.0.0/24", "v 172.30.0.12 10.42.1.0/24"])
  }

  @Test("a Node object's addresses and pod CIDRs are kept, and a family that only its pods have is added")
  func declared() throws {
    let spec = "spec: {podCIDR: 10.244.0.0/24, podCIDRs: [10.244.0.0/24, \"fd00:244::/64\"]}"
    let status = "status: {addresses: [{type: InternalIP, address: 10.0.0.1}]}"
    #expect(try nodes(node("a", "\(spec)\n\(status)")) == ["a 10.0.0.1 fd00:30::11 10.244.0.0/24 fd00:244::/64"])
    #expect(try nodes(node("a", "spec: {podCIDR: 10.244.0.0/24}\n\(status)")) == ["a 10.0.0.1 10.244.0.0/24"])
  }

  @Test("a node without addresses gets its pods' hostIP, or the next free address")
  func addresses() throws {
    let pods = podText("a", node: "n1", ip: "10.42.5.2", more: ", hostIP: 172.30.0.11") + podText("b", node: "n2")
    #expect(try nodes(pods) == ["n1 172.30.0.11 10.42.5.0/24", "n2 172.30.0.12 10.42.0.0/24"])
  }

  @Test("assigns IPv6 node addresses if the cluster has IPv6")
  func ipv6() throws {
    #expect(
      try nodes(podText("a", node: "n1", ip: "fd00:42::2"))
        == ["n1 172.30.0.11 fd00:30::11 fd00:42::/64"])
  }

  @Test("a block belongs to no node if two nodes have pods in it, or if another node has declared it")
  func sharedBlocks() throws {
    #expect(
      try nodes(podText("a", node: "n1", ip: "10.42.0.2") + podText("b", node: "n2", ip: "10.42.0.3"))
        == ["n1 172.30.0.11 ", "n2 172.30.0.12 "])
    #expect(
      try nodes(podText("a", node: "n1", ip: "10.42.0.2"), node("n2", "spec: {podCIDRs: [10.42.0.128/25]}"))
        == ["n1 172.30.0.11 ", "n2 172.30.0.12 10.42.0.128/25"])
    #expect(
      try nodes(podText("a", node: "n1", ip: "10.42.0.2"), node("n2", "spec: {podCIDRs: [10.40.0.0/14]}"))
        == ["n1 172.30.0.11 ", "n2 172.30.0.12 10.40.0.0/14"])
  }

  @Test("a host-network pod implies no pod CIDR")
  func hostNetwork() throws {
    let text =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {hostNetwork: true, nodeName: n1, containers: [{name: c}]}\nstatus: {phase: Running, podIP: 10.0.0.1, hostIP: 10.0.0.1}"
    #expect(try nodes(text) == ["n1 10.0.0.1 10.42.0.0/24"])
  }

  @Test("an assumed pod CIDR doesn't overlap anything in use")
  func freeBlocks() throws {
    #expect(
      try nodes(
        podText("a", node: "n1", ip: "10.42.0.2") + podText("b", node: "n2", ip: "10.42.0.3")
          + podText("c", node: "n2"),
        node("n3", "spec: {podCIDRs: [10.42.1.0/25]}"))
        == ["n1 172.30.0.11 ", "n2 172.30.0.12 10.42.2.0/24", "n3 172.30.0.13 10.42.1.0/25"])
  }

  @Test("pods get an address in every family of their node's declared pod CIDRs")
  func dualStack() throws {
    let reading = try read(
      podText("a", node: "n1"), node("n1", "spec: {podCIDRs: [\"fd00:1::/64\", 10.1.0.0/24]}"))
    #expect(reading.pod("default/a")?.podIPs.map(\.description) == ["10.1.0.2", "fd00:1::2"])
    let single = try read(podText("a", node: "n1"), node("n1", "spec: {podCIDRs: [\"fd00:1::/64\"]}"))
    #expect(single.pod("default/a")?.podIPs.map(\.description) == ["fd00:1::2"])
  }

  @Test("one note for each kind of assumption about nodes")
  func notes() throws {
    let reading = try read(podText("a", node: "v") + podText("b", node: "u"), node("u"))
    #expect(
      reading.texts == [
        "no Node object: v; assumed because a pod names it",
        "node addresses assumed: u 172.30.0.11, v 172.30.0.12",
        "pod CIDRs assumed: u 10.42.0.0/24, v 10.42.1.0/24",
      ])
  }

  @Test("300 nodes get blocks of their own, although 10.42.0.0/16 has only 256")
  func many() throws {
    let reading = try read((0..<300).map { node("n\($0)") }.joined())
    let blocks = reading.cluster.nodes.flatMap(\.podCIDRs)
    #expect(Set(blocks).count == 300)
    #expect(!blocks.contains { block in reading.cluster.settings.serviceCIDRs.contains { $0.overlaps(block) } })
  }

  @Test("only pods that need an address need a block for their node")
  func exhaustion() throws {
    let wide = node("a", "spec: {podCIDR: 10.0.0.0/8}")
    #expect(try nodes(wide, node("b")) == ["a 172.30.0.11 10.0.0.0/8", "b 172.30.0.12 "])
    #expect(
      refusal(wide, podText("p", node: "b"))
        == "b.yaml:1: Node b: no network is left for its pods; give the nodes podCIDRs in a Cluster document")
  }
}
