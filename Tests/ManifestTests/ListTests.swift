// Not covered: lists of other kinds. Only List and <Kind>List with items are known.
import Manifests
import NetpolModel
import Testing

@Suite struct ListTests {
  @Test("counts the items of a List and reports their own lines")
  func list() throws {
    let text = """
      apiVersion: v1
      kind: List
      items:
      - apiVersion: v1
        kind: Pod
        metadata: {name: a}
        spec: {containers: [{name: c}]}
      - apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: p}
        spec:
          ingress:
          - ports:
            - port: 80
              protcol: TCP
      """
    #expect(
      refusal(text)
        == "a.yaml:15: NetworkPolicy default/p: spec.ingress[0].ports[0].protcol: unknown field; did you mean protocol?"
    )
    let reading = try read(text.split(separator: "protcol").joined(separator: "protocol"))
    #expect(reading.objectCount == 2)
    #expect(reading.cluster.pods.first?.location?.line == 4)
    #expect(reading.cluster.policies.first?.location?.line == 8)
  }

  @Test("a typed list gives its items their kind and version")
  func typedList() throws {
    let reading = try read(
      "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicyList\nitems:\n- metadata: {name: p}",
      "{\"apiVersion\": \"v1\", \"kind\": \"PodList\", \"items\": [{\"metadata\": {\"name\": \"a\"}, \"spec\": {\"containers\": [{\"name\": \"c\"}]}}]}",
      "apiVersion: v1\nkind: NodeList\nitems: null")
    #expect(reading.cluster.policies.count == 1)
    #expect(reading.cluster.pods.count == 1)
  }

  @Test("reads a List inside a List in place")
  func nested() throws {
    let reading = try read(
      """
      apiVersion: v1
      kind: List
      items:
      - {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c}]}}
      - apiVersion: v1
        kind: List
        items:
        - {apiVersion: v1, kind: PodList, items: [{metadata: {name: b}, spec: {containers: [{name: c}]}}]}
        - {apiVersion: v1, kind: List, items: []}
      - {apiVersion: v1, kind: Pod, metadata: {name: c}, spec: {containers: [{name: c}]}}
      """)
    #expect(reading.cluster.pods.map(\.id.name) == ["a", "b", "c"])
    #expect(reading.objectCount == 3)
  }

  @Test("rejects Lists multiplied by aliases")
  func multiplied() {
    var text = "a: &a0 {apiVersion: v1, kind: List, items: []}\n"
    for level in 1...20 {
      let items = Array(repeating: "*a\(level - 1)", count: 50).joined(separator: ", ")
      text += "a\(level): &a\(level) {apiVersion: v1, kind: List, items: [\(items)]}\n"
    }
    text += "apiVersion: v1\nkind: List\nitems: [*a20]"
    #expect(refusal(text) == "a.yaml:1: List: the same List is used twice; write the alias out")
  }
}
