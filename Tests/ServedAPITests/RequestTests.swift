// Not covered: HTTP (APIServerTests), patches and tables by themselves.
import Manifests
import NetpolModel
import Testing
import Text

@testable import ServedAPI

/// A cluster behind its API, without a server.
struct RequestedCluster {
  var cluster: ServedCluster
  var now = APITime(milliseconds: 1_800_000_000_000)

  init(_ yaml: String = "", limits: ObjectStore.Limits = .init()) throws {
    let sources = [ManifestSource(name: "world.yaml", text: yaml)]
    let reading = try readManifests(yaml.isEmpty ? [] : sources)
    cluster = try ServedCluster(
      reading, yaml.isEmpty ? [] : fileObjects(sources), resourceVersion: 1_000_000, seed: 7, limits: limits, now)
  }

  /// The code and body of an answer.
  mutating func ask(
    _ method: APIRequest.Method, _ path: String, _ body: String = "", type: String = "application/json",
    accept: String = "application/json", query: [String: String] = [:]
  ) throws -> (code: Int, json: JSON) {
    let request = APIRequest(
      method, path: path.split(separator: "/").map(String.init), query: query, accept: accept, contentType: type,
      body: body, userAgent: "test/1")
    switch cluster.answer(request, now) {
    case .body(let body):
      return (body.code, try JSON(reading: String(decoding: body.bytes, as: UTF8.self), named: "answer"))
    case .list(let list): return (200, try JSON(reading: String(decoding: list.bytes, as: UTF8.self), named: "list"))
    case .watch(let watch): return (200, ["initial": .integer(watch.initial.count)])
    }
  }

  /// Lets time pass until the controllers have nothing to do.
  mutating func settle() {
    for _ in 0..<1000 {
      guard let due = cluster.nextDue else { return }
      now = max(now, due)
      cluster.runControllers(now)
    }
  }
}

@Suite("Requests to the API") struct RequestTests {
  static let pods = "/api/v1/namespaces/default/pods"
  static func pod(_ name: String, _ more: String = "") -> String {
    #"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"\#(name)"\#(more)},"spec":{"containers":[{"name":"c","image":"i:1"}]}}"#
  }

