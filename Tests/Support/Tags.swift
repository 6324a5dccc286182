package import Testing

// `swift test` filters by names, not by tags. So each target has a suite `Slow` or `Alone` with that tag, which
// contains the suites of that kind. Their names begin with it.
extension Tag {
  /// Computes for minutes and would delay tests that send packets.
  @Tag package static var slow: Self
  /// Measures time or costs, with threads that have priority over all others. These tests run one at a time, with
  /// nothing else in parallel.
  @Tag package static var alone: Self
}
