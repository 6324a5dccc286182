// Not covered: JSON for a YAML reader (JSONTextTests).
import Foundation
import Testing
import Text

@Suite("JSON values") struct JSONTests {
  static let texts: [(String, JSON)] = [
    ("null", JSON.null), (" true ", true), ("-0", 0), ("12", 12), ("1.0", 1), ("1.5", .decimal(1.5)),
    ("1e3", 1000), ("9223372036854775807", .integer(.max)), ("1e300", .decimal(1e300)), (#""""#, ""),
    (#""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#, "a\"\\/\u{8}\u{c}\n\r\té😀"), (#""\ud800x""#, "\u{fffd}x"),
    (#""\ud800\u0041""#, "\u{fffd}A"), ("[]", []), ("[1,[2],{}]", [1, [2], [:]]),
    (#"{"a":{"b":[null]},"c":"d"}"#, ["a": ["b": [.null]], "c": "d"]), ("\"é\"", "é"),
  ]

  @Test("a text is read to its value", arguments: texts)
  func reading(text: String, value: JSON) throws { #expect(try JSON(parsing: text) == value) }

  @Test(
    "what is no JSON is refused",
    arguments: [
      "", " ", "{", "[", "[1", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}", "01", "-", "1.",
      ".5", "1e", "+1", "nul", "True", "\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\n\"", "1 2", "{} {}", "[1 2]",
      "{\"a\":1 \"b\":2}", "// x", "{\"a\":1,\"a\":2}", "NaN", "1e999", "\u{feff}{}",
    ])
  func refusal(text: String) { #expect(throws: NotJSON.self) { try JSON(parsing: text) } }

  @Test("values that are nested too deeply are refused, and no others") func depth() throws {
    let nested = { (depth: Int) in String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    #expect(throws: NotJSON.self) { try JSON(parsing: nested(100_000)) }
    _ = try JSON(parsing: nested(900))
  }

  @Test("a random value is written and read back, here and by another reader") func roundTrip() throws {
    var random = SystemRandomNumberGenerator()
    func value(_ depth: Int) -> JSON {
      switch Int.random(in: 0..<(depth > 3 ? 5 : 7), using: &random) {
      case 0: return .null
      case 1: return .bool(.random(using: &random))
      case 2: return .integer(.random(in: .min ... .max, using: &random))
      case 3: return .decimal(.random(in: 0.001...0.999, using: &random))
      case 4:
        let scalars = (0..<Int.random(in: 0..<12, using: &random)).map { _ in
          Unicode.Scalar(UInt32.random(in: 0..<0x3000, using: &random)) ?? "x"
        }
        return .string(String(String.UnicodeScalarView(scalars)))
      case 5: return .array((0..<Int.random(in: 0..<4, using: &random)).map { _ in value(depth + 1) })
      default:
        return .object(
          Dictionary(
            (0..<Int.random(in: 0..<4, using: &random)).map { ("k\($0)\"\n", value(depth + 1)) }
          ) { first, _ in first })
      }
    }
    for _ in 0..<300 {
      let json = JSON.array([value(0)])
      #expect(try JSON(parsing: json.bytes) == json)
      #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(json.bytes)) }
    }
  }
}
