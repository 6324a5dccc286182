package import Testing

// `swift test` filters by names, not by tags. So each kind is a suite `Slow` or `Alone` of its target, which has the tag
// and holds the suites of that kind: their names begin with it.
extension Tag {
  /// Computes for minutes, and would keep tests with packets waiting.
  @Tag package static var slow: Self
  /// Measures time or costs, with threads that run before all others: one after the other, and nothing beside them.
  @Tag package static var alone: Self
}
