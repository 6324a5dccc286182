// What this does not show: the service rows, and rules that the lowering does not write (RecordedVerdictTests, dumps).
import Apply
import Comparison
import Foundation
import Kernel
import Lab
import Lowering
import NetpolModel
import Path
import Testing

@Suite(
  "Packets of a real node, sent again", .serialized,
  .enabled(
    if: Privilege.canMakeNamespaces || ProcessInfo.processInfo.environment["REQUIRE_NETNS"] == "1",
    "needs root or unshare -Urnm"))
struct RecordedPacketsTests {
  /// A quarter of the cases in turn; with NETPOL_CONFORMANCE=all, or folders in NETPOL_GOLDEN, every one.
  static let cases: [RecordedCase] = {
    let environment = ProcessInfo.processInfo.environment
    if environment["NETPOL_CONFORMANCE"] == "all" || environment["NETPOL_GOLDEN"] != nil { return RecordedCase.all }
    return RecordedCase.all.enumerated().filter { ($0.offset + $0.offset / 12) % 4 == 0 }.map(\.element)
  }()

  @Test("the kernel opens with our rules exactly what the real controller's opened", arguments: cases)
  func agrees(recorded: RecordedCase) async throws {
    let known = try recorded.cluster()
    let unknown = try recorded.probeAddresses()
    let rows = try recorded.rows().filter { !$0.src.contains("service") && !$0.dst.contains("service") }
    // What was there, whether or not the controller knew: pods that had finished, addresses without a status.
    var world = known
    for index in world.pods.indices {
      world.pods[index].phase = .running
      world.pods[index].hostNetwork = false
      if let address = unknown[world.pods[index].id.description] { world.pods[index].podIPs = [address] }
    }
    world.nodes[0].addresses += ["fd00:20::11", "2001:db8:20::11", "fc00:20::11"].compactMap { IPAddress($0) }
    let hosts = Set(rows.flatMap { [$0.src, $0.dst] }.compactMap { RecordedCase.lanAddress($0) })
    world.externalHosts = [ExternalHost(name: "lan", addresses: hosts.sorted(), routesToPods: true)]
    let families: [IPFamily] = rows.contains { $0.src.contains("v6") || $0.dst.contains("v6") } ? [.v4, .v6] : [.v4]
    if families.count == 1 { world.nodes[0].addresses.removeAll { $0.family == .v6 } }
    let topology = Topology(world)
    var view = NodeView(of: try #require(known.node("node1")), in: known)
    view.families = families
    let rules = recorded.style.lower(view).ruleset
    let flows = try rows.map { row in
      try #require(recorded.flow(row, world, topology), "\(row)")
    }
    let observations = try await onThread {
      let worker = try NamespaceWorker()
      let fabric = try Fabric(topology, families: families, bridgeNetfilter: true, worker: worker)
      try RuleLoader(worker: worker).load(rules, in: try #require(fabric.namespace(ofNode: "node1")))
      return try KernelEngine(fabric).observe(flows)
    }
    for (row, observation) in zip(rows, observations) {
      #expect(observation.answer == .verdict(row.verdict == "open" ? .allow : .deny), "\(row): \(observation)")
    }
    #expect(!rows.isEmpty)
  }
}

/// On a thread of its own: the pool has two, and other tests wait for them.
private func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    Thread { continuation.resume(with: Result { try body() }) }.start()
  }
}

extension RecordedCase {
  /// `(lan host ADDRESS)`
  static func lanAddress(_ text: String) -> IPAddress? {
    text.hasPrefix("(lan host ") ? IPAddress(String(text.dropFirst(10).dropLast())) : nil
  }

  fileprivate func flow(_ row: Row, _ cluster: Cluster, _ topology: Topology) -> Flow? {
    guard let transport = Transport(rawValue: row.proto.uppercased()) else { return nil }
    let isIPv6 = [row.src, row.dst].contains { $0.contains("v6") || $0.contains("::") }
    let endpoint = { (text: String) -> Endpoint? in
      if Self.lanAddress(text) != nil { return .external("lan") }
      if text.hasPrefix("(node") { return .node("node1") }
      let parts = text.replacingOccurrences(of: " v6", with: "").split(separator: "/").map(String.init)
      return parts.count == 2 ? .pod(PodID(parts[0], parts[1])) : nil
    }
    guard let from = endpoint(row.src), let to = endpoint(row.dst) else { return nil }
    return topology.flow(
      from: from, to: to, TransportPort(transport, row.port), isIPv6 ? .v6 : .v4,
      sourceAddress: Self.lanAddress(row.src), destinationAddress: Self.lanAddress(row.dst))
  }
}
