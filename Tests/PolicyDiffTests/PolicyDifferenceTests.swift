// Not covered: services, host ports and pods that send packets on. Policies judge none of them.
import Foundation
import NetpolModel
import Oracle
import PolicyDiff
import Statistics
import TestSupport
import Testing
import Worlds

@Suite("The difference of two policy sets") struct PolicyDifferenceTests {
  @Test("is that of the specification flow by flow, for random worlds, addresses and ports")
  func exact() throws {
    let worlds = Int(ProcessInfo.processInfo.environment["NETPOL_WORLDS"] ?? "") ?? 100
    let first = UInt64(ProcessInfo.processInfo.environment["NETPOL_SEED"] ?? "") ?? 1
    var (opened, closed, alike) = (0, 0, 0)
    for seed in first..<first + UInt64(worlds) {
      var random = SplitMix64(seed: seed)
      let old = try readWorld(World(seed: seed).cluster.manifest, asStored: true)
      // A pair of worlds on the same places, or one world with one policy changed.
      var new = old
      if seed % 4 == 0 {
        new = try readWorld(World(seed: seed ^ 1).cluster.manifest, asStored: true)
      } else {
        random.change(&new)
      }
      guard let clusters = ComparedClusters(old: old, new: new) else { continue }
      let difference = PolicyDifference(clusters)
      let space = difference.space
      let oracles = (old: Oracle(clusters.old), new: Oracle(clusters.new))
      let machines = space.ends.indices.filter { space.ends[$0].outside == nil }
      for _ in 0..<400 {
        let question = random.question(space)
        let pair = (0..<2).map { _ in
          random.chance(70) ? random.one(of: machines, else: 0) : random.outside(space)
        }
        let (source, destination) = (pair[0], pair[1])
        guard space.ends[source].family == space.ends[destination].family else { continue }
        // An address of each range, not the one that stands for it.
        let ends = pair.map { random.end($0, space) }
        let verdicts = ComparedClusters.Side.allCases.map { side -> Bool in
          let (from, to) = (ends[0](side), ends[1](side))
          if case .pod = from.endpoint, from == to { return true }
          let flow = Flow(from: from.endpoint, from.address, to: to.endpoint, to.address, question)
          let oracle = side == .old ? oracles.old : oracles.new
          return Direction.allCases.allSatisfy { oracle.judge(flow, $0).verdict == .allow }
        }
        let number = try #require(space.number(of: question))
        let wanted = verdicts[0] == verdicts[1] ? nil : verdicts[1]
        let found = difference.change(source, destination, number)
        #expect(
          found == wanted, "seed \(seed): \(ends[0](.new)) -> \(ends[1](.new)) \(question), \(verdicts)")
        switch wanted {
        case nil: alike += 1
        case true?: opened += 1
        case false?: closed += 1
        }
      }
    }
    print("\(worlds) pairs of worlds: \(opened) flows opened, \(closed) closed, \(alike) alike")
    #expect(opened > worlds && closed > worlds && alike > worlds)
  }
}

extension SplitMix64 {
  /// Changes, adds or removes one policy.
  fileprivate mutating func change(_ cluster: inout Cluster) {
    let number = below(max(cluster.policies.count, 1))
    guard cluster.policies.indices.contains(number) else { return }
    let peers = cluster.policies.flatMap { $0.ingress + $0.egress }
    switch below(5) {
    case 0: cluster.policies.remove(at: number)
    case 1: cluster.policies[number].ingress = some(1, of: peers)
    case 2: cluster.policies[number].egress = some(2, of: peers)
    case 3: cluster.policies[number].isolates = chance(50) ? [.ingress, .egress] : [.egress]
    default:
      var policy = cluster.policies[number]
      policy.id = PolicyID(policy.id.namespace, "another")
      policy.podSelector = .everything
      policy.ingress += some(1, of: peers)
      policy.egress = some(1, of: peers)
      cluster.policies.append(policy)
    }
  }

  fileprivate mutating func question(_ space: DiffSpace) -> Flow.Question {
    let number = below(space.questions.count)
    guard let (transport, range) = space.ports(number) else { return .echo }
    let port = one(of: [range.first, range.last, UInt16(self.number(Int(range.first)...Int(range.last)))], else: 1)
    return .port(TransportPort(transport, port))
  }

  fileprivate mutating func outside(_ space: DiffSpace) -> Int { one(of: space.outside.numbers, else: 0) }

  /// The end as each side sees it.
  fileprivate mutating func end(_ number: Int, _ space: DiffSpace) -> (ComparedClusters.Side) -> Flow.End {
    let end = space.ends[number]
    guard let ranges = end.outside?.ranges, let range = one(of: ranges) else {
      return { Flow.End(end.endpoint, end.address($0)) }
    }
    let width = range.upperBound - range.lowerBound
    for _ in 0..<20 {
      let offset = width == 0 ? 0 : UInt128(next()) << 64 | UInt128(next())
      let bits = range.lowerBound + (width == .max ? offset : offset % (width + 1))
      let address = IPAddress(family: end.family, bits: chance(30) ? range.upperBound : bits)
      if space.number(of: .address(address), address) == number { return { _ in Flow.End(.address(address), address) } }
    }
    return { _ in Flow.End(.address(end.old), end.old) }
  }
}
