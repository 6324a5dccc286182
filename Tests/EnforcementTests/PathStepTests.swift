// Not covered: whether real packets take this path. ThreeEnginesTests compares verdicts, not paths.
import Enforcement
import Foundation
import Lowering
import NetpolModel
import Path
import TestSupport
import Testing

@Suite("Steps of a path") struct PathStepTests {
  @Test(
    "policies see the packet after its destination is translated, address and port",
    arguments: [
      (.node("node1"), "192.168.20.11", .service(NamespacedName("shop", "web")), "10.43.1.1", 80, ["output"]),
      (
        .node("node2"), "192.168.20.12", .service(NamespacedName("shop", "web")), "10.43.1.1", 80,
        ["output", "forward"]
      ),
      (.external("office"), "192.168.1.50", .node("node1"), "192.168.20.11", 30080, ["forward"]),
      (.external("office"), "192.168.1.50", .node("node2"), "192.168.20.12", 30080, ["forward", "forward"]),
    ] as [(Endpoint, String, Endpoint, String, UInt16, [String])])
  func seen(
    source: Endpoint, from: String, destination: Endpoint, to: String, port: UInt16, hooks: [String]
  ) throws {
    let text = try String(contentsOf: repository.appendingPathComponent("examples/nodeport/shop.yaml"), encoding: .utf8)
    let cluster = try readWorld(text)
    let enforced = try EnforcedCluster(cluster, Topology(cluster), .kubeRouterK3s, versionStamp: "1")
    let flow = Flow(
      from: source, try #require(IPAddress(from)), to: destination, try #require(IPAddress(to)),
      .port(TransportPort(.tcp, port)))
    let seen = enforced.journey(of: flow).steps.filter { $0.event == .passed || $0.event == .stopped }
    #expect(seen.map { "\($0.position.hook)" } == hooks)
    #expect(seen.allSatisfy { $0.destination == IPAddress("10.42.0.2") && $0.port == 8080 }, "\(seen)")
  }
}
