import NetpolModel
import Testing

@testable import ServiceProxy

/// Names from kube-proxy's own tests and from dumps of k3s nodes.
@Suite("Names of kube-proxy's chains")
struct ChainNameTests {
  @Test(
    "a service port's chain has the name that kube-proxy gives it",
    arguments: [
      ("ns1/svc1:p80", Transport.tcp, "KUBE-SVC-XPGD46QRK7WJZT7O"),
      ("ns2/svc2:p80", .tcp, "KUBE-SVC-GNZBNJ2PO5MGZ6GT"),
      ("default/kubernetes:https", .tcp, "KUBE-SVC-NPX46M4PTMTKRN6Y"),
      ("kube-system/kube-dns:dns", .udp, "KUBE-SVC-TCOU7JCQXEZGVUNU"),
      ("kube-system/kube-dns:dns-tcp", .tcp, "KUBE-SVC-ERIFXISQEP7F7OF4"),
      ("default/registry", .tcp, "KUBE-SVC-UHY5YTYXWYGJMWN5"),
    ])
  func servicePort(port: String, transport: Transport, chain: String) {
    #expect(KubeProxyNames.chain(.cluster, port, transport) == chain)
  }

  @Test("all chains of a port have the same hash")
  func kinds() {
    let names = [KubeProxyNames.Kind.local, .external, .firewall].map { KubeProxyNames.chain($0, "ns2/svc2:p80", .tcp) }
    #expect(names == ["KUBE-SVL-GNZBNJ2PO5MGZ6GT", "KUBE-EXT-GNZBNJ2PO5MGZ6GT", "KUBE-FW-GNZBNJ2PO5MGZ6GT"])
  }

  @Test(
    "an endpoint's chain has the name that kube-proxy gives it",
    arguments: [
      ("ns1/svc1:p80", "10.180.0.1:80", "KUBE-SEP-SXIVWICOYRO3J4NJ"),
      ("ns4/svc4:p80", "10.180.0.5:80", "KUBE-SEP-C6EBXVWJJZMIWKLZ"),
      ("default/registry", "10.42.0.10:5000", "KUBE-SEP-47TYL3K3JWJ36POJ"),
    ])
  func endpoint(port: String, endpoint: String, chain: String) {
    #expect(KubeProxyNames.endpointChain(port, .tcp, endpoint) == chain)
  }
}

@Suite("Names of kube-proxy's chains in nftables mode")
struct NftChainNameTests {
  @Test(
    "a service port and an endpoint have the names that kube-proxy gives them",
    arguments: [
      ("ns1/svc1/tcp/p80", "ULMVA6XW-ns1/svc1/tcp/p80"),
      ("ns5/svc5/tcp/p80__10.180.0.3/80", "GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80"),
    ])
  func base(name: String, base: String) { #expect(KubeProxyNftNames.base(name) == base) }

  @Test("an IPv6 address has dots, and a port without a name ends in a slash")
  func endpoints() throws {
    #expect(
      KubeProxyNftNames.endpointChain("ns5/svc5/tcp/p80", try Fixture.address("10.180.0.3"), 80)
        == "endpoint-GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80")
    let v6 = KubeProxyNftNames.endpointChain("ns1/svc1/udp/", try Fixture.address("fd00:10::1"), 53)
    #expect(v6.hasSuffix("-ns1/svc1/udp/__fd00.10..1/53"))
    #expect(KubeProxyNftNames.chain(.cluster, "ns1/svc1/tcp/p80") == "service-ULMVA6XW-ns1/svc1/tcp/p80")
  }

  @Test("a long name is cut to 240 characters, the last three of which are dots")
  func long() {
    let base = KubeProxyNftNames.base(String(repeating: "n", count: 240))
    #expect(base.count == 240 && base.hasSuffix("nn..."))
    #expect(KubeProxyNftNames.base(String(repeating: "n", count: 231)).count == 240)
  }
}
