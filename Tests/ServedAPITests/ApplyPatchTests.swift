// Not covered: defaults that the server fills in after an apply, fields that a write of a subresource may not change, and
// two versions of one kind (the lab has one of each).
import Manifests
import ServedAPI
import Testing
import Text

@Suite("Server-side apply") struct ApplyPatchTests {
  /// An object with who owns what of it.
  struct Served {
    var object: JSON?
    var ownership = FieldOwnership()
    let type: ValueType?

    init(_ kind: String, _ apiVersion: String = "v1") { type = ValueType(kind: kind, apiVersion: apiVersion) }

    mutating func apply(_ text: String, by manager: String = "a", force: Bool = false) throws {
      object = try ownership.apply(json(text), by: manager, force: force, to: object, as: type)
    }

    mutating func update(_ text: String, by manager: String) throws {
      let new = try json(text)
      ownership.update(from: object, to: new, by: manager, as: type)
      object = new
    }

    func paths(_ manager: String, _ operation: FieldOwnership.Manager.Operation = .apply) -> [String] {
      ownership.fields(of: .init(manager, operation)).paths
    }
  }

  static let head = "apiVersion: apps/v1, kind: Deployment"

  static func deployment(_ spec: String, metadata: String = "name: web") -> String {
    "{\(head), metadata: {\(metadata)}, spec: {\(spec)}}"
  }

