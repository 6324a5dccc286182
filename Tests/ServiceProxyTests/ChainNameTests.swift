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
