// Not covered: which pods a selector matches. These tests only check which selectors are rejected.
import Manifests
import NetpolModel
import Testing

@Suite struct PolicySelectorTests {
  @Test(
    "checks a selector's keys, values and operators as the API server does",
    arguments: [
      (
        "{podSelector: {matchLabels: {app: true}}}",
        "spec.podSelector.matchLabels.app: expected a string, found the boolean true; write \"true\" with the quotes"
      ),
      (
        "{podSelector: {matchLabels: {app: yes}}}",
        "spec.podSelector.matchLabels.app: expected a string, found the boolean true; write \"yes\" with the quotes"
      ),
      (
        "{podSelector: {matchLabels: {app: 1.10}}}",
        "spec.podSelector.matchLabels.app: expected a string, found the number 1.1; write \"1.10\" with the quotes"
      ),
      (
        "{podSelector: {matchLabels: {app: -x}}}",
        "spec.podSelector.matchLabels.app: \"-x\" is not a valid label value; use at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends, or \"\""
      ),
      (
        "{podSelector: {matchLabels: {a/b/c: x}}}",
        "spec.podSelector.matchLabels.a/b/c: \"a/b/c\" is not a valid label key; use at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends; a DNS prefix and '/' may precede them"
      ),
      (
        "{podSelector: {matchExpressions: [{key: a, operator: in, values: [b]}]}}",
        "spec.podSelector.matchExpressions[0].operator: unknown operator \"in\"; write In"
      ),
      (
        "{podSelector: {matchExpressions: [{key: a, operator: In}]}}",
        "spec.podSelector.matchExpressions[0].values: is missing; In needs at least one value"
      ),
      (
        "{podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}",
        "spec.podSelector.matchExpressions[0].values: may not be given with Exists; remove it, or write In or NotIn"
      ),
      (
        "{podSelector: {matchExpressions: [{operator: Exists}]}}",
        "spec.podSelector.matchExpressions[0].key: is missing; name the label"
      ),
    ])
  func selector(_ spec: String, _ line: String) {
    #expect(refusal(policyText(spec)) == "a.yaml:4: NetworkPolicy shop/web: \(line)")
  }
}
