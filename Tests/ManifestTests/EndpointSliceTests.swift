// Not covered: how many endpoints a real controller puts into one slice. Here it is all of them.
import Manifests
import NetpolModel
import Testing

@Suite struct EndpointSliceTests {
  private func slice(_ fields: String, labels: String = "{kubernetes.io/service-name: web}") -> String {
    "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: web-x1, namespace: shop, labels: \(labels)}\n\(fields)\n---\n"
  }
  private static let web = serviceText(
    "{selector: {app: web}, ports: [{port: 80}]}", metadata: "name: web, namespace: shop")

  @Test("reads a slice with its ports, members and conditions")
  func full() throws {
    let reading = try read(
      slice(
        """
        addressType: IPv4
        ports: [{name: http, port: 8080}, {name: "", protocol: UDP, port: 53}]
        endpoints:
        - {addresses: [10.42.0.5, 10.42.0.6], nodeName: n1, targetRef: {kind: Pod, name: a, namespace: shop}}
        - {addresses: [10.42.0.7], conditions: {ready: false, serving: true, terminating: true}}
        - {addresses: [10.42.0.8], conditions: {ready: false}, targetRef: {kind: Pod, name: b}}
        """))
    #expect(
      reading.cluster.endpointSlices == [
        EndpointSlice(
          id: NamespacedName("shop", "web-x1"), service: "web", family: .v4,
          ports: [
            .init(name: "http", transport: .tcp, port: 8080), .init(transport: .udp, port: 53),
          ],
          members: [
            .init(try address("10.42.0.5"), node: "n1", pod: PodID("shop", "a")),
            .init(try address("10.42.0.7"), isReady: false, isServing: true, isTerminating: true),
            .init(try address("10.42.0.8"), isReady: false, pod: PodID("shop", "b")),
          ])
      ])
    #expect(reading.cluster.namespaces.map(\.name) == ["shop"])
  }

  @Test(
    "a condition that is absent or null has its default: ready, serving and not terminating",
    arguments: [
      ("{}", "true true false"), ("{ready: false, terminating: true}", "false true true"),
      ("{ready: null, serving: null, terminating: null}", "true true false"),
      ("{serving: false}", "true false false"),
    ])
  func conditions(conditions: String, meaning: String) throws {
    let endpoint = "{addresses: [10.42.0.8], conditions: \(conditions)}"
    let slices = try read(slice("addressType: IPv4\nendpoints: [\(endpoint)]")).cluster.endpointSlices
    let member = try #require(slices.first?.members.first)
    #expect("\(member.isReady) \(member.isServing) \(member.isTerminating)" == meaning)
  }

  @Test(
    "notes what the service proxy can't use in a slice",
    arguments: [
      ("addressType: FQDN", "EndpointSlice shop/web-x1 has DNS names instead of addresses and is ignored"),
      (
        "addressType: IPv4\nports: [{name: any}]",
        "a.yaml:5: EndpointSlice shop/web-x1: ports[0]: an entry without port (all ports) is not modelled; the entry is ignored"
      ),
    ])
  func notes(fields: String, text: String) throws {
    #expect(try read(slice(fields)).texts.contains(text))
  }

  @Test("ignores a slice without a Service and Endpoints objects, with a note")
  func ignored() throws {
    let reading = try read(
      slice("addressType: IPv4", labels: "{}") + "apiVersion: v1\nkind: Endpoints\nmetadata: {name: e, namespace: x}\n")
    #expect(reading.cluster.endpointSlices.isEmpty)
    #expect(
      reading.texts.contains("EndpointSlice shop/web-x1 has no label kubernetes.io/service-name and is ignored"))
    #expect(reading.texts.contains("Endpoints that a cluster doesn't mirror to EndpointSlices are ignored: x/e"))
    #expect(!reading.texts.contains { $0.hasPrefix("skipped") })
  }

  @Test(
    "rejects invalid slices",
    arguments: [
      ("ports: []", "3", "addressType: is missing; write IPv4 or IPv6"),
      ("addressType: ipv4", "4", "addressType: unknown value \"ipv4\"; write IPv4 or IPv6"),
      (
        "addressType: IPv6\nendpoints: [{addresses: [10.42.0.5]}]", "5",
        "endpoints[0].addresses[0]: 10.42.0.5 is not an IPv6 address; put it into a slice of addressType IPv4"
      ),
      (
        "addressType: IPv4\nendpoints: [{addresses: [127.0.0.1]}]", "5",
        "endpoints[0].addresses[0]: 127.0.0.1 is a loopback address; give a unicast address that others can reach"
      ),
      (
        "addressType: IPv4\nendpoints: [{addresses: []}]", "5",
        "endpoints[0].addresses: is missing; give at least one address"
      ),
      ("addressType: IPv4\nports: [{port: 0}]", "5", "ports[0].port: 0 is not a port; give a number from 1 to 65535"),
    ])
  func refused(fields: String, line: String, text: String) {
    let line = line == "3" ? "1" : line
    #expect(refusal(slice(fields)) == "a.yaml:\(line): EndpointSlice shop/web-x1: \(text)")
  }

  @Test("rejects another version and another spelling")
  func versions() {
    let object = "kind: EndpointSlice\nmetadata: {name: a}\naddressType: IPv4"
    #expect(
      refusal("apiVersion: discovery.k8s.io/v2\n\(object)")
        == "a.yaml:1: EndpointSlice default/a: apiVersion \"discovery.k8s.io/v2\" has no kind EndpointSlice; write apiVersion: discovery.k8s.io/v1"
    )
    #expect(
      refusal("apiVersion: discovery.k8s.io/v1\nkind: Endpointslice")
        == "a.yaml:2: Endpointslice: kind: there is no kind \"Endpointslice\"; write kind: EndpointSlice")
  }

  @Test("adds slices only to Services without slices in the input")
  func given() throws {
    let pod = podText("a", namespace: "shop", ip: "10.42.0.5")
    let labelled = pod.replacing("namespace: shop}", with: "namespace: shop, labels: {app: web}}")
    let given = slice("addressType: IPv4\nports: [{port: 1}]")
    #expect(try read(Self.web + labelled, given).cluster.endpointSlices.map(\.id.name) == ["web-x1"])
    let derived = try read(Self.web + labelled).cluster
    #expect(derived.endpointSlices.map(\.id.name) == ["web-ipv4-0"])
    #expect(derived.slices(of: NamespacedName("shop", "web")) == derived.endpointSlices)
  }
}
