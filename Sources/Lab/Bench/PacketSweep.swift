public import Lowering

/// What a packet bench goes over: worlds, and what is sent in each.
public struct PacketSweep: Sendable {
  public struct Point: Hashable, Sendable {
    public var world: BenchWorld
    public var probes: [BenchProbe]
    public init(_ world: BenchWorld, _ probes: [BenchProbe]) {
      self.world = world
      self.probes = probes
    }
  }

  public var points: [Point]
  public var styles: [EnforcementStyle]
  public var rounds: Int

  public init(_ points: [Point], styles: [EnforcementStyle] = EnforcementStyle.all, rounds: Int = 300) {
    self.points = points
    self.styles = styles
    self.rounds = rounds
  }

  static let everyProbe: [BenchProbe] = [
    BenchProbe(.established, .firstPod), BenchProbe(.established, .lastPod), BenchProbe(.established, .spread),
    BenchProbe(.first, .firstPod), BenchProbe(.first, .lastPod), BenchProbe(.first, .spread),
    BenchProbe(.first, .lastPod, from: .stranger), BenchProbe(.established, .lastPod, .bridged),
    BenchProbe(.first, .lastPod, .bridged),
  ]
  static let mainProbes: [BenchProbe] = [
    BenchProbe(.established, .lastPod), BenchProbe(.established, .spread), BenchProbe(.first, .lastPod),
    BenchProbe(.first, .spread),
  ]

  /// Everything at 1,000 pods, and the rest around it: fewer pods, more policies, and other numbers of peers.
  public static var usual: PacketSweep {
    PacketSweep([
      Point(BenchWorld(pods: 1000), everyProbe), Point(BenchWorld(pods: 10), mainProbes),
      Point(BenchWorld(pods: 100), mainProbes), Point(BenchWorld(pods: 100, policies: 300), policyProbes),
      Point(BenchWorld(pods: 100, peers: 1), mainProbes), Point(BenchWorld(pods: 100, peers: 200), mainProbes),
      Point(BenchWorld(pods: 100, peerKind: .blocks), mainProbes),
    ])
  }

  /// Every probe in every combination; without numbers of policies as many as pods.
  public static func product(
    pods: [Int], policies: [Int], peers: [Int], kinds: [BenchWorld.PeerKind]
  ) -> PacketSweep {
    PacketSweep(
      pods.flatMap { pods in
        (policies.isEmpty ? [pods] : policies).flatMap { policies in
          peers.flatMap { peers in
            kinds.map { kind in
              let world = BenchWorld(pods: pods, policies: policies, peers: peers, peerKind: kind)
              return Point(
                world, everyProbe + (policies > pods ? [BenchProbe(.first, .lastPod, from: .peerOfFirst)] : []))
            }
          }
        }
      })
  }

  /// The full product of what `usual` goes over.
  public static var full: PacketSweep {
    product(
      pods: [10, 100, 1000, 10_000], policies: [10, 100, 1000], peers: [1, 20, 200],
      kinds: BenchWorld.PeerKind.allCases)
  }

  private static let policyProbes = mainProbes + [BenchProbe(.first, .lastPod, from: .peerOfFirst)]

  /// Points that are measured in one run, so that all of it can be compared. A node with many pods takes the memory of many
  /// without, and no more rulesets stand at once than caches and patience bear.
  var batches: [[Point]] {
    let mostVariants = 60
    let inOne = max(1, mostVariants / (styles.count + 2))
    return stride(from: 0, to: points.count, by: inOne).map { Array(points[$0..<min($0 + inOne, points.count)]) }
  }
}
