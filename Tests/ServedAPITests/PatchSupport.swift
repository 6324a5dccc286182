import Manifests
import ServedAPI
import Testing
import Text

/// A value from JSON or YAML text. The reader takes `null` for no document.
func json(_ text: String) throws -> JSON { text == "null" ? .null : try JSON(reading: text, named: "test") }

extension ValueType {
  static func of(_ kind: String, _ apiVersion: String = "v1") throws -> ValueType {
    try #require(ValueType(kind: kind, apiVersion: apiVersion))
  }
}

/// Numbers that are the same in each run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

extension JSON {
  /// Any value. Few names and values, so that two of them have some in common.
  static func random(depth: Int, using random: inout SeededGenerator) -> JSON {
    switch Int.random(in: 0..<(depth > 0 ? 7 : 4), using: &random) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &random))
    case 2: return .integer(Int.random(in: 0..<3, using: &random))
    case 3: return .string(["a", "b", "~1/"].randomElement(using: &random) ?? "")
    case 4:
      return .array((0..<Int.random(in: 0..<4, using: &random)).map { _ in .random(depth: depth - 1, using: &random) })
    default: return randomObject(depth: depth, using: &random)
    }
  }

  static func randomObject(depth: Int, using random: inout SeededGenerator) -> JSON {
    var fields: [String: JSON] = [:]
    for name in ["a", "b", "c/d", "~"] where Bool.random(using: &random) {
      fields[name] = .random(depth: depth - 1, using: &random)
    }
    return .object(fields)
  }
}
