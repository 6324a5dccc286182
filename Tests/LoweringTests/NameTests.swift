// What this does not show: that names are used in the right place (GoldenTests).
import NetpolModel
import RuleIR
import Testing

@testable import Lowering

@Suite("kube-router's names") struct NameTests {
  static let web = PolicyID("default", "allow-web")

  @Test(
    "names equal the test vectors of upstream and of real dumps",
    arguments: [
      (KubeRouterNames.policyChain(PolicyID("nsA", "simple-egress"), version: "1", .v4), "C23KD7UE4TAT3Y5M"),
      (KubeRouterNames.policyChain(web, version: "1700000000000000000", .v4), "KO6A36LCAMQLSXI4"),
      (KubeRouterNames.policyChain(web, version: "1700000000000000000", .v6), "FNJHDJSMRSMYUF4I"),
      (KubeRouterNames.targets(web, .ingress, .v4, .iptables), "M6PZR535OW6JMOTI"),
      (KubeRouterNames.targets(web, .egress, .v4, .iptables), "M6PZR535OW6JMOTI"),
      (KubeRouterNames.ruleSet(.peerPods, web, .ingress, rule: 0, .v4, .iptables), "FKHFCEK6N6YXDOWU"),
      (KubeRouterNames.ruleSet(.ipBlocks, web, .ingress, rule: 0, .v4, .iptables), "CU76QFNSNUG3W6VX"),
      (KubeRouterNames.ruleSet(.peerPods, web, .egress, rule: 0, .v4, .iptables), "NK3OAMUWR3TCPYJW"),
      (KubeRouterNames.ruleSet(.ipBlocks, web, .egress, rule: 0, .v4, .iptables), "N5KMEQERGAQ47V7F"),
      (KubeRouterNames.ruleSet(.namedPort(index: 0), web, .ingress, rule: 0, .v4, .iptables), "L5FBTL5GUEYSVVIF"),
      (KubeRouterNames.ruleSet(.ipBlockExcepts, web, .ingress, rule: 0, .v4, .nftables), "OM2TM65SWYCLRR6A"),
      (KubeRouterNames.ruleSet(.ipBlockExcepts, web, .egress, rule: 0, .v4, .nftables), "VQYDU27QFP4V4FWI"),
      (KubeRouterNames.ipBlockChain(web, .ingress, rule: 0, .v4), "27CYYGOG53MDQ63J"),
      (KubeRouterNames.ipBlockChain(web, .egress, rule: 0, .v4), "TU2KPPWXI4TECTND"),
      (KubeRouterNames.podChain(PodID("default", "web-0"), version: "1700000000000000000"), "27RLTRRO6ODJFI3F"),
    ]) func vectors(name: String, hash: String)
  {
    #expect(name.hasSuffix("-" + hash))
  }

  @Test("a set's prefix shows the side on which it is matched and whether it is IPv6")
  func prefixes() {
    #expect(KubeRouterNames.targets(Self.web, .ingress, .v4, .iptables).hasPrefix("KUBE-DST-"))
    #expect(KubeRouterNames.targets(Self.web, .egress, .v4, .iptables).hasPrefix("KUBE-SRC-"))
    #expect(KubeRouterNames.targets(Self.web, .egress, .v6, .iptables).hasPrefix("inet6:KUBE-SRC-"))
    #expect(KubeRouterNames.ruleSet(.peerPods, Self.web, .egress, rule: 0, .v4, .iptables).hasPrefix("KUBE-DST-"))
    #expect(
      KubeRouterNames.ruleSet(.namedPort(index: 0), Self.web, .egress, rule: 0, .v4, .iptables).hasPrefix("KUBE-DST-"))
  }

  @Test(
    "tags of rules at fixed positions equal those of real nodes",
    arguments: [
      (
        KubeRouterNames.tag("INPUT", ["-m", "comment", "--comment", "kube-router netpol", "-j", "KUBE-ROUTER-INPUT"]),
        "4IA2OSFRMVNDXBVV"
      ),
      (
        KubeRouterNames.tag(
          "OUTPUT", ["-m", "comment", "--comment", "kube-router netpol", "-j", "KUBE-ROUTER-OUTPUT"]),
        "VEAAIY32XVBHCSCY"
      ),
      (
        KubeRouterNames.tag(
          "KUBE-ROUTER-INPUT",
          [
            "-m", "comment", "--comment", "allow traffic to primary/secondary cluster IP range", "-d", "10.96.0.0/12",
            "-j", "RETURN",
          ]), "BVHX2PIHDXXEO43X"
      ),
    ]) func tags(tag: String, expected: String)
  { #expect(tag == expected) }

  @Test(
    "the limit on a policy's log is parsed as the fork parses it",
    arguments: [
      ([:], RateLimit(10, per: .minute, burst: 10)),
      (
        ["kube-router.io/netpol-nflog-limit": "5/s", "kube-router.io/netpol-nflog-limit-burst": "3"],
        RateLimit(5, per: .second, burst: 3)
      ),
      (
        ["kube-router.io/netpol-nflog-limit": "5/week", "kube-router.io/netpol-nflog-limit-burst": "3"],
        RateLimit(10, per: .minute, burst: 10)
      ),
      (["kube-router.io/netpol-nflog-limit": "+7/day"], RateLimit(7, per: .day, burst: 10)),
      (["kube-router.io/netpol-nflog-limit": "2"], RateLimit(2, per: .second, burst: 10)),
      (["kube-router.io/netpol-nflog-limit-burst": "many"], RateLimit(10, per: .minute, burst: 10)),
      (["kube-router.io/netpol-nflog-limit": "1/2/3"], RateLimit(10, per: .minute, burst: 10)),
      (["kube-router.io/netpol-nflog-limit": ""], RateLimit(10, per: .minute, burst: 10)),
    ]) func logLimit(annotations: Labels, expected: RateLimit)
  { #expect(NFLOGLimit.read(annotations) == expected) }

  @Test("a limit that iptables-restore refuses is recognised beforehand")
  func loadable() {
    #expect(NFLOGLimit.isLoadable(RateLimit(10_000, per: .second, burst: 0)))
    #expect(!NFLOGLimit.isLoadable(RateLimit(10_001, per: .second, burst: 5)))
    #expect(!NFLOGLimit.isLoadable(RateLimit(0, per: .day, burst: 5)))
    #expect(!NFLOGLimit.isLoadable(RateLimit(1, per: .day, burst: 10_001)))
    #expect(!NFLOGLimit.isLoadable(RateLimit(1, per: .day, burst: -1)))
  }
}
