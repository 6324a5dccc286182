// Not covered: whether pods are inside their node's pod CIDRs. They don't have to be.
import Manifests
import NetpolModel
import Testing

@Suite struct PodCIDRTests {
  private func node(_ name: String, _ cidrs: String...) -> String {
    let list = cidrs.map { "\"\($0)\"" }.joined(separator: ", ")
    return "apiVersion: v1\nkind: Node\nmetadata: {name: \(name)}\nspec: {podCIDRs: [\(list)]}\n---\n"
  }

  @Test(
    "rejects overlapping pod CIDRs of two nodes",
    arguments: [
      ("10.42.0.0/24", "10.42.0.0/24"), ("10.42.0.0/16", "10.42.7.0/24"), ("0.0.0.0/0", "10.42.7.0/24"),
      ("fd00::/48", "fd00:0:0:1::/64"),
    ])
  func overlap(wide: String, narrow: String) {
    #expect(
      refusal(node("a", "10.1.0.0/24", wide), node("b", "fd99::/64", narrow))
        == "b.yaml:4: Node b: spec.podCIDRs[1]: \(narrow) overlaps \(wide) of node a (a.yaml:4); give each node pod CIDRs of its own"
    )
  }

  @Test("finds an overlap even after a nested network of the same node")
  func nested() {
    #expect(
      refusal(node("a", "10.0.0.0/8", "10.1.0.0/24"), node("b", "10.2.0.0/24"))
        == "b.yaml:4: Node b: spec.podCIDRs[0]: 10.2.0.0/24 overlaps 10.0.0.0/8 of node a (a.yaml:4); give each node pod CIDRs of its own"
    )
    #expect(refusal(node("a", "10.0.0.0/8", "10.1.0.0/24"), node("b", "11.0.0.0/24")) == "accepted")
  }

  @Test("the Cluster document's pod CIDRs replace those of the Node object")
  func document() {
    let document = "apiVersion: netpol-lab/v1alpha1\nkind: Cluster\nnodes:\n- {name: b, podCIDRs: [10.1.0.0/24]}"
    #expect(refusal(node("a", "10.0.0.0/24"), node("b", "10.0.0.0/24"), document) == "accepted")
    #expect(
      refusal(node("a", "10.1.0.0/24"), document)
        == "b.yaml:4: Cluster: nodes[0].podCIDRs[0]: 10.1.0.0/24 overlaps 10.1.0.0/24 of node a (a.yaml:4); give each node pod CIDRs of its own"
    )
  }

  @Test(
    "rejects a pod CIDR in which the bridge can't have an address",
    arguments: [
      ("127.0.0.0/24", "127.0.0.1", "a loopback address"), ("224.0.0.0/24", "224.0.0.1", "a multicast address"),
      ("fe80::/64", "fe80::1", "a link-local address"), ("fdfe::/64", "fdfe::1", "an address reserved by the lab"),
    ])
  func bridge(cidr: String, first: String, obstacle: String) {
    #expect(
      refusal(node("a", cidr))
        == "a.yaml:4: Node a: spec.podCIDRs[0]: \(first), the bridge's address in \(cidr), is \(obstacle); give the node another pod CIDR"
    )
  }
}
