internal import NetpolModel
internal import RuleIR

/// A match of a rule, answered beforehand for all numbers of its axis.
enum ClassTest {
  case source(Numbers)
  case destination(Numbers)
  case question(Numbers)
  case mark(Mark, negated: Bool)
  case states(ConntrackStates)
  case translated
  case bridged
  case codePoint(UInt8)
  case keyed(Int)
}

/// A rule that can match packets of the space.
struct ClassRule {
  var tests: [ClassTest]
  let statements: [PreparedStatement]
  /// Equal for rules of equal origin and meaning, without the pod that they name.
  let name: UInt64
}

/// A lookup in a keyed set or map. Labels divide the numbers of an axis where the set's elements do.
struct ClassQuestion {
  let question: KeyedQuestion
  /// `nil`: the key has no such field.
  var sources, destinations, questions: [UInt32]?
}
