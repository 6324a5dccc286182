import Manifests
import NetpolModel
import Testing
import Worlds

@Suite("Random worlds")
struct WorldTests {
  private static let worlds = (0..<200).map { World(seed: $0) }

  @Test("the same seed gives the same world, and another seed another world")
  func seeds() {
    for world in Self.worlds { #expect(World(seed: world.seed) == world) }
    #expect(Set(Self.worlds.map(\.cluster)).count == Self.worlds.count)
  }

  @Test("worlds are the same on every machine and with every compiler")
  func stable() {
    let text = World(seed: 1).cluster.manifest
    let sum = text.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    #expect(sum == 7_627_039_537_356_259_098, "changing the generator changes all seeds: note it in docs/fuzzing.md")
  }

  @Test(
    "a world's manifest reads back as the world, except for what a reader adds: slices and balancers with ipMode Proxy")
  func roundTrip() throws {
    for world in Self.worlds {
      var read = try cluster(world.cluster.manifest)
      let stated = Set(world.cluster.endpointSlices.map(\.id))
      read.endpointSlices.removeAll { !stated.contains($0.id) }
      let hosts = Set(world.cluster.externalHosts.map(\.name))
      read.externalHosts.removeAll { !hosts.contains($0.name) }
      #expect(read == world.cluster, "seed \(world.seed)")
    }
  }

  @Test("a cluster that was read and written reads back the same, slices included")
  func whole() throws {
    for world in Self.worlds {
      let read = try cluster(world.cluster.manifest)
      let again = try cluster(read.manifest)
      #expect(read == again, "seed \(world.seed)")
    }
  }

  @Test("seeds on one place differ in objects, but not in places")
  func places() {
    for group in stride(from: 0, to: Self.worlds.count, by: Int(World.seedsOnOnePlace)) {
      let worlds = Self.worlds[group..<min(group + Int(World.seedsOnOnePlace), Self.worlds.count)]
      #expect(Set(worlds.map(\.cluster.nodes)).count == 1)
      #expect(Set(worlds.map(\.cluster.externalHosts)).count == 1)
      #expect(Set(worlds.map { $0.cluster.pods.map(\.podIPs) }).count == 1)
      #expect(Set(worlds.map { $0.cluster.services.map(\.announcedAddresses) }).count == 1)
    }
  }

  @Test("features that are rare in clusters are common here")
  func variety() {
    let clusters = Self.worlds.map(\.cluster)
    let pods = clusters.flatMap(\.pods)
    let rules = clusters.flatMap(\.policies).flatMap { $0.ingress + $0.egress }
    let ports = rules.flatMap(\.ports.list)
    let blocks = rules.flatMap(\.peers.list).compactMap { peer in
      if case .block(let block) = peer { block } else { nil }
    }
    let services = clusters.flatMap(\.services)
    let counts: [(String, Int)] =
      [
        ("terminal pods", pods.count { $0.phase.isTerminal }), ("pending pods", pods.count { $0.phase == .pending }),
        ("pods without an address", pods.count { $0.podIPs.isEmpty }),
        ("host-network pods", pods.count(where: \.hostNetwork)),
        (
          "pods with a name for two numbers",
          pods.count { pod in
            pod.ports.contains { port in port.name.map { pod.numbers(named: $0, port.transport).count > 1 } ?? false }
          }
        ),
        ("ranges", ports.count { if case .number(let first, let last?) = $0.number { last > first } else { false } }),
        ("protocols alone", ports.count { $0.number == .any }), ("SCTP", ports.count { $0.transport == .sctp }),
        (
          "excepts in excepts",
          blocks.count { block in
            block.except.contains { outer in block.except.contains { $0 != outer && outer.contains($0) } }
          }
        ),
        ("IPv6 blocks", blocks.count { $0.cidr.family == .v6 }),
        ("headless services", services.count { $0.kind == .clusterIP && $0.clusterIPs.isEmpty }),
        ("clusters without bridge netfilter", clusters.count { !$0.settings.bridgeNetfilter }),
        ("clusters without an overlay", clusters.count { $0.settings.overlay == .hostGateway }),
        ("default-deny", clusters.count(where: \.settings.defaultDeny)),
      ] + Service.Kind.allCases.map { kind in (kind.rawValue, services.count { $0.kind == kind }) }
    for (name, count) in counts { #expect(count >= 3, "\(name): \(count)") }
  }

  /// The cluster as read, without source locations.
  private func cluster(_ text: String) throws -> Cluster {
    try readManifests(
      [ManifestSource(name: "world.yaml", text: text)], options: ReadOptions(validation: .asStored)
    ).cluster.unlocated
  }
}