  @Test("an apply makes the object, and owns what it says but the names") func creation() throws {
    var served = Served("Deployment", "apps/v1")
    let text = Self.deployment(
      "replicas: 2, selector: {matchLabels: {app: web}}, template: {spec: {containers: [{name: c, image: x}]}}",
      metadata: "name: web, namespace: shop, labels: {app: web}")
    try served.apply(text)
    #expect(try served.object == json(text))
    #expect(
      served.paths("a") == [
        ".metadata.labels.app", ".spec.replicas", ".spec.selector", #".spec.template.spec.containers[name="c"]"#,
        #".spec.template.spec.containers[name="c"].image"#, #".spec.template.spec.containers[name="c"].name"#,
      ])
  }

  @Test("what a manager leaves out goes, unless another owns it or nobody ever applied it") func removal() throws {
    var served = Served("Deployment", "apps/v1")
    try served.apply(Self.deployment("replicas: 2, paused: true, minReadySeconds: 3"))
    try served.apply(Self.deployment("paused: true"), by: "b")
    served.object?[["spec", "revisionHistoryLimit"]] = 10
    try served.apply(Self.deployment("minReadySeconds: 3"))
    #expect(try served.object == json(Self.deployment("paused: true, minReadySeconds: 3, revisionHistoryLimit: 10")))
    #expect(served.paths("a") == [".spec.minReadySeconds"] && served.paths("b") == [".spec.paused"])
  }

  @Test("an object that only one manager said goes with all that nobody owns in it") func wholeObject() throws {
    var served = Served("Pod")
    try served.apply(
      "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, livenessProbe: {tcpSocket: {port: 1}}}]}}"
    )
    // A default.
    try #require(served.object?["spec"]?["containers"]?.array.count == 1)
    served.object?[["spec", "containers"]] = try json(
      "[{name: c, livenessProbe: {tcpSocket: {port: 1}, periodSeconds: 10}}]")
    try served.apply("{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c}]}}")
    #expect(try served.object?["spec"] == json("{containers: [{name: c}]}"))
  }

  @Test("entries of lists have owners of their own, and keep their order") func entries() throws {
    var served = Served("Pod")
    func pod(_ text: String) -> String {
      "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [\(text)]}}"
    }
    try served.apply(pod("{name: a}, {name: b}, {name: c}"))
    try served.apply(pod("{name: d}, {name: b, image: x}"), by: "other")
    #expect(try served.object?["spec"]?["containers"] == json("[{name: d}, {name: a}, {name: b, image: x}, {name: c}]"))
    try served.apply(pod("{name: c}, {name: a, image: y}"))
    #expect(
      try served.object?["spec"]?["containers"]
        == json("[{name: d}, {name: b, image: x}, {name: c}, {name: a, image: y}]"))
    try served.apply(pod("{name: d}"), by: "other")
    #expect(try served.object?["spec"]?["containers"] == json("[{name: d}, {name: c}, {name: a, image: y}]"))
  }

  @Test("an entry whose other fields another manager owns keeps its name and those") func sharedEntry() throws {
    var served = Served("Pod")
    func pod(_ text: String) -> String {
      "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [\(text)]}}"
    }
    try served.apply(pod("{name: a, image: x, tty: true}"))
    // It set the image alone, as kubectl set image does.
    try served.update(pod("{name: a, image: y, tty: true}"), by: "kubectl-set")
    try served.apply(pod(""))
    #expect(try served.object?["spec"]?["containers"] == json("[{name: a, image: y}]"))
  }

  @Test(
    "ports are told apart by number and protocol, which is TCP if none is said",
    arguments: [
      ("Service", "port", ["spec", "ports"]), ("Pod", "containerPort", ["spec", "containers"]),
    ]) func ports(kind: String, key: String, path: [String]) throws
  {
    let object = { (ports: String) in
      let list = kind == "Pod" ? "containers: [{name: c, ports: [\(ports)]}]" : "ports: [\(ports)]"
      return "{apiVersion: v1, kind: \(kind), metadata: {name: x}, spec: {\(list)}}"
    }
    var served = Served(kind)
    try served.apply(object("{\(key): 53, protocol: UDP}, {\(key): 53}"))
    #expect(served.paths("a").contains { $0.hasSuffix(#"[\#(key)=53,protocol="TCP"]"#) })
    try served.apply(object("{\(key): 53, protocol: TCP, name: dns}"), by: "b")
    let list = served.object?[path]
    #expect(
      try (kind == "Pod" ? list?.array.first?["ports"] : list)
        == json("[{\(key): 53, protocol: UDP}, {\(key): 53, protocol: TCP, name: dns}]"))
  }

  @Test("lists and objects with one owner are replaced, and conflict as one") func atomic() throws {
    func policy(_ text: String) -> String {
      "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: n}, spec: {podSelector: {matchLabels: {\(text)}}}}"
    }
    var served = Served("NetworkPolicy", "networking.k8s.io/v1")
    try served.apply(policy("a: b, c: d"))
    try served.apply(policy("e: f"))
    #expect(try served.object == json(policy("e: f")))
    #expect(served.paths("a") == [".spec.podSelector"])
    let status = try failure { try served.apply(policy("g: h"), by: "b") }
    #expect(status.message == #"Apply failed with 1 conflict: conflict with "a": .spec.podSelector"#)
  }

  @Test("a field that another manager set to another value is a conflict, in the API server's words") func conflicts()
    throws
  {
    var served = Served("Deployment", "apps/v1")
    try served.update(Self.deployment("replicas: 2, paused: true"), by: "kubectl")
    let before = served
    let status = try failure { try served.apply(Self.deployment("replicas: 3, paused: true")) }
    #expect(status.reason == .conflict && status.reason.code == 409)
    #expect(
      status.message == #"Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas"#)
    #expect(
      status.causes == [
        .init(
          reason: "FieldManagerConflict", message: #"conflict with "kubectl" using apps/v1"#, field: ".spec.replicas")
      ])
    #expect(served.ownership == before.ownership && served.object == before.object)
    let two = try failure { try served.apply(Self.deployment("replicas: 3, paused: false")) }
    #expect(
      two.message == """
        Apply failed with 2 conflicts: conflicts with "kubectl" using apps/v1:
        - .spec.paused
        - .spec.replicas
        """)
  }

  @Test("force takes the field over, and the other loses it") func force() throws {
    var served = Served("Deployment", "apps/v1")
    try served.apply(Self.deployment("replicas: 2, paused: true"), by: "b")
    try served.apply(Self.deployment("replicas: 3"), force: true)
    #expect(try served.object == json(Self.deployment("replicas: 3, paused: true")))
    #expect(served.paths("a") == [".spec.replicas"] && served.paths("b") == [".spec.paused"])
  }

  @Test("two managers may own the same value, and it stays until both leave it out") func shared() throws {
    var served = Served("Deployment", "apps/v1")
    try served.apply(Self.deployment("replicas: 2"), by: "b")
    try served.apply(Self.deployment("replicas: 2"))
    let none = "{\(Self.head), metadata: {name: web}}"
    try served.apply(none)
    #expect(served.object?["spec"]?["replicas"] == 2 && served.ownership.shares.count == 1)
    try served.apply(none, by: "b")
    #expect(try served.object == json(none) && served.ownership.shares.isEmpty)
  }

  @Test("a write that is no apply takes what it changes from all, and owns it") func updates() throws {
    var served = Served("Deployment", "apps/v1")
    try served.apply(Self.deployment("replicas: 2, paused: true, minReadySeconds: 1"))
    try served.update(Self.deployment("replicas: 3, paused: true"), by: "scaler")
    #expect(served.paths("a") == [".spec.paused"])
    #expect(served.paths("scaler", .update(apiVersion: "apps/v1")) == [".spec.replicas"])
    // It left the field to the scaler.
    try served.apply(Self.deployment("paused: true"))
    #expect(try served.object == json(Self.deployment("replicas: 3, paused: true")))
  }

  @Test("metadata that the server writes belongs to nobody") func identity() throws {
    var served = Served("Pod")
    try served.update(
      "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: n, uid: u, resourceVersion: '1', labels: {a: b}}}",
      by: "kubectl-create")
    #expect(served.paths("kubectl-create", .update(apiVersion: "v1")) == [".metadata.labels", ".metadata.labels.a"])
  }

  @Test("kubectl takes over what kubectl applied from the client's side, with equal values and with others")
  func migration() throws {
    let applied =
      #"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"annotations":{},"name":"web"},"spec":{"paused":true,"replicas":2}}"#
    let key = "kubectl.kubernetes.io/last-applied-configuration"
    var served = Served("Deployment", "apps/v1")
    try served.update(
      Self.deployment("replicas: 2, paused: true", metadata: "name: web, annotations: {\(key): '\(applied)'}"),
      by: "kubectl-client-side-apply")
    try served.apply(Self.deployment("replicas: 2, paused: true"), by: "kubectl")
    #expect(served.paths("kubectl") == [".spec.paused", ".spec.replicas"])

    var changed = served
    try changed.apply(Self.deployment("replicas: 3, paused: true"), by: "kubectl")
    #expect(changed.object?["spec"]?["replicas"] == 3)
    #expect(try json(changed.object?["metadata"]?["annotations"]?[key]?.string ?? "")["spec"]?["replicas"] == 3)

    // Somebody else changed the field since, and other names than kubectl's take nothing over.
    try served.update(
      Self.deployment("replicas: 5, paused: true", metadata: "name: web, annotations: {\(key): '\(applied)'}"),
      by: "scaler")
    let status = try failure { try served.apply(Self.deployment("replicas: 3, paused: false"), by: "kubectl") }
    #expect(status.message == #"Apply failed with 1 conflict: conflict with "scaler" using apps/v1: .spec.replicas"#)
    let other = try failure { try served.apply(Self.deployment("paused: false"), by: "a", force: false) }
    #expect(other.causes.count == 2)
  }

  @Test("a field of a client-side apply can be left out once kubectl has put both ownerships together")
  func migratedOwnership() throws {
    var served = Served("Deployment", "apps/v1")
    try served.update(Self.deployment("replicas: 2, paused: true"), by: "kubectl-client-side-apply")
    try served.apply(Self.deployment("replicas: 2"), by: "kubectl")
    #expect(served.object?["spec"]?["paused"] == true)

    // kubectl sends the entries as one, in a JSON patch of metadata.managedFields.
    var stored = try #require(served.object)
    stored[["metadata", "managedFields"]] = served.ownership.managedFields(at: "2026-01-01T00:00:00Z")
    let patch = try json(
      """
      [{"op":"replace","path":"/metadata/managedFields","value":[
        {"manager":"kubectl","operation":"Apply","apiVersion":"apps/v1","fieldsType":"FieldsV1",
         "fieldsV1":{"f:spec":{"f:paused":{},"f:replicas":{}}}}]}]
      """)
    let written = try JSONPatch(patch).applied(to: stored)
    served.ownership = FieldOwnership(stated: written, stored: stored)
    served.ownership.update(from: stored, to: written, by: "kubectl", as: served.type)
    #expect(served.ownership.shares.count == 1)
    try served.apply(Self.deployment("replicas: 2"), by: "kubectl")
    #expect(try served.object == json(Self.deployment("replicas: 2")))
  }

  @Test("managedFields holds all ownership, with times of the last writes") func managedFields() throws {
    var served = Served("Pod")
    func pod(_ text: String) -> String { "{apiVersion: v1, kind: Pod, metadata: {name: p, labels: {\(text)}}}" }
    try served.update(pod("x: y"), by: "kubectl-create")
    served.ownership = try #require(
      FieldOwnership(managedFields: served.ownership.managedFields(at: "2026-01-01T00:00:00Z")))
    try served.apply(pod("a: b"))
    let fields = served.ownership.managedFields(at: "2026-02-01T00:00:00Z")
    #expect(
      try fields
        == json(
          """
          [{"manager":"a","operation":"Apply","apiVersion":"v1","time":"2026-02-01T00:00:00Z","fieldsType":"FieldsV1",
            "fieldsV1":{"f:metadata":{"f:labels":{"f:a":{}}}}},
           {"manager":"kubectl-create","operation":"Update","apiVersion":"v1","time":"2026-01-01T00:00:00Z",
            "fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{".":{},"f:x":{}}}}}]
          """))
    served.ownership = try #require(FieldOwnership(managedFields: fields))
    try served.apply(pod("a: b"))
    #expect(served.ownership.managedFields(at: "2026-03-01T00:00:00Z") == fields)
  }

  @Test("the ownership that a written object states counts, an empty one begins anew, and none keeps the stored one")
  func stated() throws {
    let object = { (managed: String) in try json("{metadata: {name: p\(managed)}}") }
    let entry = "{manager: m, operation: Update, apiVersion: v1, fieldsType: FieldsV1, fieldsV1: {'f:a': {}}}"
    let stored = try object(", managedFields: [\(entry)]")
    let ours = try object(", managedFields: [\(entry.replacing("manager: m", with: "manager: other"))]")
    let managers = { (stated: JSON) in FieldOwnership(stated: stated, stored: stored).shares.keys.map(\.name) }
    #expect(try managers(object("")) == ["m"])
    #expect(managers(ours) == ["other"])
    #expect(try managers(object(", managedFields: []")) == [])
    #expect(try managers(object(", managedFields: [{}]")) == [])
    for broken in [
      "x", "[{manager: m}]", "[\(entry.replacing("'f:a'", with: "a"))]",
      "[\(entry.replacing("Update", with: "Patch"))]",
    ] {
      #expect(try managers(object(", managedFields: \(broken)")) == ["m"])
    }
  }

  @Test("objects without schema have owners of each field, and of whole lists") func noSchema() throws {
    var served = Served("Widget", "example.com/v1")
    func widget(_ finalizers: String, _ spec: String) -> String {
      "{apiVersion: example.com/v1, kind: Widget, metadata: {name: w, finalizers: [\(finalizers)]}, spec: {\(spec)}}"
    }
    try served.apply(widget("x", "list: [{name: a}], map: {a: 1, b: {c: 2}}"))
    try served.apply(widget("y", "list: [{name: a}], map: {d: 3}"), by: "b")
    try served.apply(widget("", "map: {a: 1}"))
    #expect(try served.object == json(widget("y", "list: [{name: a}], map: {a: 1, d: 3}")))
  }

  @Test(
    "a configuration that makes no sense is refused",
    arguments: [
      ("[]", "error decoding patch: an apply patch is an object"),
      ("{apiVersion: v1, metadata: {managedFields: []}}", "metadata.managedFields must be nil"),
      (
        "{apiVersion: v2, kind: Pod}",
        "Incorrect version specified in apply patch. Specified patch version: v2, expected: v1"
      ),
      (
        "{apiVersion: v1, spec: {containers: [{name: a}, {name: a}]}}",
        #"failed to create typed patch object: .spec.containers: duplicate entries for key [name="a"]"#
      ),
      (
        "{apiVersion: v1, spec: {containers: [{name: a, env: [{value: x}]}]}}",
        #"failed to create typed patch object: .spec.containers[name="a"].env: element 0: associative list with keys "#
          + #"has an element that omits all key fields ["name"] (and doesn't have default values for any key fields)"#
      ),
    ]) func refused(text: String, message: String) throws
  {
    var served = Served("Pod")
    try served.apply("{apiVersion: v1, kind: Pod, metadata: {name: p}}")
    let status = try failure { try served.apply(text) }
    #expect(status.reason == .badRequest && status.message == message)
  }

  @Test("after any applies, each manager's last configuration is in the object, and nothing else") func random() throws
  {
    var random = SeededGenerator(state: 11)
    for _ in 0..<100 {
      var served = Served("Pod")
      var last: [String: JSON] = [:]
      for _ in 0..<12 {
        let manager = ["a", "b", "c"].randomElement(using: &random) ?? "a"
        let configuration = Self.randomPod(using: &random)
        served.object = try served.ownership.apply(
          configuration, by: manager, force: true, to: served.object, as: served.type)
        last[manager] = configuration
        let object = try #require(served.object)
        // Its configuration again changes nothing.
        var again = served.ownership
        #expect(try again.apply(configuration, by: manager, force: false, to: object, as: served.type) == object)
        let fields = Set(served.ownership.shares.values.flatMap { $0.fields.paths })
        var empty = FieldOwnership()
        _ = try empty.apply(object, by: "all", force: true, to: nil, as: served.type)
        #expect(Set(empty.shares.values.flatMap { $0.fields.paths }) == fields)
        let read = FieldOwnership(managedFields: served.ownership.managedFields(at: ""))
        #expect(read?.shares.mapValues(\.fields) == served.ownership.shares.mapValues(\.fields))
      }
    }
  }

  private static func randomPod(using random: inout SeededGenerator) -> JSON {
    var pod: JSON = ["apiVersion": "v1", "kind": "Pod", "metadata": ["name": "p"]]
    for label in ["x", "y"] where Bool.random(using: &random) {
      pod[["metadata", "labels", label]] = .string("\(Int.random(in: 0..<2, using: &random))")
    }
    var containers: [JSON] = []
    for name in ["c", "d", "e"].shuffled(using: &random) where Bool.random(using: &random) {
      var container: JSON = ["name": .string(name)]
      if Bool.random(using: &random) { container["image"] = .string("\(Int.random(in: 0..<2, using: &random))") }
      let ports = [80, 81].filter { _ in Bool.random(using: &random) }
      if !ports.isEmpty { container["ports"] = .array(ports.map { ["containerPort": .integer($0)] }) }
      containers.append(container)
    }
    if !containers.isEmpty { pod[["spec", "containers"]] = .array(containers) }
    if Bool.random(using: &random) { pod[["spec", "nodeSelector"]] = ["z": .bool(Bool.random(using: &random))] }
    return pod
  }
}
