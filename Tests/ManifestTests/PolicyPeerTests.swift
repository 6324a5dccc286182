// Not covered: which pods a peer selects. These tests only check which peers are rejected.
import Manifests
import NetpolModel
import Testing

@Suite struct PolicyPeerTests {
  @Test(
    "an ipBlock is a CIDR, and its exceptions are strict subsets of it",
    arguments: [
      (
        "{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/33}}]}]}",
        "spec.ingress[0].from[0].ipBlock.cidr: \"10.0.0.0/33\" is not a CIDR; write one such as 10.0.0.0/8 or fd00::/8"
      ),
      (
        "{ingress: [{from: [{ipBlock: {cidr: 10.0.0.5}}]}]}",
        "spec.ingress[0].from[0].ipBlock.cidr: \"10.0.0.5\" has no prefix length; write 10.0.0.5/32 for this address only"
      ),
      (
        "{ingress: [{from: [{ipBlock: {cidr: 010.0.0.0/8}}]}]}",
        "spec.ingress[0].from[0].ipBlock.cidr: \"010.0.0.0/8\" has an octet with a leading zero; write 10.0.0.0/8"
      ),
      (
        "{ingress: [{from: [{ipBlock: {}}]}]}",
        "spec.ingress[0].from[0].ipBlock.cidr: is missing; write 0.0.0.0/0 for every IPv4 address"
      ),
      (
        "{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}]}]}",
        "spec.egress[0].to[0].ipBlock.except[0]: 11.0.0.0/16 must be a strict subset of cidr 10.0.0.0/8; remove it, or widen cidr"
      ),
      (
        "{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]}",
        "spec.egress[0].to[0].ipBlock.except[0]: 10.0.0.0/8 must be a strict subset of cidr 10.0.0.0/8; remove the peer, because nothing is left of it"
      ),
      (
        "{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [\"::/0\"]}}]}]}",
        "spec.egress[0].to[0].ipBlock.except[0]: ::/0 must be a strict subset of cidr 10.0.0.0/8; remove it, or widen cidr"
      ),
      (
        "{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]}",
        "spec.egress[0].to[0]: may not specify both ipBlock and another peer; use a separate list entry for each"
      ),
    ])
  func ipBlock(_ spec: String, _ line: String) {
    #expect(refusal(policyText(spec)) == "a.yaml:4: NetworkPolicy shop/web: \(line)")
  }

  @Test(
    "a peer can't be empty",
    arguments: [
      (
        "{ingress: [{from: [{}]}]}",
        "spec.ingress[0].from[0]: must specify a peer; write podSelector: {} for every pod of the policy's namespace"
      ),
      (
        "{ingress: [{from: [{podSelector: null}]}]}",
        "spec.ingress[0].from[0]: must specify a peer; write podSelector: {} for every pod of the policy's namespace"
      ),
    ])
  func peer(_ spec: String, _ line: String) {
    #expect(refusal(policyText(spec)) == "a.yaml:4: NetworkPolicy shop/web: \(line)")
  }
}
