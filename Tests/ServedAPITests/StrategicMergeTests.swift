// Not covered: what kubectl computes as the patch (the tests with the real kubectl), and whether the result is valid.
import Manifests
import ServedAPI
import Testing
import Text

@Suite("Strategic merge patches") struct StrategicMergeTests {
  /// An object, a patch and the result, in YAML, below `spec` of a Pod.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let before: String
    let patch: String
    let after: String
    init(_ name: String, _ before: String, _ patch: String, _ after: String) {
      (self.name, self.before, self.patch, self.after) = (name, before, patch, after)
    }
    var testDescription: String { name }
  }

  static let podCases: [Case] = [
    // "Update API Objects in Place Using kubectl patch" of the Kubernetes documentation.
    Case(
      "a container that is new is added, before those that are there",
      "{containers: [{name: patch-demo-ctr, image: nginx}]}",
      "{containers: [{name: patch-demo-ctr-2, image: redis}]}",
      "{containers: [{name: patch-demo-ctr-2, image: redis}, {name: patch-demo-ctr, image: nginx}]}"),
    Case(
      "tolerations have no merge key and are replaced",
      "{tolerations: [{effect: NoSchedule, key: dedicated, value: test-team}]}",
      "{tolerations: [{effect: NoSchedule, key: disktype, value: ssd}]}",
      "{tolerations: [{effect: NoSchedule, key: disktype, value: ssd}]}"),
    Case(
      "a container that is there is merged", "{containers: [{name: a, image: x, tty: true}, {name: b}]}",
      "{containers: [{name: a, image: y, tty: null}]}", "{containers: [{name: a, image: y}, {name: b}]}"),
    Case(
      "$patch: delete in a list removes the entry", "{containers: [{name: a}, {name: b}]}",
      "{containers: [{name: a, $patch: delete}]}", "{containers: [{name: b}]}"),
    Case(
      "$patch: delete of an entry that isn't there does nothing", "{containers: [{name: b}]}",
      "{containers: [{name: a, $patch: delete}]}", "{containers: [{name: b}]}"),
    Case(
      "$patch: replace in a list replaces it", "{containers: [{name: a}, {name: b, tty: true}]}",
      "{containers: [{name: b}, {$patch: replace}]}", "{containers: [{name: b}]}"),
    Case(
      "$patch: merge in an entry is what happens without it", "{containers: [{name: a, tty: true}]}",
      "{containers: [{name: a, image: x, $patch: merge}]}", "{containers: [{name: a, image: x, tty: true}]}"),
    Case(
      "$patch: replace in an object replaces it", "{securityContext: {runAsUser: 1, runAsGroup: 2}}",
      "{securityContext: {$patch: replace, runAsUser: 3}}", "{securityContext: {runAsUser: 3}}"),
    Case(
      "$patch: delete in an object empties it", "{securityContext: {runAsUser: 1, runAsGroup: 2}}",
      "{securityContext: {$patch: delete}}", "{securityContext: {}}"),
    Case(
      "null removes a field, also one that isn't there", "{nodeName: a, hostNetwork: true}",
      "{nodeName: null, hostname: null, dnsConfig: {options: null}}", "{hostNetwork: true, dnsConfig: {}}"),
    Case(
      "$retainKeys removes all fields of a volume that it doesn't name",
      "{volumes: [{name: v, emptyDir: {medium: Memory}}]}",
      "{volumes: [{name: v, $retainKeys: [name, configMap], configMap: {name: c}}]}",
      "{volumes: [{name: v, configMap: {name: c}}]}"),
    Case(
      "$setElementOrder sorts entries, those it doesn't name stay between them",
      "{containers: [{name: a}, {name: b}, {name: c}]}",
      "{$setElementOrder/containers: [{name: c}, {name: a}], containers: [{name: a, image: x}]}",
      "{containers: [{name: b}, {name: c}, {name: a, image: x}]}"),
    Case(
      "$setElementOrder alone sorts", "{containers: [{name: a}, {name: b}]}",
      "{$setElementOrder/containers: [{name: b}, {name: a}]}", "{containers: [{name: b}, {name: a}]}"),
    Case(
      "what kubectl apply sends for a container added at the end puts it there", "{containers: [{name: a}]}",
      "{$setElementOrder/containers: [{name: a}, {name: b}], containers: [{name: b, image: x}]}",
      "{containers: [{name: a}, {name: b, image: x}]}"),
    Case(
      "$setElementOrder with a list that isn't there adds it", "{}",
      "{$setElementOrder/containers: [{name: a}, {name: b}], containers: [{name: a}, {name: b}]}",
      "{containers: [{name: a}, {name: b}]}"),
    Case(
      "lists in entries are merged by their own keys",
      "{containers: [{name: a, env: [{name: X, value: '1'}, {name: Y, value: '2'}], args: [p, q]}]}",
      "{containers: [{name: a, env: [{name: Y, value: '3'}], args: [r]}]}",
      "{containers: [{name: a, env: [{name: X, value: '1'}, {name: Y, value: '3'}], args: [r]}]}"),
    Case(
      "container ports are told apart by their number alone",
      "{containers: [{name: a, ports: [{containerPort: 53, protocol: UDP}]}]}",
      "{containers: [{name: a, ports: [{containerPort: 53, protocol: TCP}]}]}",
      "{containers: [{name: a, ports: [{containerPort: 53, protocol: TCP}]}]}"),
    Case(
      "directives in what is new don't stay, nor nulls", "{}",
      "{containers: [{name: a, tty: null, securityContext: {$patch: delete}}], dnsConfig: {$retainKeys: []}}",
      "{containers: [{name: a}], dnsConfig: {}}"),
    Case(
      "a value of another type is replaced", "{nodeSelector: x}", "{nodeSelector: {a: b}}", "{nodeSelector: {a: b}}"),
  ]

  @Test("Pods are merged as Kubernetes documents it", arguments: podCases) func pods(_ example: Case) throws {
    let result = try JSON.object(["spec": json(example.before)])
      .merging(strategic: .object(["spec": json(example.patch)]), as: .of("Pod"))
    #expect(try result == .object(["spec": json(example.after)]))
  }

  @Test(
    "other kinds' lists are merged by their own keys",
    arguments: [
      (
        "Service", "v1", "{spec: {ports: [{port: 80, targetPort: 8080}], externalIPs: [1.1.1.1]}}",
        "{spec: {ports: [{port: 80, targetPort: 9090}], externalIPs: [2.2.2.2]}}",
        "{spec: {ports: [{port: 80, targetPort: 9090}], externalIPs: [2.2.2.2]}}"
      ),
      (
        "Node", "v1",
        "{status: {conditions: [{type: Ready, status: 'True'}], addresses: [{type: Hostname, address: a}]}}",
        "{status: {conditions: [{type: Ready, status: 'False'}], addresses: [{type: Hostname, address: b}]}}",
        "{status: {conditions: [{type: Ready, status: 'False'}], addresses: [{type: Hostname, address: b}]}}"
      ),
      (
        "Node", "v1", "{spec: {podCIDRs: [10.0.0.0/24], taints: [{key: a}]}}",
        "{spec: {podCIDRs: ['fd00::/64'], taints: [{key: b}]}}",
        "{spec: {podCIDRs: ['fd00::/64', 10.0.0.0/24], taints: [{key: b}]}}"
      ),
      (
        "NetworkPolicy", "networking.k8s.io/v1",
        "{spec: {ingress: [{from: []}, {ports: []}], podSelector: {matchLabels: {a: b}}}}",
        "{spec: {ingress: [{}], podSelector: {matchLabels: {c: d}}}}",
        "{spec: {ingress: [{}], podSelector: {matchLabels: {a: b, c: d}}}}"
      ),
      (
        "Pod", "v1", "{metadata: {finalizers: [a, b], ownerReferences: [{uid: x, name: o}], labels: {a: b}}}",
        "{metadata: {finalizers: [c, a], ownerReferences: [{uid: x, controller: true}], labels: {a: null, c: d}}}",
        "{metadata: {finalizers: [c, a, b], ownerReferences: [{uid: x, name: o, controller: true}], labels: {c: d}}}"
      ),
      (
        "Pod", "v1", "{metadata: {finalizers: [a, b, c]}}",
        "{metadata: {$deleteFromPrimitiveList/finalizers: [b, x], $setElementOrder/finalizers: [d, a], finalizers: [d]}}",
        "{metadata: {finalizers: [d, a, c]}}"
      ),
      (
        "Deployment", "apps/v1", "{spec: {strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}, replicas: 1}}",
        "{spec: {strategy: {$retainKeys: [type], type: Recreate}}}", "{spec: {strategy: {type: Recreate}, replicas: 1}}"
      ),
    ]) func kinds(kind: String, apiVersion: String, before: String, patch: String, after: String) throws
  {
    #expect(try json(before).merging(strategic: json(patch), as: .of(kind, apiVersion)) == json(after))
  }

  @Test(
    "a patch that makes no sense is refused",
    arguments: [
      ("[]", APIStatus.Reason.badRequest),
      ("{spec: {$patch: remove}}", .badRequest),
      ("{spec: {$patch: 1}}", .badRequest),
      ("{spec: {$retainKeys: nodeName}}", .badRequest),
      ("{spec: {$retainKeys: [], nodeName: a}}", .badRequest),
      ("{spec: {$deleteFromPrimitiveList/containers: a}}", .badRequest),
      ("{spec: {$setElementOrder/containers: a}}", .badRequest),
      ("{spec: {$setElementOrder/containers: [{name: b}], containers: [{name: a}]}}", .badRequest),
      (
        "{spec: {$setElementOrder/containers: [{name: b}, {name: a}], containers: [{name: a}, {name: b}]}}", .badRequest
      ),
      ("{spec: {containers: [{image: x}]}}", .invalid),
      ("{spec: {containers: [x]}}", .badRequest),
      ("{spec: {containers: [{$patch: delete}]}}", .invalid),
    ]) func refused(patch: String, reason: APIStatus.Reason) throws
  {
    let pod = try json("{spec: {containers: [{name: a}]}}")
    #expect(try failure { try pod.merging(strategic: json(patch), as: .of("Pod")) }.reason == reason)
  }

  @Test("custom resources have no strategic merge, and kinds without schema have one of their metadata") func noSchema()
    throws
  {
    let before = try json("{metadata: {finalizers: [a]}, data: {a: b, list: [1]}}")
    let patch = try json("{metadata: {finalizers: [b]}, data: {a: null, list: [2]}}")
    let status = try failure { try before.merging(strategic: patch, as: nil) }
    #expect(status.reason == .unsupportedMediaType && status.reason.code == 415)
    #expect(status.message.hasPrefix("the body of the request was in an unknown format - accepted media types include"))
    #expect(
      try before.merging(strategicWithoutSchema: patch) == json("{metadata: {finalizers: [b, a]}, data: {list: [2]}}"))
  }

  @Test("a patch of objects alone does what a merge patch does") func likeMergePatch() throws {
    var random = SeededGenerator(state: 1)
    for _ in 0..<300 {
      let before = JSON.randomObject(depth: 4, using: &random)
      let patch = JSON.randomObject(depth: 4, using: &random).withoutLists
      #expect(try before.merging(strategicWithoutSchema: patch) == before.merging(patch))
    }
  }
}

extension JSON {
  fileprivate var withoutLists: JSON {
    switch self {
    case .object(let fields): .object(fields.mapValues(\.withoutLists))
    case .array: "list"
    case .null, .bool, .integer, .decimal, .string: self
    }
  }
}
