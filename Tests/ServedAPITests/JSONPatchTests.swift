// Not covered: RFC 6902's A.13 (an operation with a member twice), which is no JSON that the reader takes.
import ServedAPI
import Testing
import Text

@Suite("JSON patches") struct JSONPatchTests {
  @Test(
    "the examples of RFC 6902 that succeed come out as it says",
    arguments: [
      ("A.1", #"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux"}]"#, #"{"baz":"qux","foo":"bar"}"#),
      (
        "A.2", #"{"foo":["bar","baz"]}"#, #"[{"op":"add","path":"/foo/1","value":"qux"}]"#,
        #"{"foo":["bar","qux","baz"]}"#
      ),
      ("A.3", #"{"baz":"qux","foo":"bar"}"#, #"[{"op":"remove","path":"/baz"}]"#, #"{"foo":"bar"}"#),
      ("A.4", #"{"foo":["bar","qux","baz"]}"#, #"[{"op":"remove","path":"/foo/1"}]"#, #"{"foo":["bar","baz"]}"#),
      (
        "A.5", #"{"baz":"qux","foo":"bar"}"#, #"[{"op":"replace","path":"/baz","value":"boo"}]"#,
        #"{"baz":"boo","foo":"bar"}"#
      ),
      (
        "A.6", #"{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}"#,
        #"[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]"#,
        #"{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"#
      ),
      (
        "A.7", #"{"foo":["all","grass","cows","eat"]}"#, #"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#,
        #"{"foo":["all","cows","eat","grass"]}"#
      ),
      (
        "A.8", #"{"baz":"qux","foo":["a",2,"c"]}"#,
        #"[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]"#,
        #"{"baz":"qux","foo":["a",2,"c"]}"#
      ),
      (
        "A.10", #"{"foo":"bar"}"#, #"[{"op":"add","path":"/child","value":{"grandchild":{}}}]"#,
        #"{"foo":"bar","child":{"grandchild":{}}}"#
      ),
      (
        "A.11", #"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux","xyz":123}]"#,
        #"{"foo":"bar","baz":"qux"}"#
      ),
      ("A.14", #"{"/":9,"~1":10}"#, #"[{"op":"test","path":"/~01","value":10}]"#, #"{"/":9,"~1":10}"#),
      (
        "A.16", #"{"foo":["bar"]}"#, #"[{"op":"add","path":"/foo/-","value":["abc","def"]}]"#,
        #"{"foo":["bar",["abc","def"]]}"#
      ),
      // Beyond the appendix.
      ("whole", #"{"a":1}"#, #"[{"op":"replace","path":"","value":[1]},{"op":"add","path":"/0","value":0}]"#, "[0,1]"),
      ("copy", #"{"a":{"b":1}}"#, #"[{"op":"copy","from":"/a","path":"/c"}]"#, #"{"a":{"b":1},"c":{"b":1}}"#),
      ("to itself", #"{"a":[1,2]}"#, #"[{"op":"move","from":"/a/1","path":"/a/1"}]"#, #"{"a":[1,2]}"#),
      ("empty name", #"{"":{"":1}}"#, #"[{"op":"replace","path":"//","value":2}]"#, #"{"":{"":2}}"#),
      ("to null", #"{"a":1}"#, #"[{"op":"add","path":"/a","value":null}]"#, #"{"a":null}"#),
    ]) func examples(name: String, document: String, patch: String, result: String) throws
  {
    #expect(try JSONPatch(json(patch)).applied(to: json(document)) == json(result), "\(name)")
  }

  @Test(
    "a patch that fails says which place is wrong",
    arguments: [
      // A.9, A.12 and A.15 of RFC 6902.
      (#"[{"op":"test","path":"/baz","value":"bar"}]"#, "/baz"),
      (#"[{"op":"add","path":"/qux/bat","value":"qux"}]"#, "/qux/bat"),
      (#"[{"op":"test","path":"/~01","value":"10"}]"#, "/~01"),
      (#"[{"op":"remove","path":"/a"}]"#, "/a"),
      (#"[{"op":"replace","path":"/a","value":1}]"#, "/a"),
      (#"[{"op":"remove","path":""}]"#, ""),
      (#"[{"op":"add","path":"/list/3","value":1}]"#, "/list/3"),
      (#"[{"op":"add","path":"/list/01","value":1}]"#, "/list/01"),
      (#"[{"op":"add","path":"/list/-1","value":1}]"#, "/list/-1"),
      (#"[{"op":"add","path":"/list/99999999999999999999","value":1}]"#, "/list/99999999999999999999"),
      (#"[{"op":"remove","path":"/list/-"}]"#, "/list/-"),
      (#"[{"op":"remove","path":"/list/2"}]"#, "/list/2"),
      (#"[{"op":"remove","path":"/list/"}]"#, "/list/"),
      (#"[{"op":"remove","path":"/baz/0"}]"#, "/baz/0"),
      (#"[{"op":"move","from":"/object","path":"/object/a/b"}]"#, "/object/a/b"),
      (#"[{"op":"copy","from":"/a","path":"/b"}]"#, "/a"),
      (#"[{"op":"add","path":"a","value":1}]"#, ""),
      (#"[{"op":"add","path":"/~2","value":1}]"#, ""),
      (#"[{"op":"add","value":1}]"#, ""),
      (#"[{"op":"add","path":"/a"}]"#, ""),
      (#"[{"op":"merge","path":"/a","value":1}]"#, ""),
      (#"[{"path":"/a","value":1}]"#, ""),
      (#"[{"op":"move","path":"/a"}]"#, ""),
    ]) func failures(patch: String, place: String) throws
  {
    let document = try json(#"{"baz":"qux","list":[1,2],"object":{"a":{}},"~1":10}"#)
    let status = try failure { try JSONPatch(json(patch)).applied(to: document) }
    #expect(status.reason == .invalid)
    #expect(status.message == "the server rejected our request due to an error in our request")
    #expect(status.causes.map(\.field) == [place])
  }

  @Test("what is no list of operations is a bad request", arguments: ["{}", "null", #"["add"]"#, "[[]]", "1"])
  func malformed(patch: String) throws {
    #expect(try failure { try JSONPatch(json(patch)).applied(to: .empty) }.reason == .badRequest)
  }

  @Test("10,000 operations are done, and one more is refused") func operationLimit() throws {
    let operation: JSON = ["op": "add", "path": "/a", "value": 1]
    let most = Array(repeating: operation, count: JSONPatch.operationLimit)
    #expect(try JSONPatch(.array(most)).applied(to: .empty) == ["a": 1])
    #expect(try failure { try JSONPatch(.array(most + [operation])).applied(to: .empty) }.reason == .tooLarge)
  }

  @Test("copies of copies end at a limit, in size and in depth") func growth() throws {
    let wide = JSON.array(Array(repeating: ["op": "copy", "from": "", "path": "/-"], count: 100))
    #expect(try failure { try JSONPatch(wide).applied(to: [1]) }.reason == .invalid)
    let deep = JSON.array(
      (0..<12).map { ["op": "copy", "from": "", "path": .string(String(repeating: "/0", count: 1 << $0))] })
    let status = try failure { try JSONPatch(deep).applied(to: [[]]) }
    #expect(status.reason == .invalid)
  }

  @Test("a pointer's text is read back as the same pointer") func pointers() {
    var random = SeededGenerator(state: 6901)
    for _ in 0..<200 {
      let pointer = JSONPointer(
        (0..<Int.random(in: 0..<5, using: &random)).map { _ in
          String((0..<Int.random(in: 0..<4, using: &random)).map { _ in "~/01aé".randomElement(using: &random) ?? "a" })
        })
      #expect(JSONPointer(pointer.text) == pointer)
    }
  }

  @Test("removing and adding back what was there changes nothing") func roundTrip() throws {
    var random = SeededGenerator(state: 6902)
    for _ in 0..<300 {
      let document = JSON.randomObject(depth: 4, using: &random)
      guard let (place, value) = document.places([]).randomElement(using: &random) else { continue }
      let patch = JSONPatch([.test(place, is: value), .remove(place), .add(value, at: place)])
      #expect(try patch.applied(to: document) == document)
    }
  }
}

/// The failure of what should fail.
func failure<Value>(_ body: () throws -> Value) throws -> APIStatus {
  var status: APIStatus?
  do { _ = try body() } catch let error as APIStatus { status = error }
  return try #require(status)
}

extension JSON {
  /// All values below, with their places.
  fileprivate func places(_ tokens: [String]) -> [(JSONPointer, JSON)] {
    let below: [(String, JSON)] =
      switch self {
      case .object(let fields): fields.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
      case .array(let values): values.enumerated().map { ("\($0.offset)", $0.element) }
      case .null, .bool, .integer, .decimal, .string: []
      }
    return below.flatMap { token, value in
      [(JSONPointer(tokens + [token]), value)] + value.places(tokens + [token])
    }
  }
}
