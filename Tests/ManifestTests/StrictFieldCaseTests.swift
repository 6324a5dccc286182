// Not covered: what kubectl itself prints. The cases' expected.md says what it refuses.
import Foundation
import Manifests
import NetpolModel
import TestSupport
import Testing

@Suite struct StrictFieldCaseTests {
  private func documents(_ path: String) throws -> [String] {
    let file = repository.appendingPathComponent("Tests/Fixtures/field/\(path)")
    return try String(contentsOf: file, encoding: .utf8).components(separatedBy: "---\n")
  }

  @Test(
    "rw-04: a typo is refused, and told with --as-stored",
    arguments: [
      (
        "typo.yaml", "a.yaml:13: NetworkPolicy default/deny: metadata.namepsace: unknown field; did you mean namespace?"
      ),
      ("label.yaml", "a.yaml:8: Pod shop/db: metadata.label: unknown field; did you mean labels?"),
      ("hostnetwork.yaml", "a.yaml:4: Pod shop/agent: spec.hostnetwork: unknown field; did you mean hostNetwork?"),
    ])
  func typos(file: String, line: String) throws {
    let text = try documents("rw-04-metadata-typo/\(file)").joined(separator: "---\n")
    #expect(refusal(text) == line)
    let notes = try read(text, options: ReadOptions(validation: .asStored)).notes
    #expect(notes.contains { $0.severity == .warning && $0.text.hasPrefix("unknown fields are ignored: ") })
  }

  @Test("rw-10: an old API version, a selector that doesn't match and a pod without containers are refused")
  func removed() throws {
    let lines = [
      "a.yaml:1: Deployment shop/d: apiVersion: Deployment in extensions/v1beta1 is not served since Kubernetes 1.16; write apps/v1",
      "a.yaml:4: Deployment shop/e: spec.template.metadata.labels: `selector` does not match template `labels`; give the template the label a: c",
      "a.yaml:4: Pod shop/no-containers: spec.containers: is missing; give at least one container",
    ]
    #expect(try documents("rw-10-removed-api/old.yaml").map { refusal($0) } == lines)
  }
}
