// Not covered: other files of a repository. One that is not YAML is still an error.
import Manifests
import NetpolModel
import Testing

@Suite struct TypelessDocumentTests {
  private func reading(fromDirectory texts: [(name: String, text: String)]) throws -> ManifestReading {
    try readManifests(texts.map { ManifestSource(name: $0.name, text: $0.text, fromDirectory: true) })
  }

  @Test(
    "a document without apiVersion and kind is skipped in a directory, but is an error when named directly",
    arguments: [
      "resources: [a.yaml]", "services: {web: {image: web}}", "{\"name\": \"a\", \"version\": \"1\"}",
      "on: push\n? [a]\n: b", "- {op: remove, path: /a}", "kind: null", "words",
    ])
  func skipped(text: String) throws {
    let reading = try reading(fromDirectory: [("d/x.yaml", text), ("d/p.yaml", podText("p"))])
    #expect(reading.cluster.pods.count == 1)
    #expect(reading.objectCount == 1)
    #expect(reading.texts.contains("skipped 1 document without apiVersion and kind: d/x.yaml"))
    #expect(refusal(text) != "accepted")
  }

  @Test("a JSON patch is for kustomize")
  func patch() {
    #expect(
      refusal("- {op: remove, path: /a}")
        == "a.yaml:1: expected an API object with apiVersion and kind, found a list; this is a JSON patch; run kubectl kustomize FOLDER | netpol-lab run -f -"
    )
  }

  @Test("one note counts the documents and names three files")
  func note() throws {
    let values = (1...5).map { (name: "d/\($0).yaml", text: "a: 1\n---\nb: 1\n") }
    #expect(
      try reading(fromDirectory: values).texts.first
        == "skipped 10 documents without apiVersion and kind: d/1.yaml, d/2.yaml, d/3.yaml and 2 more")
  }

  @Test(
    "a document that is meant as an object is an error in a directory too",
    arguments: [
      (
        "kind: NetworkPolicy",
        "d/x.yaml:1: NetworkPolicy: apiVersion: is missing; write one such as v1 or networking.k8s.io/v1"
      ),
      ("apiVersion: v1", "d/x.yaml:1: kind: is missing; give the object's kind, or leave the file out"),
      (
        "metadata: {name: web}\nspec: {podSelector: {}}",
        "d/x.yaml:1: default/web: kind: is missing; give the object's kind, or leave the file out"
      ),
      ("apiVersion: v1\nKind: Pod", "d/x.yaml:2: Kind: unknown field; did you mean kind?"),
      ("Kind: Pod", "d/x.yaml:1: Kind: unknown field; did you mean kind?"),
      ("kind: Pod\napiversion: v1", "d/x.yaml:2: Pod: apiversion: unknown field; did you mean apiVersion?"),
    ])
  func half(text: String, line: String) throws {
    let error = #expect(throws: ManifestError.self) { try reading(fromDirectory: [("d/x.yaml", text)]) }
    #expect(error?.description == line)
  }
}