  @Test("an object is created with what the API server adds, read, changed and deleted") func life() throws {
    var api = try RequestedCluster()
    let made = try api.ask(.post, Self.pods, Self.pod("web", #","labels":{"app":"web"}"#))
    #expect(made.code == 201)
    let metadata = made.json["metadata"]
    #expect(metadata?["uid"]?.string?.count == 36 && metadata?["creationTimestamp"] == "2027-01-15T08:00:00Z")
    #expect(made.json["spec"]?["restartPolicy"] == "Always" && made.json["status"]?["phase"] == "Pending")
    #expect(try api.ask(.post, Self.pods, Self.pod("web")).json["reason"] == "AlreadyExists")
    api.settle()
    let running = try api.ask(.get, "\(Self.pods)/web")
    #expect(running.json["status"]?["phase"] == "Running" && running.json["status"]?["podIP"]?.string != nil)
    let patched = try api.ask(
      .patch, "\(Self.pods)/web", #"{"metadata":{"labels":{"tier":"x"}}}"#, type: "application/merge-patch+json")
    #expect(patched.code == 200 && patched.json["metadata"]?["labels"]?.strings == ["app": "web", "tier": "x"])
    #expect(patched.json["status"]?["phase"] == "Running")
    let stale = running.json.text
    #expect(try api.ask(.put, "\(Self.pods)/web", stale).code == 409)
    var moved = patched.json
    moved[["spec", "nodeName"]] = "elsewhere"
    let refused = try api.ask(.put, "\(Self.pods)/web", moved.text)
    #expect(refused.code == 422 && refused.json["message"]?.string?.contains("pod updates may not change") == true)
    let deleted = try api.ask(.delete, "\(Self.pods)/web")
    #expect(deleted.code == 200 && deleted.json["metadata"]?["deletionTimestamp"] != nil)
    api.settle()
    let gone = try api.ask(.get, "\(Self.pods)/web")
    #expect(gone.code == 404 && gone.json["message"] == #"pods "web" not found"#)
    #expect(gone.json["details"] == ["name": "web", "kind": "pods"])
  }

  struct Refusal: CustomTestStringConvertible {
    let testDescription: String
    var path = RequestTests.pods
    let body: String
    var query: [String: String] = [:]
    let code: Int
    let reason: String
    /// In the message.
    let says: String
  }

  static let refusals: [Refusal] = [
    Refusal(
      testDescription: "a label that is a number", body: pod("a", #","labels":{"app":1}"#), code: 400,
      reason: "BadRequest", says: "metadata.labels.app"),
    Refusal(
      testDescription: "a port that is a word",
      body:
        #"{"metadata":{"name":"a"},"spec":{"containers":[{"name":"c","ports":[{"containerPort":"x"}]}]}}"#,
      code: 400, reason: "BadRequest", says: "containerPort"),
    Refusal(
      testDescription: "a container that is null", body: #"{"metadata":{"name":"a"},"spec":{"containers":[null]}}"#,
      code: 422, reason: "Invalid", says: "name"),
    Refusal(
      testDescription: "a number that has more than 32 bits",
      body: #"{"metadata":{"name":"a"},"spec":{"containers":[{"name":"c","ports":[{"containerPort":99999999999}]}]}}"#,
      code: 400, reason: "BadRequest", says: "int32"),
    Refusal(
      testDescription: "a port that is none",
      body: #"{"metadata":{"name":"a"},"spec":{"containers":[{"name":"c","ports":[{"containerPort":70000}]}]}}"#,
      code: 422, reason: "Invalid", says: "70000"),
    Refusal(
      testDescription: "a time that is none", body: pod("a", #","managedFields":[{"time":"yesterday"}]"#), code: 400,
      reason: "BadRequest", says: "is no time"),
    Refusal(
      testDescription: "a Lease whose time is none",
      path: "/apis/coordination.k8s.io/v1/namespaces/default/leases",
      body: #"{"metadata":{"name":"l"},"spec":{"renewTime":"now"}}"#, code: 400, reason: "BadRequest",
      says: "spec.renewTime"),
    Refusal(
      testDescription: "an Event whose count is a word", path: "/api/v1/namespaces/default/events",
      body: #"{"metadata":{"name":"e"},"involvedObject":{"name":"x"},"count":"x"}"#, code: 400, reason: "BadRequest",
      says: "count"),
    Refusal(
      testDescription: "no containers", body: #"{"metadata":{"name":"a"},"spec":{}}"#, code: 422, reason: "Invalid",
      says: "containers"),
    Refusal(testDescription: "a name that is none", body: pod("A_b"), code: 422, reason: "Invalid", says: "A_b"),
    Refusal(
      testDescription: "no name", body: #"{"metadata":{},"spec":{"containers":[{"name":"c"}]}}"#, code: 422,
      reason: "Invalid", says: "generateName"),
    Refusal(testDescription: "a list", body: "[]", code: 400, reason: "BadRequest", says: "no object"),
    Refusal(testDescription: "no JSON", body: "{", code: 400, reason: "BadRequest", says: "no JSON"),
    Refusal(testDescription: "nothing", body: "", code: 400, reason: "BadRequest", says: "empty"),
    Refusal(
      testDescription: "a key that is there twice",
      body: #"{"metadata":{"name":"a","name":"b"},"spec":{"containers":[{"name":"c"}]}}"#, code: 400,
      reason: "BadRequest", says: "twice"),
    Refusal(
      testDescription: "another kind", body: #"{"kind":"Service","metadata":{"name":"a"}}"#, code: 400,
      reason: "BadRequest", says: "Service"),
    Refusal(
      testDescription: "an unknown field, if asked for strictness",
      body: #"{"metadata":{"name":"a"},"spec":{"containers":[{"name":"c","imge":"x"}]}}"#,
      query: ["fieldValidation": "Strict"], code: 400, reason: "BadRequest",
      says: #"unknown field "spec.containers[0].imge""#),
    Refusal(
      testDescription: "another namespace than the path's", body: pod("a", #","namespace":"shop""#), code: 400,
      reason: "BadRequest", says: "namespace"),
    Refusal(
      testDescription: "a namespace that isn't there", path: "/api/v1/namespaces/none/pods", body: pod("a"), code: 404,
      reason: "NotFound", says: #"namespaces "none""#),
    Refusal(
      testDescription: "a policy with a CIDR that is none",
      path: "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies",
      body:
        #"{"metadata":{"name":"p"},"spec":{"podSelector":{},"ingress":[{"from":[{"ipBlock":{"cidr":"10.0.0.0"}}]}]}}"#,
      code: 422, reason: "Invalid", says: "10.0.0.0"),
    Refusal(
      testDescription: "an address of a Service that is outside of its network",
      path: "/api/v1/namespaces/default/services",
      body: #"{"metadata":{"name":"s"},"spec":{"clusterIP":"1.2.3.4","ports":[{"port":80}]}}"#, code: 422,
      reason: "Invalid", says: "not in the valid range"),
    Refusal(
      testDescription: "a type that isn't served", path: "/apis/example.org/v1/namespaces/default/things", body: "{}",
      code: 404, reason: "NotFound", says: "could not find"),
  ]

  @Test("what Go can't decode, or an API server refuses, never gets in", arguments: refusals) func refusal(
    one: Refusal
  ) throws {
    var api = try RequestedCluster()
    let before = api.cluster.store.count
    let answer = try api.ask(.post, one.path, one.body, query: one.query)
    #expect(answer.code == one.code && answer.json["code"] == .integer(one.code))
    #expect(answer.json["kind"] == "Status" && answer.json["status"] == "Failure")
    #expect(answer.json["reason"]?.string == one.reason)
    #expect(answer.json["message"]?.string?.contains(one.says) == true, "\(answer.json["message"]?.text ?? "")")
    #expect(api.cluster.store.count == before)
  }

  @Test("an unknown field is left out and told, unless strictness is asked for") func unknownField() throws {
    var api = try RequestedCluster()
    let request = APIRequest(
      .post, path: ["api", "v1", "namespaces", "default", "pods"],
      body: #"{"metadata":{"name":"a"},"spec":{"containers":[{"name":"c","imge":"x"}]}}"#)
    guard case .body(let body) = api.cluster.answer(request, api.now) else { throw Unexpected() }
    #expect(body.code == 201 && body.warnings == [#"unknown field "spec.containers[0].imge""#])
    #expect(!String(decoding: body.bytes, as: UTF8.self).contains("imge"))
  }

  struct Unexpected: Error {}

  @Test("a list of pages is one state, whatever changes meanwhile, and says so if it can't be") func pages() throws {
    var api = try RequestedCluster(limits: .init(events: 200))
    for number in 0..<250 { _ = try api.ask(.post, Self.pods, Self.pod("p\(1000 + number)")) }
    let whole = try api.ask(.get, Self.pods).json["items"]?.array.compactMap { $0["metadata"]?["name"]?.string }
    var names: [String] = []
    var token = ""
    var versions: Set<String> = []
    repeat {
      let page = try api.ask(.get, Self.pods, query: ["limit": "60", "continue": token]).json
      names += page["items"]?.array.compactMap { $0["metadata"]?["name"]?.string } ?? []
      versions.insert(page["metadata"]?["resourceVersion"]?.string ?? "")
      token = page["metadata"]?["continue"]?.string ?? ""
      // Between the pages: one more before, one fewer behind.
      _ = try api.ask(.post, Self.pods, Self.pod("a\(names.count)"))
      _ = try api.ask(.delete, "\(Self.pods)/p\(1249 - names.count / 60)", query: ["gracePeriodSeconds": "0"])
    } while !token.isEmpty
    #expect(names == whole && versions.count == 1)
    let first = try api.ask(.get, Self.pods, query: ["limit": "60"]).json["metadata"]?["continue"]?.string ?? ""
    for number in 0..<300 { _ = try api.ask(.post, Self.pods, Self.pod("z\(number)")) }
    #expect(try api.ask(.get, Self.pods, query: ["limit": "60", "continue": first]).json["reason"] == "Expired")
  }

  @Test(
    "what is above the newest resource version is expired, like what is too old", arguments: ["9999999999999999", "12"])
  func foreignVersions(version: String) throws {
    var api = try RequestedCluster()
    let watch = ["watch": "true", "resourceVersion": version]
    #expect(try api.ask(.get, Self.pods, query: watch).json["reason"] == "Expired")
    if version.count > 4 {
      let list = [
        "watch": "true", "sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan",
        "resourceVersion": version,
      ]
      #expect(try api.ask(.get, Self.pods, query: list).code == 410)
      #expect(try api.ask(.get, Self.pods, query: ["resourceVersion": version]).code == 410)
    }
  }

  @Test("the watch-list can be refused, and is if it isn't asked for as it must be") func refusedWatchList() throws {
    var api = try RequestedCluster()
    let asked = ["watch": "true", "sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"]
    #expect(try api.ask(.get, Self.pods, query: asked).code == 200)
    #expect(try api.ask(.get, Self.pods, query: ["watch": "true", "sendInitialEvents": "true"]).code == 422)
    api.cluster.watchList = .refuse
    #expect(try api.ask(.get, Self.pods, query: asked).code == 422)
  }

  @Test(
    "who takes no JSON gets none",
    arguments: [
      ("application/vnd.kubernetes.protobuf", 406), ("application/vnd.kubernetes.protobuf,application/json", 200),
      ("*/*", 200), ("", 200),
    ])
  func accepts(header: String, code: Int) throws {
    var api = try RequestedCluster()
    #expect(try api.ask(.get, Self.pods, accept: header).code == code)
  }

  @Test("the status changes by its own path alone") func status() throws {
    var api = try RequestedCluster()
    _ = try api.ask(.post, Self.pods, Self.pod("a"))
    var json = try api.ask(.get, "\(Self.pods)/a").json
    json[["status", "message"]] = "hello"
    json[["metadata", "labels"]] = ["x": "y"]
    let main = try api.ask(.put, "\(Self.pods)/a", json.text).json
    #expect(main["status"]?["message"] == nil && main["metadata"]?["labels"] == ["x": "y"])
    let patch = #"{"status":{"message":"hello"},"metadata":{"labels":{"x":"z"}}}"#
    let status = try api.ask(.patch, "\(Self.pods)/a/status", patch, type: "application/merge-patch+json").json
    #expect(status["status"]?["message"] == "hello" && status["metadata"]?["labels"] == ["x": "y"])
  }

  @Test("a Service gets its addresses and node ports, and keeps them") func services() throws {
    var api = try RequestedCluster()
    let path = "/api/v1/namespaces/default/services"
    let made = try api.ask(
      .post, path, #"{"metadata":{"name":"s"},"spec":{"type":"NodePort","selector":{"a":"b"},"ports":[{"port":80}]}}"#)
    let spec = made.json["spec"]
    #expect(made.code == 201 && spec?["clusterIP"]?.string?.hasPrefix("10.43.") == true)
    #expect(spec?["clusterIPs"]?.array.count == 1 && spec?["ipFamilies"] == ["IPv4"])
    let port = spec?["ports"]?.array.first?["nodePort"]?.integer ?? 0
    #expect((30000...32767).contains(port))
    let other = try api.ask(
      .post, path,
      #"{"metadata":{"name":"t"},"spec":{"type":"NodePort","ports":[{"port":80,"nodePort":\#(port)}]}}"#)
    #expect(other.code == 422 && other.json["message"]?.string?.contains("already allocated") == true)
    let patched = try api.ask(
      .patch, "\(path)/s", #"{"spec":{"ports":[{"port":80,"targetPort":8080}]}}"#,
      type: "application/strategic-merge-patch+json")
    #expect(patched.json["spec"]?["clusterIP"] == spec?["clusterIP"])
    #expect(patched.json["spec"]?["ports"]?.array.first?["nodePort"] == .integer(port))
    let headless = try api.ask(
      .post, path, #"{"metadata":{"name":"h"},"spec":{"clusterIP":"None","ports":[{"port":80}]}}"#)
    #expect(headless.json["spec"]?["clusterIPs"] == ["None"])
  }

  @Test("a CustomResourceDefinition adds a type, and takes its objects with it") func customTypes() throws {
    var api = try RequestedCluster()
    let definition = """
      {"metadata":{"name":"things.example.org"},"spec":{"group":"example.org","scope":"Namespaced",
      "names":{"kind":"Thing","plural":"things","shortNames":["th"]},"versions":[{"name":"v1","served":true,"storage":true,
      "subresources":{"status":{}}}]}}
      """
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    let made = try api.ask(.post, definitions, definition)
    let conditions = made.json["status"]?["conditions"]?.array ?? []
    #expect(made.code == 201 && conditions.contains { $0["type"] == "Established" && $0["status"] == "True" })
    let things = "/apis/example.org/v1/namespaces/default/things"
    #expect(try api.ask(.post, things, #"{"metadata":{"name":"one"},"spec":{"any":[1,{"x":null}]}}"#).code == 201)
    #expect(try api.ask(.get, "/apis/example.org/v1").json["resources"]?.array.isEmpty == false)
    #expect(try api.ask(.post, things, #"{"metadata":{"name":"two","labels":{"a":1}}}"#).code == 400)
    let strategic = try api.ask(.patch, "\(things)/one", "{}", type: "application/strategic-merge-patch+json")
    #expect(strategic.code == 415)
    #expect(try api.ask(.delete, "\(definitions)/things.example.org").code == 200)
    #expect(try api.ask(.get, things).code == 404)
  }

  @Test("server-side apply makes objects, keeps what others own, and tells of conflicts") func apply() throws {
    var api = try RequestedCluster()
    let path = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies/p"
    let policy = { (app: String) in
      "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {podSelector: {matchLabels: {app: \(app)}}}\n"
    }
    let type = "application/apply-patch+yaml"
    let made = try api.ask(.patch, path, policy("web"), type: type, query: ["fieldManager": "a"])
    #expect(made.code == 201 && made.json["spec"]?["policyTypes"] == ["Ingress"])
    #expect(try api.ask(.patch, path, policy("web"), type: type, query: ["fieldManager": "b"]).code == 200)
    let other = try api.ask(.patch, path, policy("db"), type: type, query: ["fieldManager": "b"])
    #expect(other.code == 409 && other.json["message"]?.string?.contains(#"conflict with "a""#) == true)
    let forced = try api.ask(.patch, path, policy("db"), type: type, query: ["fieldManager": "b", "force": "true"])
    #expect(forced.json["spec"]?["podSelector"]?["matchLabels"] == ["app": "db"])
    #expect(try api.ask(.patch, path, policy("db"), type: type).code == 422)
  }

  @Test("kubectl's change from client-side to server-side apply is no conflict") func applyUpgrade() throws {
    var api = try RequestedCluster()
    let collection = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"
    let spec = #""spec":{"podSelector":{},"ingress":[{"ports":[{"port":80}]}]}"#
    let stored =
      #"{"metadata":{"name":"p","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}"}},\#(spec)}"#
    #expect(try api.ask(.post, collection, stored, query: ["fieldManager": "kubectl-client-side-apply"]).code == 201)
    let configuration =
      #"{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"p"},\#(spec)}"#
    let applied = try api.ask(
      .patch, "\(collection)/p", configuration, type: "application/apply-patch+yaml", query: ["fieldManager": "kubectl"]
    )
    #expect(applied.code == 200, "\(applied.json)")
  }

  @Test("Leases and Events are taken") func leasesAndEvents() throws {
    var api = try RequestedCluster()
    let lease = #"{"metadata":{"name":"l"},"spec":{"holderIdentity":"a","renewTime":"2027-01-15T08:00:00.123456Z"}}"#
    #expect(try api.ask(.post, "/apis/coordination.k8s.io/v1/namespaces/default/leases", lease).code == 201)
    let event = #"{"metadata":{"generateName":"e"},"involvedObject":{"kind":"Pod","name":"x"},"reason":"R","count":2}"#
    #expect(try api.ask(.post, "/api/v1/namespaces/default/events", event).code == 201)
    let found = try api.ask(
      .get, "/api/v1/namespaces/default/events", query: ["fieldSelector": "involvedObject.name=x"])
    #expect(found.json["items"]?.array.count == 1)
  }

  @Test("ages in tables are those at the time of the answer") func ages() throws {
    var api = try RequestedCluster()
    _ = try api.ask(.post, Self.pods, Self.pod("a"))
    api.now = api.now + 90_000
    let accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    let table = try api.ask(.get, Self.pods, accept: accept).json
    #expect(table["kind"] == "Table" && table["rows"]?.array.first?["cells"]?.array.contains("90s") == true)
  }

  @Test("OpenAPI: version 2 as kubectl reads it, and version 3 for each group") func openAPI() throws {
    var api = try RequestedCluster()
    let request = APIRequest(.get, path: ["openapi", "v2"])
    guard case .body(let body) = api.cluster.answer(request, api.now) else { throw Unexpected() }
    #expect(
      body.code == 200 && body.contentType.contains("protobuf")
        && body.bytes.starts(with: [0x0a, 3] + Array("2.0".utf8)))
    #expect(try api.ask(.get, "/openapi/v3").json["paths"]?["apis/networking.k8s.io/v1"] != nil)
    #expect(try api.ask(.get, "/openapi/v4").code == 404)
  }

  @Test("a Service that changes its type loses what only the type before has") func serviceType() throws {
    var api = try RequestedCluster()
    let path = "/api/v1/namespaces/default/services"
    let body = #"{"metadata":{"name":"s"},"spec":{"type":"LoadBalancer","selector":{"a":"b"},"ports":[{"port":80}]}}"#
    #expect(try api.ask(.post, path, body).code == 201)
    for type in ["NodePort", "ClusterIP", "LoadBalancer", "ClusterIP"] {
      let patched = try api.ask(
        .patch, "\(path)/s", #"{"spec":{"type":"\#(type)"}}"#, type: "application/strategic-merge-patch+json")
      #expect(patched.code == 200, "\(type): \(patched.json)")
      let hasNodePort = patched.json["spec"]?["ports"]?.array.first?["nodePort"] != nil
      #expect(hasNodePort == (type != "ClusterIP"))
    }
    let named = try api.ask(
      .patch, "\(path)/s", #"{"spec":{"type":"ExternalName","externalName":"example.org"}}"#,
      type: "application/merge-patch+json")
    #expect(named.code == 200 && named.json["spec"]?["clusterIP"] == nil, "\(named.json)")
  }

  @Test(
    "a parameter with a value that nobody knows is refused",
    arguments: ["propagationPolicy=foo", "dryRun=foo", "fieldValidation=foo", "resourceVersionMatch=Exact"])
  func parameters(query: String) throws {
    var api = try RequestedCluster()
    let sides = query.split(separator: "=").map(String.init)
    #expect(try api.ask(.get, Self.pods, query: [sides[0]: sides[1]]).code == 422)
  }

  @Test("what must not be deleted, or not at once, isn't") func protected() throws {
    var api = try RequestedCluster()
    _ = try api.ask(.post, Self.pods, Self.pod("a"))
    #expect(try api.ask(.delete, "/api/v1/pods").code == 405)
    #expect(try api.ask(.delete, "/api/v1/namespaces").code == 405)
    #expect(try api.ask(.delete, "/api/v1/namespaces/default").code == 403)
    #expect(try api.ask(.get, "\(Self.pods)/a").code == 200)
  }

  @Test("a new object has nothing of the server's own from its author") func ownMetadata() throws {
    var api = try RequestedCluster()
    let more = #","deletionTimestamp":"2001-01-01T00:00:00Z","generation":7,"selfLink":"x","uid":"mine""#
    let made = try api.ask(.post, Self.pods, Self.pod("a", more)).json["metadata"]
    #expect(made?["deletionTimestamp"] == nil && made?["generation"] == 1 && made?["selfLink"] == nil)
    #expect(made?["uid"] != "mine")
    #expect(try api.ask(.post, Self.pods, Self.pod("b", #","resourceVersion":"5""#)).code == 400)
  }

  @Test("a failure about an object names it, and says that no container runs") func noContainers() throws {
    var api = try RequestedCluster()
    let log = try api.ask(.get, "\(Self.pods)/a/log")
    #expect(log.code == 404 && log.json["message"]?.string?.contains("no container runs here") == true)
    #expect(log.json["details"] == ["name": "a", "kind": "pods"])
    let resources = try api.ask(.get, "/apis/apps/v1").json["resources"]?.array.compactMap { $0["name"]?.string } ?? []
    #expect(resources.contains("deployments/scale") && resources.contains("deployments/status"))
  }

  @Test("ConfigMaps and the like are kept, whatever is in them") func otherTypes() throws {
    var api = try RequestedCluster()
    let path = "/api/v1/namespaces/default/configmaps"
    #expect(try api.ask(.post, path, #"{"metadata":{"name":"c"},"data":{"a":"b"}}"#).code == 201)
    let patched = try api.ask(
      .patch, "\(path)/c", #"{"data":{"c":"d"}}"#, type: "application/strategic-merge-patch+json")
    #expect(patched.json["data"] == ["a": "b", "c": "d"])
  }

  @Test("of a type with several versions the stored one is served") func versions() throws {
    var api = try RequestedCluster()
    let definition = """
      {"metadata":{"name":"twos.example.org"},"spec":{"group":"example.org","scope":"Namespaced",
      "names":{"kind":"Two","plural":"twos"},"versions":[{"name":"v1beta1","served":true,"storage":false},
      {"name":"v1","served":true,"storage":true}]}}
      """
    _ = try api.ask(.post, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
    #expect(try api.ask(.get, "/apis/example.org/v1/twos").code == 200)
    #expect(try api.ask(.get, "/apis/example.org/v1beta1/twos").code == 404)
  }

  @Test("a dry run changes nothing") func dryRun() throws {
    var api = try RequestedCluster()
    #expect(try api.ask(.post, Self.pods, Self.pod("a"), query: ["dryRun": "All"]).code == 201)
    #expect(try api.ask(.get, "\(Self.pods)/a").code == 404)
    _ = try api.ask(.post, Self.pods, Self.pod("a"))
    let before = api.cluster.store.resourceVersion
    #expect(try api.ask(.delete, "\(Self.pods)/a", query: ["dryRun": "All"]).code == 200)
    #expect(
      try api.ask(
        .patch, "\(Self.pods)/a", #"{"metadata":{"labels":{"x":"y"}}}"#, type: "application/merge-patch+json",
        query: ["dryRun": "All"]
      ).json["metadata"]?["labels"] == ["x": "y"])
    #expect(api.cluster.store.resourceVersion == before)
  }

  @Test("a collection is deleted by selector, in a namespace") func deleteCollection() throws {
    var api = try RequestedCluster()
    for name in ["a", "b"] { _ = try api.ask(.post, Self.pods, Self.pod(name, #","labels":{"n":"\#(name)"}"#)) }
    #expect(try api.ask(.delete, Self.pods, query: ["labelSelector": "n=a"]).code == 200)
    api.settle()
    #expect(try api.ask(.get, "\(Self.pods)/a").code == 404)
    #expect(try api.ask(.get, "\(Self.pods)/b").code == 200)
  }

  @Test("a scheduler of one's own can bind a pod") func binding() throws {
    var api = try RequestedCluster()
    _ = try api.ask(.post, Self.pods, Self.pod("a"))
    let node = api.cluster.store.keys(.nodes).first?.name ?? ""
    let body = #"{"target":{"kind":"Node","name":"\#(node)"}}"#
    #expect(try api.ask(.post, "\(Self.pods)/a/binding", body).code == 201)
    #expect(try api.ask(.get, "\(Self.pods)/a").json["spec"]?["nodeName"]?.string == node)
    #expect(try api.ask(.post, "\(Self.pods)/a/binding", body).code == 409)
  }

  @Test("the number of pods is changed by scale") func scale() throws {
    var api = try RequestedCluster()
    let path = "/apis/apps/v1/namespaces/default/deployments"
    let template = #"{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}"#
    let body = #"{"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":\#(template)}}"#
    #expect(try api.ask(.post, path, body).code == 201)
    api.settle()
    let scaled = try api.ask(
      .patch, "\(path)/d/scale", #"{"spec":{"replicas":3}}"#, type: "application/merge-patch+json")
    #expect(scaled.json["spec"]?["replicas"] == 3 && scaled.json["kind"] == "Scale")
    api.settle()
    #expect(try api.ask(.get, Self.pods).json["items"]?.array.count == 3)
  }

  @Test("the objects of files are served with defaults, addresses and pods") func files() throws {
    var api = try RequestedCluster(
      """
      apiVersion: v1
      kind: Namespace
      metadata: {name: shop}
      ---
      apiVersion: apps/v1
      kind: Deployment
      metadata: {namespace: shop, name: web}
      spec:
        replicas: 3
        selector: {matchLabels: {app: web}}
        template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}}
      ---
      apiVersion: v1
      kind: Service
      metadata: {namespace: shop, name: web}
      spec: {selector: {app: web}, ports: [{port: 80}]}
      ---
      apiVersion: v1
      kind: Pod
      metadata: {namespace: shop, name: db, labels: {app: db}}
      spec: {containers: [{name: c, image: i}]}
      ---
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {namespace: shop, name: p}
      spec: {podSelector: {}, ingress: [{ports: [{port: 80}]}]}
      ---
      apiVersion: example.org/v1
      kind: Thing
      metadata: {namespace: shop, name: t}
      """)
    let pods = try api.ask(.get, "/api/v1/namespaces/shop/pods").json["items"]?.array ?? []
    #expect(pods.count == 4 && pods.allSatisfy { $0["status"]?["phase"] == "Running" })
    #expect(Set(pods.compactMap { $0["status"]?["podIP"]?.string }).count == 4)
    let slices =
      try api.ask(.get, "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices").json["items"]?.array ?? []
    #expect(slices.flatMap { $0["endpoints"]?.array ?? [] }.count == 3)
    let policy = try api.ask(.get, "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/p").json
    #expect(policy["spec"]?["policyTypes"] == ["Ingress"])
    #expect(policy["spec"]?["ingress"]?.array.first?["ports"]?.array.first?["protocol"] == "TCP")
    #expect(try api.ask(.get, "/apis/example.org/v1/namespaces/shop/things/t").code == 200)
    #expect(
      try api.ask(.get, "/api/v1/namespaces/shop").json["metadata"]?["labels"] == [
        "kubernetes.io/metadata.name": "shop"
      ])
    #expect(api.cluster.store.keys(.nodes).count >= 1)
  }

  @Test("what clients change is in the cluster that is read from the API") func readBack() throws {
    var api = try RequestedCluster()
    let read = { (api: RequestedCluster) in
      try readManifests([api.cluster.manifests], options: ReadOptions(validation: .asStored)).cluster
    }
    let before = try read(api)
    #expect(before.pods.isEmpty && before.policies.isEmpty)
    _ = try api.ask(.post, Self.pods, Self.pod("a", #","labels":{"app":"web"}"#))
    _ = try api.ask(
      .post, "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies",
      #"{"metadata":{"name":"p"},"spec":{"podSelector":{},"ingress":[{"ports":[{"port":80}]}]}}"#)
    _ = try api.ask(
      .post, "/api/v1/namespaces/default/services",
      #"{"metadata":{"name":"s"},"spec":{"selector":{"app":"web"},"ports":[{"port":80}]}}"#)
    api.settle()
    let after = try read(api)
    let pod = try #require(after.pods.first)
    let served = try api.ask(.get, "\(Self.pods)/a").json
    #expect(after.pods.count == 1 && pod.labels == ["app": "web"] && pod.phase == .running)
    #expect(pod.podIP.map { "\($0)" } == served["status"]?["podIP"]?.string)
    #expect(after.policies.first?.ingress.first?.ports.list == [.init(.tcp, .number(80, through: nil))])
    #expect(after.services.first { $0.id.name == "s" }?.clusterIPs.isEmpty == false)
    #expect(after.endpointSlices.flatMap(\.members).map(\.address) == pod.podIPs)
    #expect(after.settings.serviceCIDRs == before.settings.serviceCIDRs)
  }

  @Test("changes of the files change the cluster, and what only clients changed stays") func follow() throws {
    let text = { (app: String, more: String) in
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {app: \(app)}}\nspec: {containers: [{name: c}]}\n\(more)"
    }
    let objects = { (text: String) in try fileObjects([ManifestSource(name: "w", text: text)]) }
    let policy =
      "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {podSelector: {}}\n"
    var api = try RequestedCluster(text("web", policy))
    let address = try api.ask(.get, "\(Self.pods)/a").json["status"]?["podIP"]
    _ = try api.ask(.post, Self.pods, Self.pod("mine"))
    let second =
      "---\napiVersion: v1\nkind: Pod\nmetadata: {namespace: new, name: b}\nspec: {containers: [{name: c}]}\n"
    let changes = try api.cluster.follow(objects(text("web", policy)), objects(text("db", second)), api.now)
    #expect(changes == 3)
    api.settle()
    let pod = try api.ask(.get, "\(Self.pods)/a").json
    #expect(pod["metadata"]?["labels"] == ["app": "db"] && pod["status"]?["podIP"] == address)
    #expect(try api.ask(.get, "\(Self.pods)/mine").code == 200)
    #expect(try api.ask(.get, "/api/v1/namespaces/new/pods/b").json["status"]?["phase"] == "Running")
    #expect(try api.ask(.get, "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies/p").code == 404)
    #expect(try api.cluster.follow(objects(text("db", second)), objects(text("db", second)), api.now) == 0)
  }
}
