public import NetpolModel
internal import Statistics

/// A small cluster generated from a seed, full of edge cases: addresses at the ends of prefixes, ports at the ends of
/// ranges, labels that nearly match. The same seed gives the same world on every machine.
///
/// The world contains only what objects state. What controllers add, mainly endpoint slices for selectors, is added
/// when the manifest is read.
public struct World: Hashable, Sendable {
  public let seed: UInt64
  public let cluster: Cluster

  /// This many consecutive seeds, starting at a multiple of this number, are worlds with the same places (nodes, pod
  /// addresses, external hosts). One lab can serve all of them.
  public static let seedsOnOnePlace: UInt64 = 8

  public init(seed: UInt64) {
    self.seed = seed
    var placing = SplitMix64(seed: seed / Self.seedsOnOnePlace)
    let places = WorldPlaces(&placing)
    var random = SplitMix64(seed: ~seed)
    var cluster = places.populated(&random)
    WaysIn.add(to: &cluster, seed: seed)
    self.cluster = cluster
  }
}
