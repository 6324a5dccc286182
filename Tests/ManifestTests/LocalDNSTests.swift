// Not covered: several caches on one node.
import Manifests
import NetpolModel
import Testing

@Suite("NodeLocal DNS in manifests") struct LocalDNSTests {
  private static func daemonSet(_ arguments: String, hostNetwork: Bool = true, image: String = "k8s-dns-node-cache")
    -> String
  {
    """
    apiVersion: apps/v1
    kind: DaemonSet
    metadata: {namespace: kube-system, name: node-local-dns}
    spec:
      selector: {matchLabels: {k8s-app: node-local-dns}}
      template:
        metadata: {labels: {k8s-app: node-local-dns}}
        spec: {hostNetwork: \(hostNetwork), containers: [{name: node-cache, image: \(image), args: [\(arguments)]}]}
    ---
    apiVersion: netpol-lab/v1alpha1
    kind: Cluster
    nodes: [{name: n1}, {name: n2}]
    ---
    apiVersion: v1
    kind: Service
    metadata: {namespace: kube-system, name: kube-dns}
    spec: {clusterIP: 10.43.0.10, selector: {k8s-app: kube-dns}, ports: [{name: dns, port: 53, protocol: UDP}]}
    ---

    """
  }

  @Test(
    "its addresses are those of -localip, with the placeholders of its manifest filled in",
    arguments: [
      (#""-localip", "169.254.20.10,10.43.0.10""#, ["169.254.20.10", "10.43.0.10"]),
      (#"--localip=169.254.20.10"#, ["169.254.20.10"]),
      (#""-localip", "__PILLAR__LOCAL__DNS__,__PILLAR__DNS__SERVER__""#, ["169.254.20.10", "10.43.0.10"]),
    ])
  func addresses(arguments: String, addresses: [String]) throws {
    let reading = try read(Self.daemonSet(arguments))
    let expected = addresses.compactMap { IPAddress($0) }
    #expect(reading.cluster.localDNS == ["n1": expected, "n2": expected])
    let sorted = expected.sorted().map(\.description).joined(separator: ", ")
    #expect(
      reading.notes.contains {
        $0.text == "NodeLocal DNS on n1, n2: queries to \(sorted) end in the node's own process"
      })
  }

  @Test("without its own rules kube-proxy translates the ClusterIP, and without a device nothing is bound")
  func flags() throws {
    let arguments = #""-localip", "169.254.20.10,10.43.0.10""#
    let reading = try read(Self.daemonSet(arguments + ", -setupiptables=false"))
    #expect(reading.cluster.localDNS["n1"]?.map(\.description) == ["169.254.20.10"])
    let text = "NodeLocal DNS with -setupiptables=false: kube-proxy translates queries to 10.43.0.10, "
    #expect(reading.texts.contains { $0.hasPrefix(text) })
    #expect(try read(Self.daemonSet(arguments + ", --setupinterface=false")).cluster.localDNS.isEmpty)
    #expect(try read(Self.daemonSet(arguments + ", -setupiptables=true")).cluster.localDNS["n1"]?.count == 2)
  }

  @Test("an address that it can't have is left out, and a warning says so", arguments: ["foo", "0.0.0.0", "127.0.0.1"])
  func wrong(text: String) throws {
    let reading = try read(Self.daemonSet("\"-localip\", \"169.254.20.10,\(text)\""))
    #expect(reading.cluster.localDNS["n1"]?.map(\.description) == ["169.254.20.10"])
    #expect(
      reading.notes.contains {
        $0.severity == .warning
          && $0.text == "-localip of NodeLocal DNS: \"\(text)\" is no address that it can have; left out"
      })
  }

  @Test("without hostNetwork or -localip it is only named in a warning")
  func unusable() throws {
    for text in [Self.daemonSet(#""-localip", "169.254.20.10""#, hostNetwork: false), Self.daemonSet("-conf")] {
      let reading = try read(text)
      #expect(reading.cluster.localDNS.isEmpty)
      #expect(
        reading.notes.contains { $0.text.hasPrefix("NodeLocal DNS without hostNetwork or -localip is not modelled") })
    }
  }
}
