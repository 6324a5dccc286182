// Not covered: whether accepted input makes sense. These tests only check that nothing crashes and that errors have a
// location.
import Manifests
import NetpolModel
import Testing

@Suite struct GarbageTests {
  private static let values = [
    "null", "\"\"", "[]", "{}", "true", "0", "-1", "65536", "1e999", "99999999999999999999", "[[]]", "[null]", "{a: b}",
    "0.0.0.0", "\"::\"", "255.255.255.255/32", "a/b", "a/b/c", "node/", "/", "\"\\u0000\"", "None", "IPv6", "[1, 2, 3]",
  ]
  private static let texts = [
    """
    apiVersion: v1
    kind: Service
    metadata: {name: s, annotations: {metallb.io/loadBalancerIPs: @}, ownerReferences: @}
    spec: {type: @, clusterIP: @, clusterIPs: @, ipFamilies: @, ipFamilyPolicy: @, ports: @, selector: @, externalIPs: @,
      loadBalancerIP: @, loadBalancerSourceRanges: @, sessionAffinity: @, externalTrafficPolicy: @}
    status: {loadBalancer: @}
    """,
    "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {type: LoadBalancer, ports: [{name: @, port: @, targetPort: @, protocol: @, nodePort: @}], loadBalancerIP: @}",
    """
    apiVersion: discovery.k8s.io/v1
    kind: EndpointSlice
    metadata: {name: s, labels: {kubernetes.io/service-name: @}}
    addressType: @
    ports: @
    endpoints: @
    """,
    "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s, labels: {kubernetes.io/service-name: s}}\naddressType: IPv4\nports: [{name: @, port: @, protocol: @}]\nendpoints: [{addresses: @, conditions: @, nodeName: @, targetRef: @}]",
    "apiVersion: v1\nkind: Pod\nmetadata: {name: p, ownerReferences: @, deletionTimestamp: @}\nspec: {containers: [{name: c}]}\nstatus: {phase: Running, conditions: @}",
    "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {pod-template-hash: @}, ownerReferences: [{kind: @, name: @, controller: @, apiVersion: v1, uid: u}]}\nspec: {containers: [{name: c}]}\nstatus: {conditions: [{type: @, status: @}]}",
    "apiVersion: netpol-lab/v1alpha1\nkind: Expectations\ngroups: @",
    "apiVersion: netpol-lab/v1alpha1\nkind: Expectations\ngroups: [{name: @, claim: @, without: @, add: @, labels: @, cluster: @, comparedWith: @, flows: @}]",
    "apiVersion: netpol-lab/v1alpha1\nkind: Expectations\ngroups: [{name: a, labels: [{namespace: @, pod: @, set: @}], cluster: {bridgeNetfilter: @, overlay: @}}]",
    "apiVersion: netpol-lab/v1alpha1\nkind: Expectations\ngroups: [{name: a, flows: [{from: @, to: @, port: @, group: @, expect: @, mechanism: @, document: @, family: @}]}]",
    "apiVersion: netpol-lab/v1alpha1\nkind: Cluster\nserviceCIDRs: [@]\nnodePortRange: @\n---\n"
      + serviceText("{type: NodePort, ports: [{port: 1}]}"),
  ]

  @Test("any value in any place is read, or rejected with its location", arguments: texts)
  func values(text: String) {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
    let usual = "\"10.0.0.1\""
    for place in parts.indices.dropLast() {
      for value in Self.values {
        for others in ["null", usual] {
          let filled = parts.indices.map { $0 == parts.count - 1 ? "" : $0 == place ? value : others }
          let text = zip(parts, filled).map { $0 + $1 }.joined()
          for validation in Validation.allCases {
            let line = refusal(text, validation: validation)
            #expect(line == "accepted" || line.hasPrefix("a.yaml:"), "\(text)")
          }
        }
      }
    }
  }

  @Test(
    "a service CIDR of any size hands out only the addresses it has",
    arguments: [
      "10.0.0.0/32", "10.0.0.0/31", "10.0.0.0/30", "0.0.0.0/0", "\"::/0\"", "\"fd00::/128\"", "\"fd00::/127\"",
    ])
  func ranges(cidr: String) {
    let line = refusal(
      serviceText("{}") + "apiVersion: netpol-lab/v1alpha1\nkind: Cluster\nserviceCIDRs: [\(cidr)]\n")
    let ends = ["accepted", "address is left in the service CIDRs", "no free address"]
    #expect(ends.contains { line.contains($0) })
  }
}
