public import NetpolModel
internal import Statistics

/// A small cluster that a seed stands for, full of borders: addresses at the ends of prefixes, ports at the ends of
/// ranges, labels that nearly match. The same seed is the same world on every machine.
///
/// It states what objects state. What controllers add, endpoint slices of selectors above all, comes with reading its
/// manifest.
public struct World: Hashable, Sendable {
  public let seed: UInt64
  public let cluster: Cluster

  /// So many seeds, from a multiple of the number on, are worlds with the same places (nodes, pods' addresses, hosts
  /// outside): one lab serves them all.
  public static let seedsOnOnePlace: UInt64 = 8

  public init(seed: UInt64) {
    self.seed = seed
    var placing = SplitMix64(seed: seed / Self.seedsOnOnePlace)
    let places = WorldPlaces(&placing)
    var random = SplitMix64(seed: ~seed)
    cluster = places.populated(&random)
  }
}
