/// What a bench of Services measures, and how often.
public struct ServiceBenchOptions: Hashable, Sendable {
  /// Numbers of Services, ascending.
  public var services = [10, 100, 1000, 10_000]
  /// Endpoints of each Service.
  public var endpoints = 1
  /// Rounds of packets. Each measures every probe once through every ruleset.
  public var rounds = 300
  /// Rounds of syncs. Each loads everything once in every way. None if it is 0.
  public var syncs = 7
  /// Of the order of cells, and of the Services that packets go to in turn.
  public var seed: UInt64 = 1

  public init() {}

  public static let syncRange = 0...1000

  var worlds: [ServiceWorld] {
    Set(services).sorted().map { ServiceWorld(services: $0, endpoints: endpoints) }
  }
}
