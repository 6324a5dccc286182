// Not covered: the Endpoints that the old Endpoints controller writes for Services with a selector. Nothing reads them.
import Manifests
import NetpolModel
import Testing

@Suite struct MirroredEndpointsTests {
  private func endpoints(_ subsets: String, metadata: String = "name: db") -> String {
    "apiVersion: v1\nkind: Endpoints\nmetadata: {\(metadata)}\nsubsets: \(subsets)\n---\n"
  }
  private let service = serviceText("{ports: [{port: 5432}]}", metadata: "name: db")
  private let one = "[{addresses: [{ip: 10.9.0.1}], ports: [{port: 5432}]}]"
  private let note = "Endpoints that a cluster doesn't mirror to EndpointSlices are ignored: default/db"
  private func slice(labels: String) -> String {
    "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: db-x, labels: {kubernetes.io/service-name: db\(labels)}}\naddressType: IPv4\nports: [{port: 5432}]\nendpoints: [{addresses: [10.9.0.7]}]\n---\n"
  }

  @Test("Endpoints of a Service without selector become a slice for each set of ports and family")
  func mirrored() throws {
    let subsets = """
      [{addresses: [{ip: 10.9.0.1, nodeName: n1, targetRef: {kind: Pod, name: a}}, {ip: "fd00:9::1"}],
      notReadyAddresses: [{ip: 10.9.0.2}], ports: [{name: sql, port: 5432}]},
      {addresses: [{ip: 10.9.0.1, nodeName: n1, targetRef: {kind: Pod, name: a}}], ports: [{name: dns, port: 53, protocol: UDP}]}]
      """
    let reading = try read(service + endpoints(subsets))
    let sql = EndpointSlice.Port(name: "sql", transport: .tcp, port: 5432)
    let dns = EndpointSlice.Port(name: "dns", transport: .udp, port: 53)
    let slice = { (name: String, family: IPFamily, ports: [EndpointSlice.Port], members: [EndpointSlice.Member]) in
      EndpointSlice(
        id: NamespacedName("default", name), service: "db", family: family, ports: ports, members: members)
    }
    #expect(
      reading.cluster.endpointSlices == [
        slice(
          "db-ipv4-0", .v4, [dns, sql], [.init(try address("10.9.0.1"), node: "n1", pod: PodID("default", "a"))]),
        slice("db-ipv4-1", .v4, [sql], [.init(try address("10.9.0.2"), isReady: false)]),
        slice("db-ipv6-0", .v6, [sql], [.init(try address("fd00:9::1"))]),
      ])
    #expect(!reading.texts.contains { $0.contains("no selector and no EndpointSlice") })
  }

  @Test(
    "Endpoints are not mirrored if the Service has a selector or doesn't exist, or if their writer says so",
    arguments: [
      ("{selector: {app: db}, ports: [{port: 5432}]}", "name: db"),
      ("{ports: [{port: 5432}]}", "name: db, labels: {endpointslice.kubernetes.io/skip-mirror: \"true\"}"),
      ("{ports: [{port: 5432}]}", "name: db, annotations: {control-plane.alpha.kubernetes.io/leader: x}"),
      ("", "name: db"),
    ])
  func ignored(spec: String, metadata: String) throws {
    let service = spec.isEmpty ? "" : serviceText(spec, metadata: "name: db")
    let reading = try read(service + endpoints(one, metadata: metadata))
    #expect(reading.cluster.endpointSlices.isEmpty)
    #expect(reading.texts.contains(note))
  }

  @Test("an empty selector is none")
  func emptySelector() throws {
    let service = serviceText("{selector: {}, ports: [{port: 5432}]}", metadata: "name: db")
    #expect(try read(service + endpoints(one)).cluster.endpointSlices.count == 1)
  }

  @Test("a slice by another author stays beside the mirrored one, and a mirrored slice in the input replaces it")
  func besides() throws {
    let own = try read(service + endpoints(one) + slice(labels: "")).cluster
    #expect(own.endpointSlices.flatMap(\.members).map(\.address.description) == ["10.9.0.1", "10.9.0.7"])
    let managed = ", endpointslice.kubernetes.io/managed-by: endpointslicemirroring-controller.k8s.io"
    let mirror = try read(service + endpoints(one) + slice(labels: managed)).cluster
    #expect(mirror.endpointSlices.map(\.id.name) == ["db-x"])
  }

  @Test("of a subset, at most 1000 addresses are mirrored, ready ones first")
  func limit() throws {
    let ready = (0..<600).map { "{ip: 10.9.\($0 / 250).\($0 % 250 + 1)}" }.joined(separator: ", ")
    let idle = (0..<600).map { "{ip: 10.8.\($0 / 250).\($0 % 250 + 1)}" }.joined(separator: ", ")
    let subset = "[{notReadyAddresses: [\(idle)], addresses: [\(ready)], ports: [{port: 1}]}]"
    let members = try read(service + endpoints(subset)).cluster.endpointSlices.flatMap(\.members)
    #expect(members.count == 1000 && members.count(where: \.isReady) == 600)
  }

  @Test(
    "rejects invalid Endpoints",
    arguments: [
      ("[{addresses: [{hostname: a}]}]", "subsets[0].addresses[0].ip: is missing; give an address"),
      (
        "[{addresses: [{ip: 127.0.0.1}]}]",
        "subsets[0].addresses[0].ip: 127.0.0.1 is a loopback address; give a unicast address that others can reach"
      ),
      ("[{ports: [{name: a}]}]", "subsets[0].ports[0].port: is missing; give a number from 1 to 65535"),
    ])
  func refused(subsets: String, text: String) {
    #expect(refusal(endpoints(subsets)) == "a.yaml:4: Endpoints default/db: \(text)")
  }
}
