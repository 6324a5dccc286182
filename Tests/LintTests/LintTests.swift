// Not covered: whether the sentences are clear. Each code has a smallest cluster, which CodeTests tries.
import Foundation
import Lint
import Manifests
import NetpolModel
import TestSupport
import Testing

@Suite("Lint") struct LintTests {
  private static func findings(_ text: String) throws -> [String] {
    try Linter(readWorld(text)).findings.map { "\($0.severity.rawValue) \($0.code) \($0.object) \($0.part)" }
      .map { $0.trimmingCharacters(in: .whitespaces) }
  }

  private static let namespaces =
    "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: ops}\n---\n"
  private static let web = """
    apiVersion: v1
    kind: Pod
    metadata: {namespace: shop, name: web, labels: {app: web}}
    spec: {nodeName: node1, containers: [{name: c, ports: [{name: http, containerPort: 80}]}]}
    ---

    """
  private static let pods =
    web + podText("shop/db", on: "node2", labels: "app: db")
    + podText("ops/agent", on: "node1", labels: "app: agent", spec: "hostNetwork: true")

  @Test("a finding with changes is gone once they are made") func fixes() throws {
    let folder = repository.appendingPathComponent("examples/codes")
    var mended: Set<Code> = []
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() where name.hasSuffix(".yaml")
    {
      let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
      guard let cluster = try? readWorld(text) else { continue }
      for finding in Linter(cluster).findings where !finding.fix.isEmpty {
        let after = Linter(cluster.applying(finding.fix)).findings
        #expect(
          !after.contains { $0.code == finding.code && $0.object == finding.object },
          "\(name): \(finding) then \(after)")
        mended.insert(finding.code)
      }
    }
    #expect(
      mended.isSuperset(of: [
        .otherTypes, .lintDNSOverUDP, .lintPeerSelectsNoPod, .lintHostNetworkPeer, .lintServiceAddress,
        .lintAddsNothing,
      ]), "\(mended)")
  }

  @Test(
    "each example's README lists every finding, and no other",
    arguments: [
      "deviations", "dual-stack", "homelab", "homelab-lag", "homelab-podselector", "homelab-standard-everywhere", "icn",
      "pod-cidr",
    ])
  func listed(example: String) throws {
    let folder = repository.appendingPathComponent("examples/\(example)")
    let text = try String(contentsOf: folder.appendingPathComponent("README.md"), encoding: .utf8)
    let section = try #require(text.components(separatedBy: "## What lint finds\n").dropFirst().first)
    // `* D1.yaml: NPL-804, why: `app/p`, `app/q` (2)`
    var listed: Set<String> = []
    for entry in section.components(separatedBy: "\n* ").dropFirst() {
      let words = entry.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      let file = words.hasPrefix("NPL") ? "" : String(words.prefix { $0 != ":" })
      let code = words.dropFirst(file.isEmpty ? 0 : file.count + 2).prefix(7)
      for (number, object) in words.components(separatedBy: "`").enumerated() where !number.isMultiple(of: 2) {
        listed.insert("\(file) \(code) \(object)")
      }
    }
    var found: Set<String> = []
    let add = { (file: String, cluster: Cluster) in
      for finding in Linter(cluster).findings { found.insert("\(file) \(finding.code) \(finding.object)") }
    }
    if example == "deviations" {
      for path in exampleManifests(example) {
        let world = try String(contentsOfFile: path, encoding: .utf8)
        add(URL(fileURLWithPath: path).lastPathComponent, try readWorld(world, asStored: path.hasSuffix("/D17.yaml")))
      }
    } else {
      let sources = try exampleManifests(example).map {
        ManifestSource(name: $0, text: try String(contentsOfFile: $0, encoding: .utf8), fromDirectory: true)
      }
      add("", try readManifests(sources).cluster)
    }
    #expect(listed == found, "only listed: \(listed.subtracting(found)); only found: \(found.subtracting(listed))")
  }

  struct Case: CustomTestStringConvertible {
    let spec: String
    /// Without what the policy of the namespace says about itself.
    let found: [String]
    var testDescription: String { spec }
  }

  static let cases: [Case] = [
    Case(
      spec:
        "{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: db}}}], ports: [{port: http}]}]}",
      found: []),
    Case(spec: "{podSelector: {matchLabels: {app: wbe}}}", found: ["warning NPL-801 shop/p"]),
    Case(
      spec: "{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: agent}}}]}]}",
      found: ["warning NPL-802 shop/p ingress rule 0, peer 0"]),
    Case(
      spec:
        "{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: agent}}}]}]}",
      found: ["error NPL-805 shop/p ingress rule 0, peer 0"]),
    Case(
      spec: "{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: https}]}]}",
      found: ["error NPL-313 shop/p ingress rule 0, port 0"]),
    Case(
      spec: "{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], egress: [{}]}",
      found: ["error NPL-316 shop/p"]),
    Case(
      spec:
        "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{ports: [{port: 53, protocol: UDP}]}]}",
      found: ["warning NPL-803 shop/p egress rule 0, port 0"]),
    Case(
      spec:
        "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{ports: [{port: 53, protocol: UDP}, {port: 53}]}]}",
      found: []),
    Case(
      spec:
        "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.43.7.0/24}}]}]}",
      found: ["error NPL-806 shop/p egress rule 0, peer 0"]),
    Case(
      spec: "{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]}",
      found: []),
  ]

  @Test("A policy's mistakes are found, and nothing else", arguments: cases) func policies(one: Case) throws {
    let policy = """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {namespace: shop, name: p}
      spec: \(one.spec)

      """
    let found = try Self.findings(twoNodesText("") + Self.namespaces + Self.pods + policy)
    #expect(found.filter { !$0.contains("NPL-813") } == one.found)
  }

  struct Silent: CustomTestStringConvertible {
    let testDescription: String
    let world: String
    let code: Code
  }

  static let silent: [Silent] = [
    Silent(
      testDescription: "a namespace that a chart leaves out",
      world: namespaces + pods
        + policyText(
          "shop/p",
          "podSelector: {matchLabels: {app: web}}\npolicyTypes: [Egress]\negress: [{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}]}]"
        ), code: .lintPeerSelectsNoPod),
    Silent(
      testDescription: "a policy beside a default-deny, for a namespace that a chart leaves out",
      world: namespaces + pods
        + policyText(
          "shop/p",
          "podSelector: {matchLabels: {app: web}}\ningress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: edge}}}]}]"
        ) + policyText("shop/deny", "podSelector: {}"), code: .lintAddsNothing),
    Silent(
      testDescription: "a workload that is scaled to none",
      world: namespaces + pods + """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {namespace: shop, name: idle}
        spec:
          replicas: 0
          selector: {matchLabels: {app: idle}}
          template: {metadata: {labels: {app: idle}}, spec: {containers: [{name: c}]}}
        ---

        """ + policyText("shop/p", "podSelector: {matchLabels: {app: idle}}"), code: .lintSelectsNoPod),
    Silent(
      testDescription: "a finished pod of a job",
      world: namespaces + pods
        + "apiVersion: v1\nkind: Pod\nmetadata: {namespace: shop, name: bk, labels: {app: bk}}\nspec: {containers: [{name: c}]}\nstatus: {phase: Succeeded}\n---\n"
        + policyText("shop/p", "podSelector: {matchLabels: {app: bk}}"), code: .lintSelectsNoPod),
    Silent(
      testDescription: "a block without the pod network",
      world: namespaces + pods
        + policyText(
          "shop/p",
          "podSelector: {matchLabels: {app: web}}\npolicyTypes: [Egress]\negress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.42.0.0/16, 10.43.0.0/16]}}]}]"
        ), code: .lintBlockOverPods),
    Silent(
      testDescription: "DNS pods of any namespace, where the input leaves kube-system out",
      world: namespaces + pods
        + policyText(
          "shop/p",
          "podSelector: {matchLabels: {app: web}}\npolicyTypes: [Egress]\negress: [{to: [{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}]}]"
        ), code: .lintPeerSelectsNoPod),
    Silent(
      testDescription: "pods of any namespace, one of which has none in the input",
      world: system + "apiVersion: v1\nkind: Namespace\nmetadata: {name: idle}\n---\n" + namespaces + pods
        + policyText(
          "shop/p",
          "podSelector: {matchLabels: {app: web}}\ningress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: none}}}]}]"
        ), code: .lintPeerSelectsNoPod),
    Silent(
      testDescription: "a namespace of which no object tells the labels",
      world: system + namespaces + pods + podText("free/pod", on: "node1", labels: "app: none")
        + policyText(
          "shop/p",
          "podSelector: {matchLabels: {app: web}}\ningress: [{from: [{namespaceSelector: {matchExpressions: [{key: a, operator: DoesNotExist}]}, podSelector: {matchLabels: {app: none}}}]}]"
        ), code: .lintPeerSelectsNoPod),
    Silent(
      testDescription: "pods that an operator makes of a custom resource",
      world: namespaces + pods + prometheus + policyText("shop/p", "podSelector: {matchLabels: {app: prometheus}}"),
      code: .lintSelectsNoPod),
    Silent(
      testDescription: "a peer that an operator makes of a custom resource",
      world: namespaces + pods + prometheus
        + policyText(
          "shop/p",
          "podSelector: {matchLabels: {app: web}}\ningress: [{from: [{podSelector: {matchLabels: {app: prometheus}}}]}]"
        ),
      code: .lintPeerSelectsNoPod),
    Silent(
      testDescription: "pods of a chart that a HelmRelease puts into the namespace",
      world: namespaces + pods
        + "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {namespace: flux, name: x}\nspec: {targetNamespace: shop}\n---\n"
        + policyText("shop/p", "podSelector: {matchLabels: {app: x}}"), code: .lintSelectsNoPod),
    Silent(
      testDescription: "no egress rules, where another policy isolates the pods too",
      world: namespaces + pods
        + policyText(
          "shop/p", "podSelector: {matchLabels: {app: web}}\npolicyTypes: [Ingress, Egress]\ningress: [{}]")
        + policyText("shop/deny", "podSelector: {}\npolicyTypes: [Egress]"), code: .lintEmptyEgress),
    Silent(
      testDescription: "no egress rules, as egress: [] says",
      world: namespaces + pods
        + policyText(
          "shop/p", "podSelector: {matchLabels: {app: web}}\npolicyTypes: [Ingress, Egress]\ningress: [{}]\negress: []"),
      code: .lintEmptyEgress),
    Silent(
      testDescription: "a default-deny whose pods other policies isolate",
      world: namespaces + pods + policyText("shop/deny", "podSelector: {}")
        + policyText(
          "shop/p",
          "podSelector: {matchExpressions: [{key: app, operator: Exists}]}\ningress: [{from: [{podSelector: {}}]}]"),
      code: .lintAddsNothing),
    Silent(
      testDescription: "a policy that adds nothing beside an AdminNetworkPolicy",
      world: namespaces + pods + adminPolicy
        + policyText("shop/p", "podSelector: {matchLabels: {app: web}}\ningress: [{}]"),
      code: .lintAddsNothing),
    Silent(
      testDescription: "DNS over UDP alone beside an AdminNetworkPolicy, which may admit the rest",
      world: namespaces + pods + adminPolicy
        + policyText(
          "shop/p",
          "podSelector: {matchLabels: {app: web}}\npolicyTypes: [Egress]\negress: [{ports: [{port: 53, protocol: UDP}]}]"
        ), code: .lintDNSOverUDP),
    Silent(
      testDescription: "a namespace without policies beside an AdminNetworkPolicy",
      world: namespaces + pods + adminPolicy + podText("free/pod", on: "node1", labels: "app: none")
        + policyText("shop/p", "podSelector: {}"), code: .lintBareNamespace),
    Silent(
      testDescription: "both directions, where no rule admits the policy's own pods",
      world: namespaces + pods
        + policyText(
          "shop/p",
          "podSelector: {}\npolicyTypes: [Ingress, Egress]\ningress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops}}}]}]"
        ), code: .lintBothTypes),
    Silent(
      testDescription: "a policy that adds nothing for the pods of the input, and may for those of other namespaces",
      world: namespaces + pods
        + policyText("shop/p", "podSelector: {matchLabels: {app: web}}\ningress: [{from: [{namespaceSelector: {}}]}]"),
      code: .lintAddsNothing),
    Silent(
      testDescription: "a policy that refuses all, beside one that admits somebody to the same pods",
      world: namespaces + pods + policyText("shop/deny", "podSelector: {matchLabels: {app: web}}")
        + policyText(
          "shop/p",
          "podSelector: {matchLabels: {app: web}}\ningress: [{from: [{podSelector: {matchLabels: {app: db}}}]}]"),
      code: .lintAddsNothing),
    Silent(
      testDescription: "the cluster's own namespace without policies",
      world: system + namespaces + pods + policyText("shop/p", "podSelector: {}")
        + policyText("ops/p", "podSelector: {}"),
      code: .lintBareNamespace),
    Silent(
      testDescription: "all pods of a namespace, of which the input has those of a job",
      world: namespaces + pods
        + "apiVersion: batch/v1\nkind: Job\nmetadata: {namespace: ops, name: j}\nspec: {template: {metadata: {labels: {app: j}}, spec: {restartPolicy: Never, containers: [{name: c}]}}}\n---\n"
        + policyText(
          "shop/p",
          "podSelector: {matchLabels: {app: web}}\ningress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops}}}]}]"
        ), code: .lintJobPeer),
    Silent(
      testDescription: "pods with labels of a project whose types the input defines",
      world: namespaces + pods
        + "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: volumes.longhorn.io}\nspec: {group: longhorn.io}\n---\n"
        + policyText("shop/p", "podSelector: {matchLabels: {longhorn.io/component: csi-plugin}}"),
      code: .lintSelectsNoPod),
    Silent(
      testDescription: "a balancer's Service that only pods may use",
      world: namespaces + pods
        + "apiVersion: v1\nkind: Service\nmetadata: {namespace: shop, name: web}\nspec: {type: LoadBalancer, selector: {app: web}, loadBalancerSourceRanges: [10.42.0.0/25], ports: [{port: 80}]}\n---\n"
        + policyText("shop/p", "podSelector: {}"), code: .lintNodePort),
  ]

  private static let system =
    "apiVersion: v1\nkind: Namespace\nmetadata: {name: kube-system}\n---\n"
    + podText("kube-system/dns", on: "node1", labels: "k8s-app: kube-dns")
  private static let prometheus =
    "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {namespace: shop, name: k8s}\n---\n"
  private static let adminPolicy =
    "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: deny}\n---\n"

  @Test("pods without a namespace are told to lack it, and no policy is opened for them") func noNamespace() throws {
    let world =
      twoNodesText("") + Self.namespaces + Self.pods + podText("default/cache", on: "node1", labels: "app: cache")
      + policyText(
        "shop/p",
        "podSelector: {matchLabels: {app: web}}\ningress: [{from: [{podSelector: {matchLabels: {app: cache}}}]}]")
    let finding = try #require(Linter(readWorld(world)).findings.first { $0.code == .lintPeerSelectsNoPod })
    #expect(finding.remedy == "give them their namespace" && finding.fix.isEmpty)
  }

  @Test("a named port that nobody has opens all ports under kube-router where peers are pods") func openedPorts() throws
  {
    let text = { (peers: String) in
      let policy = policyText(
        "shop/p", "podSelector: {matchLabels: {app: web}}\ningress: [{\(peers)ports: [{port: https}]}]")
      return try Linter(readWorld(twoNodesText("") + Self.namespaces + Self.pods + policy)).findings.first {
        $0.code == .missUnknownName
      }?.text
    }
    #expect(try text("from: [{podSelector: {}}], ")?.contains("admits every port (D2)") == true)
    #expect(try text("")?.contains("D2") == false)
  }

  @Test("in a whole cluster, a peer of any namespace that selects nobody is told") func nobodyAnywhere() throws {
    let policy = policyText(
      "shop/p",
      "podSelector: {matchLabels: {app: web}}\ningress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: none}}}]}]"
    )
    let world = twoNodesText("") + Self.system + Self.namespaces + Self.pods + policy
    #expect(try Self.findings(world).contains("warning NPL-802 shop/p ingress rule 0, peer 0"))
  }

  @Test("the address of a Service without selector is replaced by those of its endpoints") func selectorless() throws {
    let text = """
      apiVersion: v1
      kind: Service
      metadata: {namespace: default, name: kubernetes}
      spec: {clusterIP: 10.43.0.1, ports: [{name: https, port: 443, targetPort: 6443}]}
      ---
      apiVersion: discovery.k8s.io/v1
      kind: EndpointSlice
      metadata: {namespace: default, name: kubernetes, labels: {kubernetes.io/service-name: kubernetes}}
      addressType: IPv4
      endpoints: [{addresses: [192.168.20.11]}]
      ports: [{name: https, port: 6443}]
      ---

      """
    let policy = policyText(
      "shop/p",
      "podSelector: {matchLabels: {app: web}}\npolicyTypes: [Egress]\negress: [{to: [{ipBlock: {cidr: 10.43.0.1/32}}], ports: [{port: 443}]}]"
    )
    let cluster = try readWorld(twoNodesText("") + Self.namespaces + Self.pods + text + policy)
    let finding = try #require(Linter(cluster).findings.first { $0.code == .lintServiceAddress })
    #expect(finding.remedy.contains("addresses of its endpoints"))
    let mended = try #require(cluster.applying(finding.fix).policies.first)
    let rule = try #require(mended.egress.first)
    #expect(rule.peers == .listed([.block(.init(try #require(CIDR("192.168.20.11/32"))))]))
    #expect(rule.ports.list.contains(.init(.tcp, .number(6443, through: nil))))
  }

  @Test("a network that this lab gave to the pods is not told to be theirs") func assumedNetwork() throws {
    let policy = policyText(
      "shop/p", "podSelector: {matchLabels: {app: web}}\ningress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]")
    let text = { (world: String) in
      try Linter(readWorld(world)).findings.first { $0.code == .lintBlockOverPods }?.text ?? ""
    }
    #expect(try text(twoNodesText("") + Self.namespaces + Self.pods + policy).contains("(now 2 pods of shop)"))
    #expect(try text(Self.namespaces + Self.pods + policy).contains("the input has no pod CIDR"))
    let wide =
      policyText(
        "shop/a", "podSelector: {matchLabels: {app: web}}\ningress: [{from: [{ipBlock: {cidr: 10.42.0.0/24}}]}]")
      + policyText(
        "shop/b", "podSelector: {matchLabels: {app: web}}\ningress: [{from: [{ipBlock: {cidr: 10.42.0.0/16}}]}]")
    let addsNothing = { (world: String) in
      try Linter(readWorld(world)).findings.contains { $0.code == .lintAddsNothing && $0.object == "shop/a" }
    }
    #expect(try addsNothing(twoNodesText("") + Self.namespaces + Self.pods + wide))
    #expect(try !addsNothing(Self.namespaces + Self.pods + wide))
  }

  @Test("a policy that adds nothing: what it says, another one says for all pods, some do for these, or nobody needs")
  func addsNothing() throws {
    let finding = { (policies: String) in
      try Linter(readWorld(twoNodesText("") + Self.namespaces + Self.pods + policies)).findings.first {
        $0.code == .lintAddsNothing && $0.object == "shop/a"
      }
    }
    let web = "podSelector: {matchLabels: {app: web}}\n"
    let fromAll = "ingress: [{from: [{podSelector: {}}]}]"
    let same = try #require(try finding(policyText("shop/a", web + fromAll) + policyText("shop/b", web + fromAll)))
    #expect(same.text == "policy shop/b says all that it says, for all pods to come too" && !same.fix.isEmpty)
    let wider = try #require(
      try finding(policyText("shop/a", web + fromAll) + policyText("shop/b", web + "ingress: [{}]")))
    #expect(wider.text.hasPrefix("policy shop/b says all") && !wider.fix.isEmpty)
    let today = try #require(
      try finding(
        policyText("shop/a", web + "ingress: [{from: [{podSelector: {matchLabels: {app: db}}}]}]")
          + policyText("shop/b", web + fromAll)))
    #expect(today.text.hasSuffix("other policies say what it says") && today.fix.isEmpty)
    let alone = try #require(try finding(policyText("shop/a", web + "ingress: [{}]")))
    #expect(alone.text.hasSuffix("it admits what is admitted without it") && alone.fix.isEmpty)
  }

  @Test(
    "a patch for kustomize is told from a manifest",
    arguments: [
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n$patch: delete\n",
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {template: {spec: {containers: [{name: c}]}}}\n",
      "apiVersion: v1\nkind: Service\nmetadata: {name: x}\n",
    ])
  func kustomizePatch(text: String) {
    #expect {
      try readWorld(text)
    } throws: { error in "\(error)".contains("kubectl kustomize FOLDER") }
  }

  @Test("what can't be decided, or holds at other times, is not told", arguments: silent) func untold(one: Silent)
    throws
  {
    let findings = try Linter(readWorld(twoNodesText("") + one.world)).findings
    #expect(!findings.contains { $0.code == one.code }, "\(findings)")
  }

  @Test("of two policies that say the same, one is told to add nothing") func duplicates() throws {
    let policy = { (name: String) in policyText("shop/\(name)", "podSelector: {matchLabels: {app: web}}") }
    let findings = try Linter(readWorld(twoNodesText("") + Self.namespaces + Self.pods + policy("a") + policy("b")))
      .findings
    #expect(findings.filter { $0.code == .lintAddsNothing }.map(\.object) == ["shop/a"])
  }

  @Test("An annotation keeps a code from being told for its policy") func annotation() throws {
    let policy = { (annotation: String) in
      """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {namespace: shop, name: p, annotations: {netpol-lab/ignore: '\(annotation)'}}
      spec: {podSelector: {matchLabels: {app: wbe}}}

      """
    }
    let found = { (annotation: String) in
      try Self.findings(twoNodesText("") + Self.namespaces + Self.pods + policy(annotation)).filter {
        $0.contains("NPL-801")
      }
    }
    #expect(try found("NPL-802").count == 1)
    #expect(try found("NPL-803, NPL-801").isEmpty)
  }

  @Test(
    "Reports from the field: each mistake is found",
    arguments: [
      ("12-policytypes/world.yaml", ["NPL-316", "NPL-316"]), ("29-peer-selectors/world.yaml", ["NPL-802", "NPL-802"]),
      ("31-hostnetwork-selected/world.yaml", ["NPL-317"]),
      ("rw-07-matches-nothing/silent.yaml", ["NPL-316", "NPL-801", "NPL-802"]),
    ])
  func field(file: String, codes: [String]) throws {
    let text = try String(
      contentsOf: repository.appendingPathComponent("Tests/Fixtures/field/\(file)"), encoding: .utf8)
    let found = try Linter(readWorld(text)).findings.map(\.code.rawValue)
    let told = found.filter { !["NPL-809", "NPL-813", "NPL-807"].contains($0) }
    #expect(told.sorted() == codes.sorted(), "\(found)")
  }
}
