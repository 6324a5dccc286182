// Not covered: whether every YAML text is read as kubectl reads it. The parser here is libyaml, kubectl's is go-yaml.
import Manifests
import NetpolModel
import Testing

@Suite struct DocumentTests {
  @Test(
    "an error in document 2 of 3 is an error of the whole file",
    arguments: [
      (
        "a: [1", "a.yaml:7: syntax error: did not find expected ',' or ']'; fix the YAML at this line or the one above"
      ),
      (
        "apiVersion: v1\nkind: Pod\nkind: Node",
        "a.yaml:7: the key \"kind\" appears twice in one mapping; put --- between the two objects"
      ),
      (
        "apiVersion: v1\n\tkind: Pod",
        "a.yaml:7: syntax error: found a tab character that violates indentation; indent with spaces, not with tabs"
      ),
      ("name: {{ .Values.name }}", "a.yaml:6: kind: is missing; give the object's kind, or leave the file out"),
      (
        "name: {{ .Values.name }}-x",
        "a.yaml:6: syntax error: did not find expected key; render the template first (helm template)"
      ),
      (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: x, labels: {y: a}}",
        "a.yaml:8: Pod default/x: metadata.labels.y: the key reads as a boolean; write \"y\" with the quotes"
      ),
      ("a: *nowhere", "a.yaml:6: syntax error: found undefined alias; fix the YAML at this line or the one above"),
    ])
  func secondDocument(_ text: String, _ line: String) {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: "
    let spec = "spec: {containers: [{name: c}]}"
    #expect(refusal("\(pod)a}\n\(spec)\n---\n\(text)\n---\n\(pod)b}\n\(spec)\n") == line)
  }

  @Test(
    "skips empty documents, and accepts Windows line ends and a byte order mark",
    arguments: [
      "---\n---\n# nothing\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c}]}\n---\n",
      "apiVersion: v1\r\nkind: Pod\r\nmetadata:\r\n  name: a\r\nspec:\r\n  containers:\r\n  - name: c\r\n",
      "\u{feff}apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c}]}\n...\n",
      "\u{feff}{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"},\"spec\":{\"containers\":[{\"name\":\"c\"}]}}",
      "\n{\t\"apiVersion\":\"v1\",\n\t\"kind\":\"Pod\",\n\t\"metadata\":{\"name\":\"a\",\"annotations\":{\"x\":\"\\/\\u0041\"}},\n\t\"spec\":{\"containers\":[{\"name\":\"c\"}]}\n}",
    ])
  func tolerance(text: String) throws {
    let reading = try read(text)
    #expect(reading.cluster.pods.map { "\($0.id)" } == ["default/a"])
    #expect(reading.objectCount == 1)
  }

  @Test("empty input gives an empty cluster with one node", arguments: ["", "\n", "---", "# a comment"])
  func nothing(text: String) throws {
    let reading = try read(text)
    #expect(reading.objectCount == 0)
    #expect(reading.cluster.nodes.map(\.name) == ["node1"])
  }

  @Test("follows anchors, aliases and merge keys")
  func anchors() throws {
    let reading = try read(
      """
      apiVersion: v1
      kind: List
      items:
      - &base {apiVersion: v1, kind: Pod, metadata: {name: a, labels: &labels {app: web, tier: front}}, spec: {containers: [{name: c}]}}
      - {<<: *base, metadata: {name: b, labels: {<<: *labels, tier: back}}}
      """)
    #expect(reading.pod("default/a")?.labels == ["app": "web", "tier": "front"])
    #expect(reading.pod("default/b")?.labels == ["app": "web", "tier": "back"])
  }

  @Test("deep nesting gives an error, not a crash")
  func depth() {
    let deep = String(repeating: "[", count: 10000)
    #expect(refusal(deep) == "a.yaml:1: lists and mappings are nested deeper than 1000 levels; flatten them")
    let closed = String(repeating: "[", count: 990) + String(repeating: "]", count: 990)
    #expect(refusal(closed).hasSuffix("found a list"))
    var chain = "a0: &a0 1\n"
    for index in 1...200 {
      chain +=
        "a\(index): &a\(index) \(String(repeating: "[", count: 900))*a\(index - 1)\(String(repeating: "]", count: 900))\n"
    }
    #expect(refusal(chain) == "a.yaml:1: more than 32 anchors in use; write the values out")
  }

  @Test("an error is always one line, whatever the input contains")
  func oneLine() {
    let line = refusal(policyText("{\"a\\nb\\u001b[31m\": 1}"))
    #expect(!line.contains("\n") && !line.contains("\u{1b}"))
    #expect(line.contains(#"spec.a\nb\x1b[31m"#))
  }
}
