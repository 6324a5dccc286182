// Not covered: what the hints do. OracleTests and ServiceProxyTests show that.
import Manifests
import NetpolModel
import Testing

@Suite struct EndpointHintTests {
  private func node(_ name: String, zone: String?) -> String {
    let labels = zone.map { ", labels: {topology.kubernetes.io/zone: \"\($0)\"}" } ?? ""
    return "apiVersion: v1\nkind: Node\nmetadata: {name: \(name)\(labels)}\n---\n"
  }
  private func pod(_ name: String, node: String, ip: String, conditions: String = "") -> String {
    podText(name, node: node, ip: ip, more: conditions).replacing(
      "name: \(name),", with: "labels: {app: w}, name: \(name),")
  }
  private func service(_ fields: String, annotations: String = "{}") -> String {
    serviceText("{selector: {app: w}, ports: [{port: 80}]\(fields)}", metadata: "name: w, annotations: \(annotations)")
  }
  /// `pod zones nodes` of each member.
  private func hints(_ cluster: Cluster) -> [String] {
    cluster.endpointSlices.flatMap(\.members).map {
      "\($0.pod?.name ?? "-") \($0.zoneHints.sorted()) \($0.nodeHints.sorted())"
    }
  }
  private var world: String {
    node("n1", zone: "a") + node("n2", zone: nil) + node("n3", zone: "")
      + pod("p1", node: "n1", ip: "10.42.0.2") + pod("p2", node: "n2", ip: "10.42.1.2")
      + pod("p3", node: "n3", ip: "10.42.2.2")
      + pod("p4", node: "n1", ip: "10.42.0.3", conditions: ", conditions: [{type: Ready, status: \"False\"}]")
  }

  @Test("a given slice has the hints that it states, and an empty list is none")
  func given() throws {
    let slice = """
      apiVersion: discovery.k8s.io/v1
      kind: EndpointSlice
      metadata: {name: w-1, labels: {kubernetes.io/service-name: w}}
      addressType: IPv4
      ports: [{port: 80}]
      endpoints:
      - {addresses: [10.42.0.2], zone: z, hints: {forZones: [{name: a}, {name: b}], forNodes: [{name: n1}]}}
      - {addresses: [10.42.0.3], zone: z, hints: {forZones: []}}
      - {addresses: [10.42.0.4], zone: z}
      """
    #expect(
      hints(try read(service(", trafficDistribution: PreferClose"), slice).cluster) == [
        "- [\"a\", \"b\"] [\"n1\"]", "- [] []", "- [] []",
      ])
    #expect(
      refusal(slice.replacing("{name: b}", with: "{}"))
        == "a.yaml:7: EndpointSlice default/w-1: endpoints[0].hints.forZones[1].name: is missing; give the name of the zone or node"
    )
  }

  @Test(
    "slices made from a selector get the hints that trafficDistribution asks for, on ready endpoints",
    arguments: [
      ("", ["p1 [] []", "p4 [] []", "p2 [] []", "p3 [] []"]),
      (", trafficDistribution: PreferClose", ["p1 [\"a\"] []", "p4 [] []", "p2 [] []", "p3 [] []"]),
      (", trafficDistribution: PreferSameZone", ["p1 [\"a\"] []", "p4 [] []", "p2 [] []", "p3 [] []"]),
      (
        ", trafficDistribution: PreferSameNode",
        ["p1 [\"a\"] [\"n1\"]", "p4 [] []", "p2 [] [\"n2\"]", "p3 [] [\"n3\"]"]
      ),
      (
        ", trafficDistribution: PreferSameNode, publishNotReadyAddresses: true",
        ["p1 [\"a\"] [\"n1\"]", "p4 [\"a\"] [\"n1\"]", "p2 [] [\"n2\"]", "p3 [] [\"n3\"]"]
      ),
    ])
  func derived(fields: String, members: [String]) throws {
    #expect(hints(try read(world + service(fields)).cluster) == members)
  }

  @Test("an unknown trafficDistribution is refused")
  func unknown() {
    #expect(
      refusal(service(", trafficDistribution: PreferNone")).contains(
        "spec.trafficDistribution: unknown value \"PreferNone\""))
  }

  @Test("the annotation topology-mode Auto takes the hints away, with a warning if the slices are not in the input")
  func automatic() throws {
    let annotated = service(
      ", trafficDistribution: PreferClose", annotations: "{service.kubernetes.io/topology-mode: Auto}")
    let reading = try read(world + annotated)
    #expect(hints(reading.cluster) == ["p1 [] []", "p4 [] []", "p2 [] []", "p3 [] []"])
    #expect(reading.texts.contains { $0.hasPrefix("topology-mode Auto is not modelled: default/w;") })
    let off = annotated.replacing("Auto", with: "Disabled")
    #expect(!(try read(world + off).texts.contains { $0.hasPrefix("topology-mode") }))
  }
}
