// Not covered: patches of files (ManifestTests), and packets (RunTests).
import Dispatch
import Foundation
import Manifests
import NetpolModel
import Oracle
import Path
import PolicyDiff
import Statistics
import Synchronization
import TestSupport
import Testing
import Worlds

@testable import Remedies

@Suite("The smallest change") struct SmallestChangeTests {
  /// A random world. In every other one each namespace refuses everything in both directions, so that both ends of a flow
  /// refuse it.
  static func world(_ seed: UInt64) -> Cluster {
    var cluster = World(seed: seed).cluster
    if seed.isMultiple(of: 2) {
      cluster.policies += cluster.namespaces.map {
        NetworkPolicy(id: PolicyID($0.name, "deny"), isolates: [.ingress, .egress])
      }
    }
    return cluster
  }

  /// Flows of a world that policies refuse and nothing else.
  static func refused(_ cluster: Cluster, seed: UInt64, count: Int) -> [Flow] {
    let topology = Topology(cluster)
    let ends =
      cluster.pods.filter { !$0.hostNetwork }.map { Endpoint.pod($0.id) } + cluster.nodes.map { .node($0.name) }
      + cluster.externalHosts.map { .external($0.name) }
    let targets = ends + cluster.services.map { .service($0.id) }
    var random = SplitMix64(seed: seed)
    let numbers = cluster.pods.flatMap(\.ports).map(\.number) + [80, 443]
    var flows: [Flow] = []
    for _ in 0..<count * 30 where flows.count < count {
      let port = Flow.Question.port(
        TransportPort(random.one(of: Transport.allCases, else: .tcp), random.one(of: numbers, else: 80)))
      guard let source = random.one(of: ends), let destination = random.one(of: targets), source != destination,
        let flow = topology.flow(
          from: source, to: destination, random.chance(90) ? port : .echo, random.one(of: cluster.families, else: .v4)),
        !flows.contains(flow), RemedySearch(cluster, flow).isUpToPolicies
      else { continue }
      flows.append(flow)
    }
    return flows
  }

  @Test("every flow that policies alone refuse gets an edit that works, in the files too")
  func randomWorlds() throws {
    let environment = ProcessInfo.processInfo.environment
    let worlds = Int(environment["NETPOL_WORLDS"] ?? "") ?? 100
    let first = UInt64(environment["NETPOL_SEED"] ?? "") ?? 30_000
    let asked = Mutex((flows: 0, double: 0))
    DispatchQueue.concurrentPerform(iterations: worlds) { number in
      let seed = first + UInt64(number)
      do {
        let text = Self.world(seed).manifest
        var options = ReadOptions()
        options.validation = .asStored
        let reading = try readManifests([ManifestSource(name: "world", text: text)], options: options)
        for flow in Self.refused(reading.cluster, seed: seed, count: 3) {
          let found = RemedySearch(reading.cluster, flow, mostPriced: 8).allowing()
          #expect(!found.isEmpty, "seed \(seed): \(flow)")
          for remedy in found {
            #expect(Oracle(remedy.cluster).judge(flow).verdict == .allow, "seed \(seed): \(flow) \(remedy.edits)")
            // The row of the flow itself is opened.
            #expect(!remedy.difference.opened.isEmpty, "seed \(seed): \(flow) \(remedy.edits)")
          }
          guard let best = found.first else { continue }
          let patch = reading.patch(best.edits)
          let verdict = patch.map { Oracle($0.reading.cluster).judge(flow).verdict }
          #expect(verdict == Verdict.allow, "seed \(seed): \(flow) \(best.edits)")
          asked.withLock { $0 = ($0.flows + 1, $0.double + (best.cost.edits > 1 ? 1 : 0)) }
        }
      } catch {
        Issue.record("seed \(seed): \(error)")
      }
    }
    let counts = asked.withLock { $0 }
    #expect(counts.flows > worlds && counts.double > 0, "\(counts)")
  }

