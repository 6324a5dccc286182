// Not covered: everything that an API server rejects. These tests only check the spec of a NetworkPolicy.
import Manifests
import NetpolModel
import Testing

@Suite struct PolicyValidationTests {
  @Test(
    "policyTypes has Ingress and Egress at most once each",
    arguments: [
      ("{policyTypes: [ingress]}", "spec.policyTypes[0]: unknown policy type \"ingress\"; write Ingress"),
      ("{policyTypes: [Both]}", "spec.policyTypes[0]: unknown policy type \"Both\"; write Ingress or Egress"),
      (
        "{policyTypes: [Ingress, Egress, Ingress]}",
        "spec.policyTypes: more than two policyTypes; give Ingress and Egress at most once each"
      ),
    ])
  func policyTypes(_ spec: String, _ line: String) {
    #expect(refusal(policyText(spec)) == "a.yaml:4: NetworkPolicy shop/web: \(line)")
  }

  @Test(
    "rejects an unknown field and suggests a similar one",
    arguments: [
      ("{podselector: {}}", "spec.podselector: unknown field; did you mean podSelector?"),
      ("{policyType: [Ingress]}", "spec.policyType: unknown field; did you mean policyTypes?"),
      (
        "{podSelector: {matchlabels: {a: b}}}", "spec.podSelector.matchlabels: unknown field; did you mean matchLabels?"
      ),
      (
        "{ingress: [{from: [{namespaceselector: {}}]}]}",
        "spec.ingress[0].from[0].namespaceselector: unknown field; did you mean namespaceSelector?"
      ),
      (
        "{ingress: [{ports: [{port: 80, endport: 90}]}]}",
        "spec.ingress[0].ports[0].endport: unknown field; did you mean endPort?"
      ),
      ("{egress: [{from: []}]}", "spec.egress[0].from: unknown field; known here: ports, to"),
      (
        "{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, excepts: []}}]}]}",
        "spec.ingress[0].from[0].ipBlock.excepts: unknown field; did you mean except?"
      ),
    ])
  func unknownField(_ spec: String, _ line: String) {
    #expect(refusal(policyText(spec)) == "a.yaml:4: NetworkPolicy shop/web: \(line)")
  }

  @Test(
    "rejects a list in place of a mapping, and a mapping in place of a list",
    arguments: [
      ("{ingress: {from: []}}", "spec.ingress: expected a list, found a mapping"),
      ("{ingress: [{from: {podSelector: {}}}]}", "spec.ingress[0].from: expected a list, found a mapping"),
      ("{podSelector: web}", "spec.podSelector: expected a mapping, found the string \"web\""),
    ])
  func shape(_ spec: String, _ line: String) {
    #expect(refusal(policyText(spec)) == "a.yaml:4: NetworkPolicy shop/web: \(line)")
  }

  @Test(
    "accepts what the API server accepts",
    arguments: [
      "{podSelector: {matchLabels: {example.com/App_1.x: \"\", a: A.b_c-d}}}",
      "{podSelector: {matchLabels: {a: \"true\", b: null, c: 2024-05-01, d: v1, e: 1.2.3}}}",
      "{ingress: [{ports: [{port: a1}, {port: 65535}, {port: 1}]}]}",
      "{ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [0.0.0.0/1, 128.0.0.0/1]}}]}]}",
      "{podSelector: {matchExpressions: [{key: a, operator: NotIn, values: [\"\"]}, {key: a, operator: DoesNotExist, values: []}]}}",
    ])
  func accepted(spec: String) {
    #expect(refusal(policyText(spec)) == "accepted")
  }
}
