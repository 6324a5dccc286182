// Not covered: whether a lab can be kept for a variant. These tests check that unchanged objects keep what they had.
import Manifests
import NetpolModel
import Testing

@Suite struct VariantTests {
  private static let web =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {replicas: 2, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, ports: [{containerPort: 80}]}]}}}\n---\n"
  private static let base =
    web + podText("lone", namespace: "shop") + podText("fixed", namespace: "shop", node: "n2", ip: "10.42.9.9")
    + "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {mesh: \"true\"}}\n---\n"
    + serviceText(
      "{type: NodePort, selector: {app: web}, ports: [{port: 80}]}", metadata: "name: web, namespace: shop")
    + policyText("{}") + "\n---\n"

  private func variant(_ fields: String, _ files: [String: String] = [:], base: String = base) throws -> (
    base: Cluster, variant: Cluster
  ) {
    let reading = try read(base, ExpectationsTests.document("[{name: g, \(fields)}]"))
    let group = try #require(reading.expectations.first)
    return (reading.cluster, try reading.cluster(of: group) { try file($0, of: files) })
  }
  private func file(_ path: String, of files: [String: String]) throws -> ManifestSource {
    guard let text = files[path] else { throw Missing() }
    return ManifestSource(name: path, text: text)
  }
  private func refusal(_ fields: String, _ text: String, base: String = base) -> String {
    do {
      _ = try variant(fields, ["x.yaml": text], base: base)
      return "accepted"
    } catch { return "\(error)" }
  }

  @Test("a group without a variant uses the cluster of the manifests")
  func none() throws {
    let reading = try read(Self.base, ExpectationsTests.document("[{name: g}]"))
    let group = try #require(reading.expectations.first)
    #expect(try reading.cluster(of: group) { _ in throw Missing() } == reading.cluster)
  }

  @Test("removes policies, changes labels and settings, and changes nothing else")
  func changes() throws {
    var (base, variant) = try variant(
      """
      without: [shop/web], labels: [{namespace: shop, set: {mesh: null, tier: "1"}}, {pod: shop/lone, set: {app: x}}],
      cluster: {bridgeNetfilter: false, overlay: host-gw}
      """)
    #expect(variant.policies.isEmpty)
    #expect(variant.labels(ofNamespace: "shop") == ["kubernetes.io/metadata.name": "shop", "tier": "1"])
    #expect(variant.pod(PodID("shop", "lone"))?.labels == ["app": "x"])
    #expect(variant.settings.overlay == .hostGateway && !variant.settings.bridgeNetfilter)
    variant.policies = base.policies
    variant.namespaces = base.namespaces
    variant.settings = base.settings
    for index in base.pods.indices where base.pods[index].id.name == "lone" { base.pods[index].labels = ["app": "x"] }
    #expect(variant == base)
  }

  @Test("a changed label changes the endpoints of a Service")
  func slices() throws {
    let (base, variant) = try variant(
      "labels: [{pod: shop/lone, set: {app: web}}, {pod: shop/web-1, set: {app: null}}]")
    let pods = { (cluster: Cluster) in Set(cluster.endpointSlices.flatMap(\.members).compactMap(\.pod?.name)) }
    #expect(pods(base) == ["web-0", "web-1"])
    #expect(pods(variant) == ["web-0", "lone"])
  }

  @Test("an added object replaces one of the same kind and name, or is added to the rest")
  func replacement() throws {
    let added =
      policyText("{policyTypes: [Egress]}") + "\n---\n"
      + policyText("{}").replacing("name: web", with: "name: other") + "\n---\n"
      + "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {mesh: \"false\"}}\n---\n"
      + serviceText("{selector: {app: web}, ports: [{port: 81}]}", metadata: "name: web, namespace: shop")
    let (base, variant) = try variant("add: [x.yaml]", ["x.yaml": added])
    #expect(variant.policies.map(\.id.name) == ["other", "web"])
    #expect(variant.policies.last?.isolates == [.egress])
    #expect(variant.labels(ofNamespace: "shop")["mesh"] == "false")
    #expect(variant.services.flatMap(\.ports).map(\.port) == [81])
    #expect(variant.services.map(\.clusterIPs) == base.services.map(\.clusterIPs))
    #expect(variant.pods == base.pods)
  }

  @Test("unchanged objects keep nodes, addresses and ports, wherever added objects sort")
  func pinned() throws {
    let added =
      podText("aaa", namespace: "aaa") + podText("bbb", namespace: "aaa", node: "n2")
      + podText("ccc", namespace: "shop", node: "n0")
      + Self.web.replacing("replicas: 2", with: "replicas: 5").replacing("name: web", with: "name: api")
      + serviceText("{type: NodePort, ports: [{port: 80}]}", metadata: "name: aaa, namespace: aaa")
    let (base, variant) = try variant("add: [x.yaml]", ["x.yaml": added])
    for pod in base.pods { #expect(variant.pod(pod.id) == pod) }
    for node in base.nodes { #expect(variant.node(node.name) == node) }
    for service in base.services { #expect(variant.service(service.id) == service) }
    #expect(variant.nodes.map(\.name) == ["n0", "n2"])
    #expect(variant.pods.count == base.pods.count + 5)
    let addresses = variant.pods.flatMap(\.podIPs) + variant.nodes.flatMap(\.addresses)
    #expect(Set(addresses).count == addresses.count)
    #expect(variant.services.map(\.clusterIPs.description) == ["[10.43.1.2]", "[10.43.1.1]"])
  }

  @Test("the single assumed node stays, and an added pod can replace a workload's pod of the same name")
  func assumedNode() throws {
    let pod = podText("web-0", namespace: "shop", node: "node9")
    let (base, variant) = try variant("add: [x.yaml]", ["x.yaml": pod], base: Self.web)
    #expect(base.nodes.map(\.name) == ["node1"])
    #expect(variant.nodes.map(\.name) == ["node1", "node9"])
    #expect(variant.pod(PodID("shop", "web-0"))?.node == "node9")
    #expect(variant.pod(PodID("shop", "web-1")) == base.pod(PodID("shop", "web-1")))
    #expect(Set(variant.pods.flatMap(\.podIPs)).count == 3)
  }

  @Test("paths of added files are relative to the document's folder")
  func paths() throws {
    for (document, path, expected) in [
      ("-", "x.yaml", "x.yaml"), ("e.yaml", "v/x.yaml", "v/x.yaml"), ("dir/e.yaml", "v/x.yaml", "dir/v/x.yaml"),
      ("../dir/e.yaml", "../x.yaml", "../dir/../x.yaml"), ("dir/e.yaml", "/srv/x.yaml", "/srv/x.yaml"),
    ] {
      let text = ExpectationsTests.document("[{name: g, add: [\(path)]}]")
      let reading = try readManifests([ManifestSource(name: document, text: text)])
      let group = try #require(reading.expectations.first)
      var paths: [String] = []
      _ = try reading.cluster(of: group) { path in
        paths.append(path)
        return ManifestSource(name: path, text: "")
      }
      #expect(paths == [expected])
    }
  }

  @Test("names in a group that adds files may refer to objects in those files")
  func addedNames() throws {
    let fields =
      "add: [x.yaml], without: [shop/new], flows: [{from: shop/new, to: shop/lone, port: 80, expect: allowed}]"
    let added = podText("new", namespace: "shop") + policyText("{}").replacing("name: web", with: "name: new")
    #expect(refusal(fields, added) == "accepted")
    #expect(
      refusal(fields, podText("new", namespace: "shop"))
        == "b.yaml:3: Expectations: groups[0].without[0]: \"shop/new\" matches no NetworkPolicy; known in shop: web")
    #expect(
      refusal(fields, policyText("{}").replacing("name: web", with: "name: new"))
        == "b.yaml:3: Expectations: groups[0].flows[0].from: \"shop/new\" matches no pod; known in shop: fixed, lone, web-0, web-1"
    )
  }

  @Test("a variant's notes are only those about what it adds")
  func notes() throws {
    let reading = try read(Self.base, ExpectationsTests.document("[{name: g, add: [x.yaml]}]"))
    let group = try #require(reading.expectations.first)
    let added = podText("p", namespace: "new", node: "n2")
    let variant = try reading.reading(of: group) { ManifestSource(name: $0, text: added) }
    #expect(variant.texts == ["no Namespace object: new; assumed with only the name label"])
    #expect(variant.objectCount == reading.objectCount + 1)
    #expect(variant.expectations == reading.expectations)
  }

  private static let refusals = [
    (
      "apiVersion: netpol-lab/v1alpha1\nkind: Cluster",
      "x.yaml:1: Cluster: an added file can't contain a document of kind Cluster; move it to one of the manifest files"
    ),
    (
      "apiVersion: netpol-lab/v1alpha1\nkind: Expectations\ngroups: [{name: a}]",
      "x.yaml:1: Expectations: an added file can't contain a document of kind Expectations; move it to one of the manifest files"
    ),
    (
      policyText("{}") + "\n---\n" + policyText("{}"),
      "x.yaml:6: NetworkPolicy shop/web: a second NetworkPolicy with this name; keep one; the first is at x.yaml:1"
    ),
    (
      podText("thief", ip: "10.42.9.3"),
      "x.yaml:5: Pod default/thief: status.podIP: 10.42.9.3 is the address of pod shop/web-0 (a.yaml:1); give the pod an address of its own"
    ),
    (
      "apiVersion: v1\nkind: Node\nmetadata: {name: thief}\nstatus: {addresses: [{type: InternalIP, address: 172.30.0.11}]}",
      "x.yaml:4: Node thief: status.addresses[0].address: 172.30.0.11 is the address of node n2 (a.yaml:12); give the node an address of its own"
    ),
    (
      "apiVersion: v1\nkind: Node\nmetadata: {name: thief}\nspec: {podCIDR: 10.42.0.0/16}",
      "x.yaml:4: Node thief: spec.podCIDR: 10.42.0.0/16 overlaps 10.42.9.0/24 of node n2; give each node pod CIDRs of its own"
    ),
    (
      serviceText("{clusterIP: 10.43.1.1}", metadata: "name: thief"),
      "x.yaml:4: Service default/thief: spec.clusterIP: 10.43.1.1 is the ClusterIP of Service shop/web (a.yaml:22); give the Service an address of its own"
    ),
    (
      serviceText("{type: NodePort, ports: [{port: 1, nodePort: 30086}]}", metadata: "name: thief"),
      "x.yaml:4: Service default/thief: spec.ports[0].nodePort: TCP/30086 is a NodePort of Service shop/web (a.yaml:22); use a number that is free"
    ),
  ]

  @Test("rejects an added file that conflicts with the manifests", arguments: refusals)
  func refused(text: String, line: String) {
    #expect(refusal("add: [x.yaml]", text) == line)
  }

  @Test("an unreadable file is reported at its name in the document")
  func unreadable() {
    #expect(
      refusal("add: [y.yaml]", "")
        == "b.yaml:3: Expectations: groups[0].add[0]: y.yaml can't be read: Missing()")
  }
}
