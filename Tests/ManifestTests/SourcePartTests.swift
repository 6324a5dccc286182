// Not covered: how much faster it is.
import NetpolModel
import Testing

@testable import Manifests

@Suite struct SourcePartTests {
  private static func pod(_ number: Int, _ indent: String = "") -> String {
    """
    - apiVersion: v1
      kind: Pod
      metadata: {name: pod-\(number), namespace: shop, labels: {app: web}}
      spec:
        containers:
        - name: c
          image: x
    """.split(separator: "\n").map { indent + $0 }.joined(separator: "\n")
  }

  private static func list(_ indent: String = "") -> String {
    "apiVersion: v1\nitems:\n\((0..<30).map { pod($0, indent) }.joined(separator: "\n"))\nkind: List\nmetadata: {}\n"
  }

  private static let policy = """
    ---
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: web, namespace: shop}
    spec:
      podSelector: {}
      ingress:
      - from:
        - podSelector: {}
    """

  private static let json = """
    {
        "apiVersion": "v1",
        "items": [
    \((0..<30).map { number in
      """
              {
                  "apiVersion": "v1",
                  "kind": "Pod",
                  "metadata": {"name": "pod-\(number)", "namespace": "shop"},
                  "spec": {"containers": [{"name": "c"}]}
              }
      """
    }.joined(separator: ",\n"))
        ],
        "kind": "List",
        "metadata": {}
    }
    """

  /// A source, and in how many parts it is read at least.
  private static let sources: [(text: String, parts: Int)] = [
    (list(), 5),
    (list("  "), 5),
    (json, 5),
    (list() + policy, 6),
    ("# a comment\n" + list().replacing("metadata: {}", with: "\n# another\n---\n" + policy), 6),
    (Array(repeating: policy.replacing("web", with: "a"), count: 20).joined(separator: "\n") + "\n---\n" + list(), 9),
    // Lines that look like items, or like the end of a document.
    (list().replacing("image: x", with: "image: |\n          - a\n\n          kind: List"), 5),
    (list().replacing("image: x", with: "image: \"a\n- b\n  c\""), 0),
    (list().replacing("- name: c", with: "- {name: c,\n- d: e}"), 0),
    (list().replacing("- name: c", with: "- {\nname: c,\n- d: e}"), 0),
    // Faults: of the text, of an object late in it, of two.
    (list() + "\t- x", 0),
    (list() + "items: []\n", 0),
    (list().replacing("pod-28", with: "{}"), 0),
    (list().replacing("pod-28", with: "-").replacing("pod-12", with: "Pod"), 0),
    (list() + policy.replacing("podSelector: {}", with: "podSelecto: {}"), 0),
    (list().replacing("pod-20", with: "[[["), 0),
    (list().replacing("pod-28,", with: "&a pod-28,").replacing("pod-29,", with: "*a,"), 0),
    (list().replacing("pod-3,", with: "&a pod-3,").replacing("pod-29,", with: "*a,"), 0),
    ("%YAML 1.1\n---\n" + list(), 0),
    (list() + "...\n" + policy, 0),
    (list().replacing("kind: List", with: "kind: \"List\""), 0),
    (list().replacing("kind: List", with: "kind: PodList"), 0),
    (json.replacing("pod-29\"", with: "pod-29"), 0),
    (list().replacing("\n", with: "\r\n"), 0),
  ]

  private func outcome(_ text: String, partSize: Int) -> Result<ManifestReading, ManifestError> {
    var options = ReadOptions()
    options.partSize = partSize
    return Result { () throws(ManifestError) in
      var reading = try readManifests([ManifestSource(name: "a.yaml", text: text)], options: options)
      reading.options = ReadOptions()
      return reading
    }
  }

  @Test("a source read in parts gives the same objects, lines and errors as in one piece", arguments: sources.indices)
  func parts(index: Int) throws {
    let (text, count) = Self.sources[index]
    let whole = outcome(text, partSize: .max)
    for size in [1, 100, 400, 1000] { #expect(outcome(text, partSize: size) == whole, "size \(size)") }
    let normalized = try ManifestSource(name: "a.yaml", text: text).normalized()
    #expect(SourceParts.parts(of: normalized.text, size: 400).count >= count)
  }

  @Test("a part keeps the line numbers of its source")
  func lines() throws {
    let text = Self.list() + Self.policy
    let parts = SourceParts.parts(of: text, size: 400)
    for line in text.split(separator: "\n").filter({ $0.contains("pod-") }) {
      let number = text.split(separator: "\n", omittingEmptySubsequences: false).firstIndex(of: line)
      let holders = parts.compactMap {
        $0.text.split(separator: "\n", omittingEmptySubsequences: false).firstIndex(of: line)
      }
      #expect(holders == [number])
    }
  }

  @Test("mappings and lists nested as deep as the limit are read on every thread")
  func deep() throws {
    let nested = String(repeating: "{a: ", count: 990) + "1" + String(repeating: "}", count: 990)
    let annotated = Self.list().replacing("labels: {app: web}", with: "labels: {app: web}, x: \(nested)")
    let whole = outcome(annotated, partSize: .max)
    #expect(outcome(annotated, partSize: 10_000) == whole)
  }
}
