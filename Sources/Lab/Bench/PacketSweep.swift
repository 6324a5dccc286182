internal import Algorithms
public import Lowering
public import NetpolModel

/// The worlds that a packet bench measures, and what is sent in each.
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

  /// Everything at 1,000 pods, and variations around it: fewer pods, more policies, and other numbers of peers.
  public static var usual: PacketSweep {
    PacketSweep([
      Point(BenchWorld(pods: 1000), everyProbe), Point(BenchWorld(pods: 10), mainProbes),
      Point(BenchWorld(pods: 100), mainProbes), Point(BenchWorld(pods: 100, policies: 300), policyProbes),
      Point(BenchWorld(pods: 100, peers: 1), mainProbes), Point(BenchWorld(pods: 100, peers: 200), mainProbes),
      Point(BenchWorld(pods: 100, peerKind: .blocks), mainProbes),
    ])
  }

  /// Every probe in every combination. If no numbers of policies are given, there are as many policies as pods. Worlds
  /// that differ only in pods and policies are next to each other, so that growth is measured in one batch if possible.
  public static func product(
    pods: [Int], policies: [Int], peers: [Int], kinds: [BenchWorld.PeerKind]
  ) -> PacketSweep {
    PacketSweep(
      peers.flatMap { peers in
        kinds.flatMap { kind in
          pods.flatMap { pods in
            (policies.isEmpty ? [pods] : policies).map { policies in
              let world = BenchWorld(pods: pods, policies: policies, peers: peers, peerKind: kind)
              return Point(
                world, everyProbe + (policies > pods ? [BenchProbe(.first, .lastPod, from: .peerOfFirst)] : []))
            }
          }
        }
      })
  }

  /// Each world in each of the families, side by side.
  public func over(_ families: [IPFamily]) -> PacketSweep {
    var sweep = self
    sweep.points = Algorithms.product(points, families).map { point, family in
      var point = point
      point.world.family = family
      return point
    }
    return sweep
  }

  /// The full product of the parameters that `usual` varies.
  public static var full: PacketSweep {
    product(
      pods: [10, 100, 1000, 10_000], policies: [10, 100, 1000], peers: [1, 20, 200],
      kinds: BenchWorld.PeerKind.allCases)
  }

  private static let policyProbes = mainProbes + [BenchProbe(.first, .lastPod, from: .peerOfFirst)]

  /// Maximum number of rulesets that are loaded at once: more would fill caches and take too long.
  private static let mostVariants = 60
  /// Maximum number of pods of all nodes at once. Each style has rules for them: iptables rules and ipsets for 10,000
  /// pods take half a GiB of kernel memory.
  private static let mostPods = 20_000

  /// Points by the run that measures them. Everything within one run can be compared.
  var batches: [[Point]] {
    var batches: [[Point]] = []
    var pods = 0
    for point in points {
      pods += point.world.pods
      let isFull = ((batches.last?.count ?? 0) + 1) * (styles.count + 2) > Self.mostVariants || pods > Self.mostPods
      if batches.isEmpty || isFull {
        batches.append([])
        pods = point.world.pods
      }
      batches[batches.count - 1].append(point)
    }
    return batches
  }
}
