// What this does not show: that the kernel routes the same way. RunTests show it, because a packet must arrive to be
// allowed.
import NetpolModel
import Path
import TestSupport
import Testing

@Suite("The path of a packet") struct PathTests {
  static let hosts = """
    \(podText("app/host", on: "node2", spec: "hostNetwork: true"))
    \(twoNodesText("externalHosts: [{name: lan, addresses: [192.168.1.9], routesToPods: true}, {name: far, addresses: [203.0.113.9]}]"))

    """

  static let ways: [(from: Endpoint, to: Endpoint, way: String, source: String)] = [
    (
      pod("app", "web"), pod("app", "client"), "node1 prerouting forward(bridged) postrouting -> app/client",
      "10.42.0.3"
    ),
    (
      pod("app", "web"), pod("other", "client"),
      "node1 prerouting forward postrouting node2 prerouting forward postrouting -> other/client", "10.42.0.3"
    ),
    (pod("app", "web"), .node("node1"), "node1 prerouting input -> node/node1", "10.42.0.3"),
    (
      pod("app", "web"), .node("node2"), "node1 prerouting forward postrouting node2 prerouting input -> node/node2",
      "10.42.0.3"
    ),
    (
      pod("app", "web"), pod("app", "host"),
      "node1 prerouting forward postrouting node2 prerouting input -> node/node2", "10.42.0.3"
    ),
    (pod("app", "web"), .external("far"), "node1 prerouting forward postrouting -> external/far", "10.42.0.3"),
    (.node("node1"), pod("app", "web"), "node1 output postrouting -> app/web", "10.42.0.1"),
    (
      .node("node1"), pod("other", "client"),
      "node1 output postrouting node2 prerouting forward postrouting -> other/client", "10.42.0.0"
    ),
    (pod("app", "host"), pod("other", "client"), "node2 output postrouting -> other/client", "10.42.1.1"),
    (.external("lan"), pod("app", "web"), "node1 prerouting forward postrouting -> app/web", "192.168.1.9"),
    (.external("far"), .node("node1"), "node1 prerouting input -> node/node1", "203.0.113.9"),
    (.external("far"), pod("app", "web"), "no way: far has no route to the pods (routesToPods)", "203.0.113.9"),
  ]

  private static func pod(_ namespace: String, _ name: String) -> Endpoint { .pod(PodID(namespace, name)) }

  @Test("a packet takes the expected path, with the expected source address", arguments: ways.indices)
  func way(index: Int) throws {
    let expected = Self.ways[index]
    let topology = try Self.topology()
    let flow = try #require(topology.flow(from: expected.from, to: expected.to, TransportPort(.tcp, 80), .v4))
    #expect(flow.sourceAddress.description == expected.source)
    var bridged: Set<Position> = []
    let walk = topology.walk(flow) { position, packet in
      if packet.isBridged, position.hook == .forward { bridged.insert(position) }
      return .passed(packet)
    }
    var text = ""
    var node = ""
    for position in walk.positions {
      if position.node != node { text += "\(position.node) " }
      node = position.node
      text += position.hook.rawValue + (bridged.contains(position) ? "(bridged) " : " ")
    }
    switch walk.end {
    case .delivered(let endpoint): text += "-> \(endpoint)"
    case .stopped(let position): text += "stopped at \(position)"
    case .noRoute(let why): text += "no way: \(why)"
    }
    #expect(text == expected.way)
  }

  @Test("a path ends where the rules stop the packet, and a mark does not travel to another node")
  func stoppedAndMarks() throws {
    let topology = try Self.topology()
    let flow = try #require(
      topology.flow(from: Self.pod("app", "web"), to: Self.pod("other", "client"), TransportPort(.tcp, 80), .v4))
    let stop = Position(node: "node2", hook: .forward)
    let walk = topology.walk(flow) { position, packet in
      #expect(packet.mark == (position.node == "node1" && position.hook != .prerouting ? 7 : 0))
      if position == stop { return .stopped }
      var marked = packet
      if position.node == "node1" { marked.mark = 7 }
      return .passed(marked)
    }
    #expect(walk.end == .stopped(at: stop) && walk.verdict == .deny)
  }

  @Test("terminal pods, pods without an address and a second pod with the same address are left out, with the reason")
  func left() throws {
    let pods = """
      apiVersion: v1
      kind: Pod
      metadata: {name: done}
      spec: {nodeName: node1, containers: [{name: c}]}
      status: {phase: Succeeded, podIP: 10.42.0.50, podIPs: [{ip: 10.42.0.50}]}
      ---
      apiVersion: v1
      kind: Pod
      metadata: {name: new}
      spec: {nodeName: node1, containers: [{name: c}]}
      status: {phase: Pending}
      ---
      apiVersion: v1
      kind: Pod
      metadata: {name: twin1}
      spec: {nodeName: node1, containers: [{name: c}]}
      status: {phase: Running, podIP: 10.42.0.60, podIPs: [{ip: 10.42.0.60}]}
      ---
      apiVersion: v1
      kind: Pod
      metadata: {name: twin2}
      spec: {nodeName: node1, containers: [{name: c}]}
      status: {phase: Unknown, podIP: 10.42.0.60, podIPs: [{ip: 10.42.0.60}]}
      """
    let topology = Topology(try readWorld(pods))
    #expect(
      topology.unplaced.map { "\($0.pod): \($0.why)" } == [
        "default/done: its phase is Succeeded", "default/new: it has no address yet",
        "default/twin2: its address 10.42.0.60 belongs to default/twin1",
      ])
  }

  private static func topology() throws -> Topology {
    Topology(try readWorld(SmallWorld.base + hosts))
  }
}