  @Test("the other flows that a change opens and closes are those that a walk over all flows finds")
  func otherFlows() throws {
    for seed in UInt64(31_000)..<31_012 {
      let cluster = try readWorld(Self.world(seed).manifest, asStored: true)
      for flow in Self.refused(cluster, seed: seed, count: 1) {
        for remedy in RemedySearch(cluster, flow, mostPriced: 6).allowing() {
          let (old, new) = (Oracle(cluster), Oracle(remedy.cluster))
          let space = remedy.difference.space
          var found = 0
          for source in space.ends.indices {
            for destination in space.ends.indices where !space.isUndisputed(source, destination) {
              for (number, question) in space.questions.enumerated() {
                let asked = remedy.difference.flow(source, destination, question, .new)
                let allows = { (oracle: Oracle) in
                  Direction.allCases.allSatisfy { oracle.judge(asked, $0).verdict == .allow }
                }
                let change: Bool? = allows(old) == allows(new) ? nil : allows(new)
                if change != nil { found += 1 }
                #expect(
                  remedy.difference.change(source, destination, number) == change,
                  "seed \(seed): \(asked) \(remedy.edits)")
              }
            }
          }
          #expect(found > 0)
        }
      }
    }
  }

  @Test("an allowed flow names the removals that stop it, and an unneeded one is none of them")
  func closing() throws {
    var (closed, none) = (0, 0)
    for seed in UInt64(32_000)..<32_040 {
      let cluster = try readWorld(Self.world(seed).manifest, asStored: true)
      let (oracle, topology) = (Oracle(cluster), Topology(cluster))
      for source in cluster.pods.prefix(4) {
        for destination in cluster.pods.prefix(4) where source.id != destination.id {
          guard
            let flow = topology.flow(
              from: .pod(source.id), to: .pod(destination.id), TransportPort(.tcp, 80), cluster.families[0]),
            oracle.judge(flow).verdict == .allow
          else { continue }
          let found = RemedySearch(cluster, flow).closing()
          for remedy in found { #expect(Oracle(remedy.cluster).judge(flow).verdict == .deny, "seed \(seed): \(flow)") }
          // All removals of one rule, policy, peer or port.
          let stops = cluster.policies.contains { policy in
            let removed = Oracle(cluster.applying([.removePolicy(policy.id)])).judge(flow).verdict == .deny
            return removed
              || Direction.allCases.contains { direction in
                policy.rules(direction).indices.contains { index in
                  Oracle(cluster.applying([.removeRule(.init(policy.id, direction, index))])).judge(flow).verdict
                    == .deny
                }
              }
          }
          #expect(stops != found.isEmpty, "seed \(seed): \(flow)")
          if found.isEmpty { none += 1 } else { closed += 1 }
        }
      }
    }
    #expect(closed > 10 && none > 10, "\(closed) \(none)")
  }

  struct Field: CustomTestStringConvertible {
    let folder, from, to: String
    let port: TransportPort
    let text: String
    var testDescription: String { "\(folder): \(from) -> \(to)" }
  }

  static let fields: [Field] = [
    Field(
      folder: "35-metadata-egress", from: "ci/runner", to: "169.254.169.254", port: TransportPort(.tcp, 80),
      text: "addRule"),
    Field(
      folder: "37-kubeadm-cidr", from: "a/c", to: "service/kube-system/kube-dns", port: TransportPort(.udp, 53),
      text: "addPeer"),
    Field(
      folder: "38-nodeport-egress", from: "reg/builder", to: "node/n2", port: TransportPort(.tcp, 30500),
      text: "addRule"),
  ]

  @Test("a report from the field gets the change that its users needed, which opens no other flow", arguments: fields)
  func field(_ row: Field) throws {
    let cluster = try field(row.folder)
    let to = try EndpointReference(row.to)
    let known = cluster.addingHosts(sending: [], receiving: [to.address].compactMap(\.self)).cluster
    let source = try #require(Endpoint(EndpointReference(row.from)))
    let flow = try #require(
      Topology(known).flow(from: source, to: Endpoint(to) ?? .external(row.to), row.port, .v4))
    let best = try #require(RemedySearch(known, flow).allowing().first)
    #expect("\(best.edits)".hasPrefix("[NetpolModel.UnitEdit.\(row.text)"), "\(best.edits)")
    #expect(best.cost.edits == 1 && best.cost.opened == 0 && best.cost.closed == 0)
    #expect(best.otherRows.isEmpty)
  }

  @Test("of an init container's flow, the rule that admits it is the one whose removal stops it")
  func initContainer() throws {
    let cluster = try field("40-init-pending")
    for (sender, rule) in [(PodID("init", "app"), 0), (PodID("bare", "x"), 1)] {
      let flow = try #require(
        Topology(cluster).flow(from: .pod(sender), to: .pod(PodID("init", "db")), TransportPort(.tcp, 5432), .v4))
      let found = RemedySearch(cluster, flow).closing()
      let expected = UnitEdit.removeRule(.init(PolicyID("init", "db"), .ingress, rule))
      #expect(found.map(\.edits) == [[expected]])
    }
  }

  private func field(_ folder: String) throws -> Cluster {
    try readWorld(
      String(
        contentsOf: repository.appendingPathComponent("Tests/Fixtures/field/\(folder)/world.yaml"), encoding: .utf8))
  }
}
