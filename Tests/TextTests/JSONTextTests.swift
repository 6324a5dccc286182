import Testing
import Text

@Suite("JSON for a YAML reader") struct JSONTextTests {
  @Test(
    "escapes and characters that YAML reads otherwise are written as YAML escapes",
    arguments: [
      (#"{"a": "\ud83d\ude00"}"#, #"{"a": "\U0001f600"}"#), (#"["\\ud83d\\ude00"]"#, #"["\\ud83d\\ude00"]"#),
      (#"["\ud83d", "\ude00"]"#, #"["\ud83d", "\ude00"]"#), (#"["\/\u00e9"]"#, #"["\/\u00e9"]"#),
      ("[\"\u{2028}\u{85}\u{7f}\u{feff}\"]", #"["\u2028\u0085\u007f\ufeff"]"#), ("[\"é😀\"]", "[\"é😀\"]"),
    ])
  func escapes(_ json: String, _ yaml: String) { #expect(json.jsonAsYAML == yaml) }

  @Test("the parts of a listing, with their lines") func parts() throws {
    let text = try JSONText("{\"list\": [{\"a\": {}},\r\n  7, \"{\\\"\",\n  {\"b\":\n [1]}, []]}\n")
    #expect(text.parts.map(text.text) == ["{\"a\": {}}", "{\"b\":\n [1]}", "[]"])
    #expect(text.parts.map(\.line) == [1, 3, 4])
  }

  @Test("parts that are left out keep their lines and columns") func omitted() throws {
    let text = try JSONText("\t[[{\"rule\":\t1},\n{\"rule\":\r\n2}, {\"set\": 3}]]")
    #expect(text.yaml() == " [[{\"rule\": 1},\n{\"rule\": \n2}, {\"set\": 3}]]")
    let listing = try JSONText("{\"list\": [{\"rule\":\r\n2}, {\"set\": 3}]}")
    #expect(listing.yaml(omitting: "{\"rule\":") == "{\"list\": [{        \n }, {\"set\": 3}]}")
  }

  @Test(
    "what YAML reads and JSON doesn't have is refused, with its place",
    arguments: [
      ("", NotJSON(problem: "the text ends inside a value", line: 1, offset: 0)),
      ("{\"a\": [\n", NotJSON(problem: "the text ends inside a value", line: 2, offset: 8)),
      ("[\"a\n", NotJSON(problem: "a control character in a string", line: 1, offset: 3)),
      ("[\"a\\\"", NotJSON(problem: "a quote is not closed", line: 1, offset: 5)),
      ("[\n\"\\x41\"]", NotJSON(problem: "an escape that JSON does not have", line: 2, offset: 4)),
      ("[1,\n]", NotJSON(problem: "a value is missing", line: 2, offset: 4)),
      ("[]\n[]", NotJSON(problem: "there is more text after the end", line: 2, offset: 3)),
      ("[1] # one", NotJSON(problem: "there is more text after the end", line: 1, offset: 4)),
      ("[1, # one\n2]", NotJSON(problem: "a character that JSON does not have here", line: 1, offset: 4)),
      ("[&a 1]", NotJSON(problem: "a character that JSON does not have here", line: 1, offset: 1)),
      ("['a']", NotJSON(problem: "a character that JSON does not have here", line: 1, offset: 1)),
      ("[1,\u{0} 2]", NotJSON(problem: "a character that JSON does not have here", line: 1, offset: 3)),
      ("a: 1", NotJSON(problem: "neither an object nor an array", line: 1, offset: 0)),
      (String(repeating: "[", count: 65), NotJSON(problem: "values are nested too deeply", line: 1, offset: 64)),
    ])
  func refused(_ text: String, _ error: NotJSON) {
    #expect(throws: error) { try JSONText(text) }
  }
}
