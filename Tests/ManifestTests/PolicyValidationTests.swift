// Does not show that everything an API server refuses is refused: only what a NetworkPolicy's spec and names can say.
import Manifests
import NetpolModel
import Testing

@Suite struct PolicyValidationTests {
  @Test(
    "a spec that the API server refuses is refused in one line with field and remedy",
    arguments: [
      // ipBlock
      (
        "{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/33}}]}]}",
        "spec.ingress[0].from[0].ipBlock.cidr: \"10.0.0.0/33\" is no CIDR; write one such as 10.0.0.0/8 or fd00::/8"
      ),
      (
        "{ingress: [{from: [{ipBlock: {cidr: 10.0.0.5}}]}]}",
        "spec.ingress[0].from[0].ipBlock.cidr: \"10.0.0.5\" has no prefix length; write 10.0.0.5/32 for the address alone"
      ),
      (
        "{ingress: [{from: [{ipBlock: {cidr: 010.0.0.0/8}}]}]}",
        "spec.ingress[0].from[0].ipBlock.cidr: \"010.0.0.0/8\" has an octet with a leading zero; write 10.0.0.0/8"
      ),
      (
        "{ingress: [{from: [{ipBlock: {}}]}]}",
        "spec.ingress[0].from[0].ipBlock.cidr: is missing; write 0.0.0.0/0 for every IPv4 address"
      ),
      (
        "{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}]}]}",
        "spec.egress[0].to[0].ipBlock.except[0]: 11.0.0.0/16 must be a strict subset of cidr 10.0.0.0/8; remove it, or widen cidr"
      ),
      (
        "{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]}",
        "spec.egress[0].to[0].ipBlock.except[0]: 10.0.0.0/8 must be a strict subset of cidr 10.0.0.0/8; remove the peer, since nothing is left of it"
      ),
      (
        "{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [\"::/0\"]}}]}]}",
        "spec.egress[0].to[0].ipBlock.except[0]: ::/0 must be a strict subset of cidr 10.0.0.0/8; remove it, or widen cidr"
      ),
      (
        "{egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]}",
        "spec.egress[0].to[0]: may not specify both ipBlock and another peer; give each a list entry of its own"
      ),
      // peers
      (
        "{ingress: [{from: [{}]}]}",
        "spec.ingress[0].from[0]: must specify a peer; write podSelector: {} for every pod of the policy's namespace"
      ),
      (
        "{ingress: [{from: [{podSelector: null}]}]}",
        "spec.ingress[0].from[0]: must specify a peer; write podSelector: {} for every pod of the policy's namespace"
      ),
      // ports
      (
        "{ingress: [{ports: [{port: 0}]}]}",
        "spec.ingress[0].ports[0].port: 0 is no port; give a number from 1 to 65535"
      ),
      (
        "{ingress: [{ports: [{port: -1}]}]}",
        "spec.ingress[0].ports[0].port: -1 is no port; give a number from 1 to 65535"
      ),
      (
        "{ingress: [{ports: [{port: 65536}]}]}",
        "spec.ingress[0].ports[0].port: 65536 is no port; give a number from 1 to 65535"
      ),
      (
        "{ingress: [{ports: [{port: 99999999999999999999}]}]}",
        "spec.ingress[0].ports[0].port: expected an integer, found the number 1e+20"
      ),
      (
        "{ingress: [{ports: [{port: 80.5}]}]}",
        "spec.ingress[0].ports[0].port: expected an integer, found the number 80.5"
      ),
      (
        "{ingress: [{ports: [{port: true}]}]}",
        "spec.ingress[0].ports[0].port: expected an integer, found the boolean true"
      ),
      (
        "{ingress: [{ports: [{port: \"80\"}]}]}",
        "spec.ingress[0].ports[0].port: \"80\" in quotes is a port's name, and a name needs a letter; write 80 without quotes"
      ),
      (
        "{ingress: [{ports: [{port: Http}]}]}",
        "spec.ingress[0].ports[0].port: \"Http\" is no port name; give at most 15 of a-z, 0-9 and single inner '-', one of them a letter"
      ),
      (
        "{ingress: [{ports: [{port: a--b}]}]}",
        "spec.ingress[0].ports[0].port: \"a--b\" is no port name; give at most 15 of a-z, 0-9 and single inner '-', one of them a letter"
      ),
      (
        "{ingress: [{ports: [{port: 80, endPort: 79}]}]}",
        "spec.ingress[0].ports[0].endPort: 79 is below port 80; give 80 or more, or swap the two"
      ),
      (
        "{ingress: [{ports: [{port: 80, endPort: 70000}]}]}",
        "spec.ingress[0].ports[0].endPort: 70000 is no port; give a number from 1 to 65535"
      ),
      (
        "{ingress: [{ports: [{port: http, endPort: 90}]}]}",
        "spec.ingress[0].ports[0].endPort: may not be given with a port's name; give port as a number, or remove endPort"
      ),
      (
        "{ingress: [{ports: [{endPort: 90}]}]}",
        "spec.ingress[0].ports[0].endPort: may not be given without port; give port, the first of the range"
      ),
      (
        "{ingress: [{ports: [{port: 80, endPort: \"90\"}]}]}",
        "spec.ingress[0].ports[0].endPort: expected an integer, found the string \"90\"; write 90 without quotes"
      ),
      (
        "{ingress: [{ports: [{protocol: tcp}]}]}",
        "spec.ingress[0].ports[0].protocol: unknown protocol \"tcp\"; write TCP"
      ),
      (
        "{ingress: [{ports: [{protocol: ICMP}]}]}",
        "spec.ingress[0].ports[0].protocol: unknown protocol \"ICMP\"; write TCP, UDP or SCTP"
      ),
      // policyTypes
      ("{policyTypes: [ingress]}", "spec.policyTypes[0]: unknown policy type \"ingress\"; write Ingress"),
      ("{policyTypes: [Both]}", "spec.policyTypes[0]: unknown policy type \"Both\"; write Ingress or Egress"),
      (
        "{policyTypes: [Ingress, Egress, Ingress]}",
        "spec.policyTypes: more than two policyTypes; give each of Ingress and Egress once at most"
      ),
      // selectors
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
        "spec.podSelector.matchLabels.app: \"-x\" is no label value; give at most 63 of letters, digits, '-', '_' and '.' that start and end with a letter or digit, or \"\""
      ),
      (
        "{podSelector: {matchLabels: {a/b/c: x}}}",
        "spec.podSelector.matchLabels.a/b/c: \"a/b/c\" is no label key; give at most 63 of letters, digits, '-', '_' and '.' that start and end with a letter or digit, after a DNS prefix and '/' or alone"
      ),
      (
        "{podSelector: {matchExpressions: [{key: a, operator: in, values: [b]}]}}",
        "spec.podSelector.matchExpressions[0].operator: unknown operator \"in\"; write In"
      ),
      (
        "{podSelector: {matchExpressions: [{key: a, operator: In}]}}",
        "spec.podSelector.matchExpressions[0].values: is missing; In needs one value at least"
      ),
      (
        "{podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}",
        "spec.podSelector.matchExpressions[0].values: may not be given with Exists; remove it, or write In or NotIn"
      ),
      (
        "{podSelector: {matchExpressions: [{operator: Exists}]}}",
        "spec.podSelector.matchExpressions[0].key: is missing; name the label"
      ),
      // unknown fields
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
      ("{egress: [{from: []}]}", "spec.egress[0].from: unknown field; known here: to, ports"),
      (
        "{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, excepts: []}}]}]}",
        "spec.ingress[0].from[0].ipBlock.excepts: unknown field; did you mean except?"
      ),
      // shapes
      ("{ingress: {from: []}}", "spec.ingress: expected a list, found a mapping"),
      ("{ingress: [{from: {podSelector: {}}}]}", "spec.ingress[0].from: expected a list, found a mapping"),
      ("{podSelector: web}", "spec.podSelector: expected a mapping, found the string \"web\""),
    ])
  func spec(_ spec: String, _ line: String) {
    #expect(refusal(policyText(spec)) == "a.yaml:4: NetworkPolicy shop/web: \(line)")
  }

  @Test(
    "names and versions are checked as the API server checks them",
    arguments: [
      (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: Web}",
        "a.yaml:3: NetworkPolicy default/Web: metadata.name: \"Web\" is no object name; give a-z, 0-9 and inner '-', as in a DNS name"
      ),
      (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web, namespace: a.b}",
        "a.yaml:3: NetworkPolicy a.b/web: metadata.namespace: \"a.b\" is no namespace name; give at most 63 of a-z, 0-9 and inner '-'"
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
        "a.yaml:1: NetworkPolicy default/web: apiVersion: is missing; give it, such as v1 or networking.k8s.io/v1"
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
    "what the API server takes is taken",
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

  @Test(
    "a second object of one name is an error that names both places",
    arguments: [
      ("networking.k8s.io/v1", "NetworkPolicy", "default/x"), ("v1", "Pod", "default/x"), ("v1", "Node", "x"),
      ("v1", "Service", "default/x"), ("apps/v1", "Deployment", "default/x"),
    ])
  func duplicates(version: String, kind: String, name: String) {
    let text = "\n\napiVersion: \(version)\nkind: \(kind)\nmetadata: {name: x}"
    #expect(
      refusal(text, "---" + text)
        == "b.yaml:3: \(kind) \(name): a second \(kind) of this name; keep one; the first is at a.yaml:3")
  }
}
