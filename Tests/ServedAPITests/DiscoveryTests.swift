// Not covered: that kubectl takes it, which needs kubectl.
import ServedAPI
import Testing
import Text

@Suite("What the server says of its types") struct DiscoveryTests {
  static let widget = ResourceType("example.com", "v1beta1", "Widget", "widgets", isOpaque: true)
  static let newWidget = ResourceType("example.com", "v1", "Widget", "widgets", isNamespaced: false, isOpaque: true)
  static let discovery = Discovery(ResourceType.builtIn + [widget, newWidget])
  static let v2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
  static let v2beta1 = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"

  @Test(
    "the first known format of the Accept header is the answer's",
    arguments: [
      ("\(v2),\(v2beta1),application/json", Discovery.Format.aggregatedV2),
      ("\(v2beta1),application/json", .aggregatedV2Beta1),
      ("application/json, \(v2)", .plain),
      ("application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList,\(v2)", .aggregatedV2),
      (
        "application/vnd.kubernetes.protobuf;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json",
        .plain
      ),
      ("application/vnd.kubernetes.protobuf", .plain), ("*/*", .plain), ("", .plain),
    ])
  func format(accept: String, format: Discovery.Format) { #expect(Discovery.format(accept: accept) == format) }

  @Test("an aggregated answer says its format in its content type") func contentType() {
    #expect(Discovery.Format.aggregatedV2.contentType == Self.v2)
    #expect(Discovery.Format.aggregatedV2Beta1.contentType == Self.v2beta1)
    #expect(Discovery.Format.plain.contentType == "application/json")
  }

  @Test("the core group is at /api, all others are at /apis") func places() {
    let api = Self.discovery.api(.aggregatedV2)
    #expect(api["apiVersion"] == "apidiscovery.k8s.io/v2" && api["items"]?.array.count == 1)
    #expect(api["items"]?.array.first?["metadata"] == [:])
    let names = Self.discovery.apis(.aggregatedV2Beta1)["items"]?.array.compactMap { $0[["metadata", "name"]]?.string }
    #expect(
      names == [
        "apps", "batch", "discovery.k8s.io", "networking.k8s.io", "coordination.k8s.io", "events.k8s.io",
        "apiextensions.k8s.io", "policy", "autoscaling", "rbac.authorization.k8s.io", "storage.k8s.io",
        "scheduling.k8s.io", "example.com",
      ])
    #expect(
      Self.discovery.api(.plain)
        == ["kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []])
    #expect(Self.discovery.apis(.plain)["groups"]?.array.compactMap { $0["name"]?.string } == names)
  }

  @Test("an aggregated type has its names, its scope, and its status below it") func aggregatedType() throws {
    let core = try #require(Self.discovery.api(.aggregatedV2)["items"]?.array.first?["versions"]?.array.first)
    let pods = core["resources"]?.array.first { $0["resource"] == "pods" }
    let responseKind: JSON = ["group": "", "version": "v1", "kind": "Pod"]
    #expect(
      pods == [
        "resource": "pods", "singularResource": "pod", "responseKind": responseKind, "scope": "Namespaced",
        "verbs": .array(ResourceType.verbs.map(JSON.string)), "shortNames": ["po"], "categories": ["all"],
        "subresources": [
          ["subresource": "status", "responseKind": responseKind, "verbs": ["get", "patch", "update"]],
          [
            "subresource": "binding", "responseKind": ["group": "", "version": "v1", "kind": "Binding"],
            "verbs": ["create"],
          ],
          [
            "subresource": "eviction", "responseKind": ["group": "policy", "version": "v1", "kind": "Eviction"],
            "verbs": ["create"],
          ],
        ],
      ])
  }

  @Test("a version's plain list has statuses as resources of their own") func plainTypes() throws {
    let list = try #require(Self.discovery.resources(group: "networking.k8s.io", version: "v1"))
    #expect(list["groupVersion"] == "networking.k8s.io/v1")
    #expect(
      list["resources"]?.array.compactMap { $0["name"]?.string }
        == [
          "networkpolicies", "servicecidrs", "servicecidrs/status", "ingresses", "ingresses/status", "ingressclasses",
        ])
    #expect(list["resources"]?.array.first?["shortNames"] == ["netpol"])
    #expect(Self.discovery.resources(group: "", version: "v1")?["groupVersion"] == "v1")
  }

  @Test("a group prefers its most mature version") func preferred() {
    let group = Self.discovery.group("example.com")
    #expect(group?["kind"] == "APIGroup")
    #expect(group?["preferredVersion"] == ["groupVersion": "example.com/v1", "version": "v1"])
    #expect(group?["versions"]?.array.compactMap { $0["version"]?.string } == ["v1", "v1beta1"])
  }

  @Test("versions go from mature to new, the newest first, and other names last") func versionOrder() {
    let versions = ["foo10", "v1alpha1", "v2beta10", "v1", "v11beta2", "v10", "v2beta2", "foo1", "v1beta", "v2"]
    let types = versions.map { ResourceType("example.com", $0, "Widget", "widgets", isOpaque: true) }
    let ordered = Discovery(types).group("example.com")?["versions"]?.array.compactMap { $0["version"]?.string }
    #expect(
      ordered == ["v10", "v2", "v1", "v11beta2", "v2beta10", "v2beta2", "v1alpha1", "foo1", "foo10", "v1beta"])
  }

  @Test("what isn't served has no answer", arguments: [("", "v2"), ("apps", "v2"), ("nothing", "v1")])
  func unknown(group: String, version: String) {
    #expect(Self.discovery.resources(group: group, version: version) == nil)
    #expect(Self.discovery.group("nothing") == nil && Self.discovery.group("") == nil)
  }

  @Test("the version is one that clients can read") func version() {
    let json = ServerVersion(minor: 33).json
    #expect(json["gitVersion"] == "v1.33.0+netpol-lab" && json["major"] == "1" && json["minor"] == "33")
    #expect(json["gitTreeState"] == "clean" && json["gitCommit"] == "")
  }

  @Test("each group version has an OpenAPI document that promises validation by the server") func openAPI() throws {
    let openAPI = OpenAPI([.pods, .nodes, .deployments, Self.widget])
    let paths = openAPI.index["paths"]?.fields ?? [:]
    #expect(paths.keys.sorted() == ["api/v1", "apis/apps/v1", "apis/example.com/v1beta1"])
    let url = try #require(paths["apis/apps/v1"]?["serverRelativeURL"]?.string)
    #expect(url.hasPrefix("/openapi/v3/apis/apps/v1?hash="))
    let core = openAPI.document("api/v1")
    #expect(
      core?["paths"]?.fields.keys.sorted() == ["/api/v1/namespaces/{namespace}/pods/{name}", "/api/v1/nodes/{name}"])
    let patch = core?[["paths", "/api/v1/nodes/{name}", "patch"]]
    #expect(patch?["parameters"]?.array.first?["name"] == "fieldValidation")
    #expect(patch?["x-kubernetes-group-version-kind"] == ["group": "", "version": "v1", "kind": "Node"])
    #expect(core?["components"] == ["schemas": [:]])
    #expect(openAPI.document("apis/apps/v2") == nil)
  }

  @Test("a document's address changes with its types, and only then") func documentAddress() {
    let url = { (types: [ResourceType]) in
      OpenAPI(types).index[["paths", "api/v1", "serverRelativeURL"]]?.string
    }
    #expect(url([.pods]) != url([.pods, .nodes]))
    #expect(url([.pods, .nodes]) == url([.nodes, .pods]))
  }
}
