// Not covered: whether every JSON text is read. JSON is read as YAML, whose flow style includes JSON except for
// details.
import Manifests
import NetpolModel
import Testing

@Suite struct JSONTests {
  @Test(
    "JSON escapes have their JSON meaning",
    arguments: [
      ("\\/\\u0041", "/A"), ("\\ud83d\\ude00", "\u{1F600}"), ("\\\\ud83d\\\\ude00", "\\ud83d\\ude00"),
      ("\\u003c\\n", "<\n"),
    ])
  func escapes(escaped: String, text: String) throws {
    let json = "{\"metadata\":{\"annotations\":{\"x\":\"\(escaped)\"}},\"spec\":{}}"
    #expect(try readPolicy(json, name: "p").annotations == ["x": text])
  }

  private func pod(_ name: String) -> String {
    """
    {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "\(name)", "annotations": {"x": "}\\"{ \\\\"}},
        "spec": {"containers": [{"name": "c"}]}
    }
    """
  }

  @Test("reads consecutive objects in order, with correct line numbers")
  func concatenated() throws {
    let list = "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [\n\(pod("c"))\n]}"
    let reading = try read("\n\(pod("a"))\n\(pod("b"))\n\n  \(list)\n")
    #expect(reading.cluster.pods.map(\.id.name) == ["a", "b", "c"])
    #expect(reading.cluster.pods.map(\.location?.line) == [2, 7, 14])
    #expect(refusal("\(pod("a"))\r\n{\"kind\": \"Pod\"}").hasPrefix("a.yaml:6: Pod: apiVersion: is missing"))
  }

  @Test("reads compact objects, one per line")
  func lines() throws {
    let lines = (1...100).map {
      "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\($0)\"},\"spec\":{\"containers\":[{\"name\":\"c\"}]}}\n"
    }
    #expect(try read(lines.joined()).cluster.pods.count == 100)
  }

  @Test("JSON documents may also be separated as in YAML")
  func parted() throws {
    #expect(try read("\(pod("a"))\n---\n\(pod("b"))").cluster.pods.count == 2)
  }

  @Test(
    "unreadable JSON gets a remedy that fits JSON",
    arguments: [
      (
        "{\"apiVersion\": \"v1\", \"kind\": \"Secret\"}{\"apiVersion\": \"v1\", \"kind\": \"Secret\"}",
        "a.yaml:1: syntax error: did not find expected <document start>; start each JSON object on a line of its own, without a comma between them"
      ),
      (
        "{\"apiVersion\": \"v1\", \"kind\": \"Secret\"},\n{\"apiVersion\": \"v1\", \"kind\": \"Secret\"}",
        "a.yaml:1: syntax error: did not find expected <document start>; start each JSON object on a line of its own, without a comma between them"
      ),
      (
        "{\n\t\"a\": [1\n}",
        "a.yaml:3: syntax error: did not find expected ',' or ']'; fix the JSON at this line or the one above"
      ),
    ])
  func remedy(text: String, line: String) {
    #expect(refusal(text) == line)
  }
}
