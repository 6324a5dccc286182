// What this does not show: speed (`netpol-lab bench engines` measures it), and worlds of thousands of pods.
import Enforcement
import EngineComparison
import Foundation
import Lowering
import NetpolModel
import Oracle
import Path
import Statistics
import TestSupport
import Testing
import Worlds

extension Slow {
  @Suite("Verdicts in batches") struct EnforcedBatchTests {
    /// A cluster with its endpoints, and with ports at and beside the ends of the port ranges in its policies.
    private struct Case {
      let cluster: Cluster
      let topology: Topology
      let endpoints: [Endpoint]
      let ports: [TransportPort]

      init(_ cluster: Cluster) {
        self.cluster = cluster
        topology = Topology(cluster)
        // A batch can't judge nodes and services, and has to notice that.
        endpoints =
          cluster.pods.map { .pod($0.id) } + cluster.externalHosts.map { .external($0.name) }
          + cluster.nodes.prefix(1).map { .node($0.name) } + cluster.services.prefix(1).map { .service($0.id) }
        var ports: Set<TransportPort> = [TransportPort(.tcp, 443), TransportPort(.sctp, 1)]
        let rules = cluster.policies.flatMap { $0.ingress + $0.egress }
        for case let rule in rules.flatMap(\.ports.list) {
          guard case .number(let first, let through) = rule.number else { continue }
          let last = through ?? first
          for port in [first &- 1, first, last, last &+ 1] { ports.insert(TransportPort(rule.transport, port)) }
        }
        for port in cluster.pods.flatMap(\.ports) { ports.insert(TransportPort(port.transport, port.number)) }
        self.ports = ports.sorted()
      }

      static func world(_ seed: UInt64) throws -> Case {
        let text = World(seed: seed).cluster.manifest
        return Case(try readWorld(text, asStored: true))
      }

      /// Numbers of the endpoints that a batch can judge: pods with a place and an address of the family, and hosts
      /// outside that have a route to pods.
      private func plain(_ family: IPFamily) -> [Int] {
        endpoints.indices.filter { number in
          guard topology.address(of: endpoints[number], family) != nil else { return false }
          return switch endpoints[number] {
          case .pod(let id): topology.pods[id] != nil
          case .external(let name): topology.externals.contains { $0.name == name && $0.routesToPods }
          case .node, .service, .virtualAddress, .address: false
          }
        }
      }

      /// Nine of ten flows are between different endpoints that a batch can judge, if there are any.
      func flows(_ count: Int, _ family: IPFamily, seed: UInt64) -> [NumberedFlow] {
        var random = SplitMix64(seed: seed)
        let all = Array(endpoints.indices)
        let plain = plain(family)
        return (0..<count).compactMap { number in
          let ends =
            number % 10 > 0 && plain.count > 1
            ? random.some(2, of: plain) : random.some(1, of: all) + random.some(1, of: all)
          guard let source = ends.first, let destination = ends.last, let port = random.some(1, of: ports).first
          else { return nil }
          return NumberedFlow(from: source, to: destination, port.transport, port.port)
        }
      }
    }

    /// Returns the flows on which batches and single evaluation disagree, how often each verdict occurred, and how many
    /// flows were walked one by one.
    private static func differences(
      _ world: Case, _ style: EnforcementStyle, flows count: Int, seed: UInt64
    ) throws -> (texts: [String], verdicts: [Verdict?: Int], walked: Int) {
      let enforced = try EnforcedCluster(world.cluster, world.topology, style, versionStamp: "1")
      var texts: [String] = []
      var verdicts: [Verdict?: Int] = [:]
      var walked = 0
      for family in world.cluster.families {
        var batch = EnforcedBatch(enforced, family, endpoints: world.endpoints)
        let flows = world.flows(count, family, seed: seed)
        for (flow, verdict) in zip(flows, batch.verdicts(of: flows)) {
          let expected = batch.flow(flow).flatMap(enforced.verdict)
          verdicts[verdict, default: 0] += 1
          if expected != verdict {
            let name = batch.flow(flow)?.description ?? "\(flow)"
            texts.append("\(style.name) seed \(seed): \(name): batch \(verdict as Any), one by one \(expected as Any)")
          }
        }
        walked += batch.walked
        let oracle = Oracle(world.cluster)
        let addresses = world.endpoints.map { world.topology.address(of: $0, family) }
        let oracleBatch = OracleBatch(oracle, endpoints: world.endpoints, addresses: addresses)
        for (flow, verdict) in zip(flows, oracleBatch.verdicts(of: flows))
        where oracleBatch.flow(flow).map({ oracle.judge($0).verdict }) != verdict {
          texts.append("oracle, seed \(seed): \(flow): batch \(verdict as Any)")
        }
      }
      return (texts, verdicts, walked)
    }

    @Test(
      "batches give the verdicts of evaluator and oracle: in 60 worlds with one style each, in 20 with all styles")
    func worlds() async throws {
      var verdicts: [Verdict?: Int] = [:]
      var walked = 0
      for seed in 0..<UInt64(60) {
        let world = try Case.world(seed)
        let styles = EnforcementStyle.all
        for (index, style) in styles.enumerated() where seed < 20 || Int(seed) % styles.count == index {
          let found = try Self.differences(world, style, flows: 60, seed: seed)
          #expect(found.texts.isEmpty, "\(found.texts.prefix(3))")
          verdicts.merge(found.verdicts, uniquingKeysWith: +)
          walked += found.walked
        }
      }
      let asked = verdicts.values.reduce(0, +)
      #expect(verdicts[.allow, default: 0] > asked / 10 && verdicts[.deny, default: 0] > asked / 20)
      #expect(walked < asked / 5, "\(walked) of \(asked) flows were walked one by one")
    }
  }
}
