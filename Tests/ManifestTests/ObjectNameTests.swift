// Not covered: everything that an API server rejects. These tests check only names, kinds and versions.
import Manifests
import NetpolModel
import Testing

@Suite struct ObjectNameTests {
  @Test(
    "checks names and versions as the API server does",
    arguments: [
      (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: Web}",
        "a.yaml:3: NetworkPolicy default/Web: metadata.name: \"Web\" is not a valid object name; use a-z, 0-9 and inner '-', as in a DNS name"
      ),
      (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web, namespace: a.b}",
        "a.yaml:3: NetworkPolicy a.b/web: metadata.namespace: \"a.b\" is not a valid namespace name; use at most 63 of a-z, 0-9 and inner '-'"
      ),
      (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {namespace: a}",
        "a.yaml:3: NetworkPolicy: metadata.name: is missing; give the object a name"
      ),
      (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy",
        "a.yaml:1: NetworkPolicy: metadata: is missing; give metadata.name"
      ),
      (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: 123}",
        "a.yaml:3: NetworkPolicy: metadata.name: expected a string, found the number 123; write \"123\" with the quotes"
      ),
      (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\nspecs: {}",
        "a.yaml:4: NetworkPolicy default/web: specs: unknown field; did you mean spec?"
      ),
      (
        "apiVersion: networking.k8s.io/v1beta1\nkind: NetworkPolicy\nmetadata: {name: web}",
        "a.yaml:1: NetworkPolicy default/web: apiVersion \"networking.k8s.io/v1beta1\" has no kind NetworkPolicy; write apiVersion: networking.k8s.io/v1"
      ),
      (
        "apiVersion: apps/v1\nkind: Pod\nmetadata: {name: web}",
        "a.yaml:1: Pod default/web: apiVersion \"apps/v1\" has no kind Pod; write apiVersion: v1"
      ),
      (
        "kind: NetworkPolicy\nmetadata: {name: web}",
        "a.yaml:1: NetworkPolicy default/web: apiVersion: is missing; write one such as v1 or networking.k8s.io/v1"
      ),
      (
        "apiVersion: v1\nmetadata: {name: web}",
        "a.yaml:1: default/web: kind: is missing; give the object's kind, or leave the file out"
      ),
      ("- a\n- b", "a.yaml:1: expected an API object with apiVersion and kind, found a list"),
      (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {a: 1}}",
        "a.yaml:3: Pod default/web: metadata.labels.a: expected a string, found the number 1; write \"1\" with the quotes"
      ),
    ])
  func names(text: String, line: String) {
    #expect(refusal(text) == line)
  }

  @Test(
    "a known kind with wrong case or in the plural is an error, not a skipped kind",
    arguments: [
      ("networking.k8s.io/v1", "networkpolicy", "NetworkPolicy"),
      ("networking.k8s.io/v1", "Networkpolicy", "NetworkPolicy"),
      ("networking.k8s.io/v1", "NetworkPolicies", "NetworkPolicy"),
      ("networking.k8s.io/v1", "NetworkPolicys", "NetworkPolicy"), ("v1", "networkpolicy", "NetworkPolicy"),
      ("v1", "pod", "Pod"), ("v1", "Pods", "Pod"), ("v1", "namespace", "Namespace"), ("v1", "NODES", "Node"),
      ("v1", "Services", "Service"), ("v1", "Replicationcontroller", "ReplicationController"),
      ("apps/v1", "deployments", "Deployment"), ("apps/v1", "Statefulset", "StatefulSet"),
      ("apps/v1", "Daemonset", "DaemonSet"), ("apps/v1", "Replicaset", "ReplicaSet"), ("batch/v1", "Jobs", "Job"),
      ("batch/v1", "Cronjob", "CronJob"), ("v1", "list", "List"), ("v1", "Podlist", "PodList"),
      ("networking.k8s.io/v1", "NetworkPolcy", "NetworkPolicy"), ("apps/v1", "Deploymnt", "Deployment"),
      ("v1", "Servce", "Service"), ("batch/v1", "CronJobb", "CronJob"),
    ])
  func misspeltKinds(version: String, kind: String, right: String) {
    #expect(
      refusal("apiVersion: \(version)\nkind: \(kind)\nmetadata: {name: x}")
        == "a.yaml:2: \(kind) default/x: kind: there is no kind \"\(kind)\"; write kind: \(right)")
  }

  @Test(
    "a list of a known kind has items",
    arguments: [("v1", "List"), ("networking.k8s.io/v1", "NetworkPolicyList"), ("v1", "PodList")])
  func listWithoutItems(version: String, kind: String) {
    let text = "apiVersion: \(version)\nkind: \(kind)\nitms: []"
    #expect(refusal(text) == "a.yaml:1: \(kind): items: is missing; give the list's objects")
    #expect(throws: Never.self) { try read("apiVersion: \(version)\nkind: \(kind)\nitems: null") }
  }

  @Test(
    "another project's kind with a similar name is skipped",
    arguments: [
      ("projectcalico.org/v3", "networkpolicies"), ("serving.knative.dev/v1", "Services"),
      ("networking.k8s.io/v1", "Ingress"), ("metrics.k8s.io/v1beta1", "PodMetrics"),
      ("rbac.authorization.k8s.io/v1", "Role"), ("v1", "Secret"), ("v1", "PodTemplate"), ("v1", "ServiceAccount"),
      ("example.com/v1", "NetworkPolcy"),
    ])
  func similarKinds(version: String, kind: String) {
    #expect(refusal("apiVersion: \(version)\nkind: \(kind)\nmetadata: {name: x}") == "accepted")
  }
}
