// Not covered: which kinds of patches the server takes for which types (APIServerTests).
import ServedAPI
import Testing
import Text

@Suite("JSON merge patches") struct MergePatchTests {
  @Test(
    "the examples of RFC 7396 come out as it says",
    arguments: [
      (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
      (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
      (#"{"a":"b"}"#, #"{"a":null}"#, #"{}"#),
      (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
      (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
      (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
      (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
      (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#),
      (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#),
      (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#),
      (#"{"a":"foo"}"#, #"null"#, #"null"#),
      (#"{"a":"foo"}"#, #""bar""#, #""bar""#),
      (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#),
      (#"[1,2]"#, #"{"a":"b","c":null}"#, #"{"a":"b"}"#),
      (#"{}"#, #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
      // Section 3.
      (
        #"{"title":"Goodbye!","author":{"givenName":"John","familyName":"Doe"},"tags":["example","sample"],"content":"x"}"#,
        #"{"title":"Hello!","phoneNumber":"+01-123-456-7890","author":{"familyName":null},"tags":["example"]}"#,
        #"{"title":"Hello!","author":{"givenName":"John"},"tags":["example"],"content":"x","phoneNumber":"+01-123-456-7890"}"#
      ),
    ]) func examples(original: String, patch: String, result: String) throws
  {
    #expect(try json(original).merging(json(patch)) == json(result))
  }

  @Test("the difference of two objects, merged into one, makes the other") func roundTrip() {
    var random = SeededGenerator(state: 7396)
    for _ in 0..<500 {
      let old = JSON.randomObject(depth: 4, using: &random).withoutNulls
      let new = JSON.randomObject(depth: 4, using: &random).withoutNulls
      let patch = Self.difference(old, new)
      #expect(old.merging(patch) == new)
      #expect(new.merging(patch) == new)
    }
  }

  /// What makes one value the other, by RFC 7396.
  static func difference(_ old: JSON, _ new: JSON) -> JSON {
    guard case .object(let before) = old, case .object(let after) = new else { return new }
    var patch: [String: JSON] = before.filter { after[$0.key] == nil }.mapValues { _ in .null }
    for (name, value) in after where before[name] != value {
      patch[name] = before[name].map { difference($0, value) } ?? value
    }
    return .object(patch)
  }
}

extension JSON {
  /// A merge patch can't say that a field is null.
  fileprivate var withoutNulls: JSON {
    guard case .object(let fields) = self else { return self }
    return .object(fields.filter { !$0.value.isNull }.mapValues(\.withoutNulls))
  }
}
