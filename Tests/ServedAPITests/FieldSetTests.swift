// Not covered: sets of whole objects (ApplyPatchTests).
import ServedAPI
import Testing
import Text

@Suite("Sets of fields") struct FieldSetTests {
  static func set(_ text: String) throws -> FieldSet { try #require(FieldSet(fieldsV1: json(text))) }

  @Test(
    "FieldsV1 is read, and written as it was",
    arguments: [
      ("{}", []),
      (#"{"f:spec":{"f:replicas":{}}}"#, [".spec.replicas"]),
      (#"{"f:a":{".":{},"f:b":{}}}"#, [".a", ".a.b"]),
      (
        #"{"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:image":{}}}}"#,
        [#".containers[name="web"]"#, #".containers[name="web"].image"#]
      ),
      (
        #"{"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{}}}"#,
        [#".ports[containerPort=80,protocol="TCP"]"#]
      ),
      (#"{"f:finalizers":{"v:\"a\"":{}, "v:1":{}}}"#, [#".finalizers[="a"]"#, ".finalizers[=1]"]),
      (#"{"f:list":{"i:0":{}}}"#, [".list[0]"]),
      // Text that YAML takes for something else without quotes.
      (
        #"{"k:{\"a\":\"no\",\"b\":\"1\"}":{},"v:\"~\"":{},"v:\"a: b\"":{},"v:true":{}}"#,
        [#"[="a: b"]"#, #"[="~"]"#, "[=true]", #"[a="no",b="1"]"#]
      ),
    ] as [(String, [String])]) func fieldsV1(text: String, paths: [String]) throws
  {
    let set = try Self.set(text)
    #expect(set.paths == paths)
    #expect(try set.fieldsV1 == json(text))
  }

  @Test(
    "what is no FieldsV1 is refused",
    arguments: [
      "[]", #"{"spec":{}}"#, #"{"f:spec":1}"#, #"{"k:x":{}}"#, #"{"k:[1]":{}}"#, #"{"v:":{}}"#, #"{"i:x":{}}"#,
      #"{"":{}}"#, #"{"x:a":{}}"#, #"{"f:a":{".":{},"f:b":null}}"#,
    ]) func refused(text: String) throws
  {
    #expect(FieldSet(fieldsV1: try json(text)) == nil)
  }

  @Test("union, intersection and difference are those of the paths") func operations() throws {
    var random = SeededGenerator(state: 5)
    for _ in 0..<500 {
      let (a, b) = (FieldSet.random(depth: 4, using: &random), FieldSet.random(depth: 4, using: &random))
      let (one, other) = (Set(a.paths), Set(b.paths))
      #expect(Set(a.union(b).paths) == one.union(other))
      #expect(Set(a.intersection(b).paths) == one.intersection(other))
      #expect(Set(a.subtracting(b).paths) == one.subtracting(other))
      #expect(a.subtracting(a).isEmpty && a.subtracting(a) == FieldSet())
      #expect(FieldSet(fieldsV1: a.fieldsV1) == a)
    }
  }
}

extension FieldSet {
  fileprivate static func random(depth: Int, using random: inout SeededGenerator) -> FieldSet {
    var json: [String: JSON] = [:]
    for key in [".", "f:a", "v:1", #"k:{"x":"y"}"#] where Bool.random(using: &random) {
      json[key] = key == "." || depth == 0 ? .empty : FieldSet.random(depth: depth - 1, using: &random).fieldsV1
    }
    // The object itself is no field.
    if depth == 4 { json["."] = nil }
    return FieldSet(fieldsV1: .object(json)) ?? FieldSet()
  }
}
