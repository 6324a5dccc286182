// Not covered: everything else that an API server refuses. These tests check fields, types, versions and selectors.
import Manifests
import NetpolModel
import Testing

@Suite struct StrictnessTests {
  /// A Deployment whose spec is on line 4. `pod` is the spec of its template.
  private static func deployment(_ pod: String, spec: String = "selector: {matchLabels: {app: web}}") -> String {
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {\(spec), template: {metadata: {labels: {app: web}}, spec: \(pod)}}"
  }
  private static func pod(_ spec: String, metadata: String = "name: web", status: String = "{}") -> String {
    "apiVersion: v1\nkind: Pod\nmetadata: {\(metadata)}\nspec: \(spec)\nstatus: \(status)\n---\n"
  }
  private static let stored = "name: web, uid: 8c8b4567, resourceVersion: \"12\""

  @Test(
    "an unknown field is refused, with the right name if one is near",
    arguments: [
      (
        pod("{containers: [{name: c}]}", metadata: "name: web, namepsace: shop"),
        "3: Pod default/web: metadata.namepsace: unknown field; did you mean namespace?"
      ),
      (
        pod("{containers: [{name: c}]}", metadata: "name: web, label: {}"),
        "3: Pod default/web: metadata.label: unknown field; did you mean labels?"
      ),
      (
        pod("{hostnetwork: true, containers: [{name: c}]}"),
        "4: Pod default/web: spec.hostnetwork: unknown field; did you mean hostNetwork?"
      ),
      (
        pod("{containers: [{name: c, port: []}]}"),
        "4: Pod default/web: spec.containers[0].port: unknown field; did you mean ports?"
      ),
      (
        pod("{containers: [{name: c, env: [{name: a, valeu: b}]}]}"),
        "4: Pod default/web: spec.containers[0].env[0].valeu: unknown field; did you mean value?"
      ),
      (
        pod("{containers: [{name: c, hostNetwork: true}]}"),
        "4: Pod default/web: spec.containers[0].hostNetwork: unknown field; remove it, or check its name and indentation"
      ),
      (
        pod("{containers: [{name: c}], securityContext: {runAs: 1}}"),
        "4: Pod default/web: spec.securityContext.runAs: unknown field; remove it, or check its name and indentation"
      ),
      (
        pod("{containers: [{name: c, resizePolicy: [{cpu: x}]}]}"),
        "4: Pod default/web: spec.containers[0].resizePolicy[0].cpu: unknown field; known here: resourceName, restartPolicy"
      ),
      (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  label:\n    app: db\nspec: {containers: [{name: c}]}",
        "5: Pod default/web: metadata.label: unknown field; did you mean labels?"
      ),
      (
        deployment("{}", spec: "selector: {matchLabels: {app: web}}, hostNetwork: true"),
        "4: Deployment default/web: spec.hostNetwork: unknown field; did you mean template.spec.hostNetwork?"
      ),
      (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    sepc: {}",
        "8: Deployment default/web: spec.template.sepc: unknown field; did you mean spec?"
      ),
      (
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selectors: {}, ports: [{port: 80}]}",
        "4: Service default/web: spec.selectors: unknown field; did you mean selector?"
      ),
      (
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: web, lables: {}}",
        "3: Namespace web: metadata.lables: unknown field; did you mean labels?"
      ),
      (
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: web}\naddresstype: IPv4",
        "4: EndpointSlice default/web: addresstype: unknown field; did you mean addressType?"
      ),
      (
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Node, metadata: {name: n1}, spec: {podCIDRS: []}}",
        "4: Node n1: spec.podCIDRS: unknown field; did you mean podCIDRs?"
      ),
    ])
  func unknown(text: String, line: String) { #expect(refusal(text) == "a.yaml:\(line)") }

  @Test(
    "a wrong type is refused, also in a field that the program doesn't use",
    arguments: [
      (
        pod("{containers: [{name: c, env: [{name: a, value: 80}]}]}"),
        "spec.containers[0].env[0].value: expected a string, found the number 80; write \"80\" with the quotes"
      ),
      (
        pod("{containers: [{name: c, args: --verbose}]}"),
        "spec.containers[0].args: expected a list, found the string \"--verbose\""
      ),
      (pod("{containers: {name: c}}"), "spec.containers: expected a list, found a mapping"),
      (pod("{containers: [c]}"), "spec.containers[0]: expected a mapping, found the string \"c\""),
      (
        pod("{containers: [{name: c, tty: \"yes\"}]}"),
        "spec.containers[0].tty: expected true or false, found the string \"yes\""
      ),
      (
        pod("{containers: [{name: c}], priority: high}"),
        "spec.priority: expected an integer, found the string \"high\""
      ),
      (
        pod("{containers: [{name: c}], nodeSelector: {disk: true}}"),
        "spec.nodeSelector.disk: expected a string, found the boolean true; write \"true\" with the quotes"
      ),
      (
        pod("{containers: [{name: c, resources: {limits: {memory: 1 GB}}}]}"),
        "spec.containers[0].resources.limits.memory: \"1 GB\" is not a quantity; write one such as 100m or 1Gi"
      ),
      (
        pod("{containers: [{name: c, resources: {limits: {cpu: [1]}}}]}"),
        "spec.containers[0].resources.limits.cpu: expected a quantity, found a list; write one such as 100m or 1Gi"
      ),
      (
        pod("{containers: [{name: c}], nodeSelector: {y: a}}"),
        "spec.nodeSelector.y: the key reads as a boolean; write \"y\" with the quotes"
      ),
      (
        pod("{containers: [{name: c, livenessProbe: {httpGet: {port: true}}}]}"),
        "spec.containers[0].livenessProbe.httpGet.port: expected a string or an integer, found the boolean true"
      ),
    ])
  func mismatched(text: String, line: String) { #expect(refusal(text) == "a.yaml:4: Pod default/web: \(line)") }

  @Test("a time that is none is refused")
  func time() {
    #expect(
      refusal(Self.pod("{containers: [{name: c}]}", metadata: "name: web, creationTimestamp: today"))
        == "a.yaml:3: Pod default/web: metadata.creationTimestamp: \"today\" is not a time; write one such as 2026-01-31T12:00:00Z"
    )
  }

  @Test(
    "a text that the API does not know is refused, and is a warning if the object came out of a cluster",
    arguments: [
      (
        pod("{containers: [{name: c}], restartPolicy: always}"), "spec.restartPolicy", "always",
        "Always, OnFailure or Never"
      ),
      (
        pod("{containers: [{name: c, imagePullPolicy: IfMissing}]}"), "spec.containers[0].imagePullPolicy", "IfMissing",
        "Always, IfNotPresent or Never"
      ),
      (
        pod("{containers: [{name: c}], dnsPolicy: Cluster}"), "spec.dnsPolicy", "Cluster",
        "ClusterFirst, ClusterFirstWithHostNet, Default or None"
      ),
      (
        pod("{containers: [{name: c}], initContainers: [{name: d, restartPolicy: always}]}"),
        "spec.initContainers[0].restartPolicy", "always", "Always, OnFailure or Never"
      ),
      (
        pod("{containers: [{name: c}], tolerations: [{operator: Exists, effect: noexecute}]}"),
        "spec.tolerations[0].effect", "noexecute", "NoSchedule, PreferNoSchedule or NoExecute"
      ),
    ])
  func unsupported(text: String, path: String, value: String, values: String) throws {
    #expect(refusal(text) == "a.yaml:4: Pod default/web: \(path): \"\(value)\" is not supported; write \(values)")
    let field = path.replacing("[0]", with: "[]")
    #expect(
      try warnings(text.replacing("name: web", with: Self.stored)) == [
        "values that API servers do not support: Pod \(field): \"\(value)\" is not supported (a.yaml:4)"
      ])
  }

  @Test(
    "a restartPolicy that the workload can't have is refused",
    arguments: [
      ("Deployment", "Never", "\"Never\" is not supported in a Deployment; remove it, or write Always"),
      ("DaemonSet", "OnFailure", "\"OnFailure\" is not supported in a DaemonSet; remove it, or write Always"),
      ("Deployment", "Always", nil), ("StatefulSet", nil, nil), ("Job", "Never", nil), ("Job", "OnFailure", nil),
      ("Job", "Always", "\"Always\" is not supported in a Job; write OnFailure or Never"),
      ("Job", nil, "is missing; a Job needs OnFailure or Never"),
    ])
  func restartPolicy(kind: String, policy: String?, problem: String?) {
    let spec = "{containers: [{name: c}]\(policy.map { ", restartPolicy: \($0)" } ?? "")}"
    let text =
      kind == "Job"
      ? "apiVersion: batch/v1\nkind: Job\nmetadata: {name: web}\nspec: {template: {spec: \(spec)}}"
      : Self.deployment(spec).replacing("kind: Deployment", with: "kind: \(kind)")
    let line = problem.map { "a.yaml:4: \(kind) default/web: spec.template.spec.restartPolicy: \($0)" }
    #expect(refusal(text) == line ?? "accepted")
    #expect(refusal(text, validation: .asStored) == "accepted")
  }

  @Test(
    "containers that the API server refuses together are refused",
    arguments: [
      (
        "{containers: [{name: c}], initContainers: [{name: c}]}",
        "spec.initContainers[0].name: \"c\" appears twice; give each container a different name"
      ),
      (
        "{containers: [{name: My_App}]}",
        "spec.containers[0].name: \"My_App\" is not a valid container name; use at most 63 of a-z, 0-9 and inner '-'"
      ),
      (
        "{containers: [{name: c, ports: [{name: http, containerPort: 80}, {name: http, containerPort: 81}]}]}",
        "spec.containers[0].ports[1].name: \"http\" appears twice; give each port of a container a different name"
      ),
      (
        "{containers: [{name: c, ports: [{containerPort: 80, hostPort: 80}, {containerPort: 81, hostPort: 80}]}]}",
        "spec.containers[0].ports[1].hostPort: TCP/80 appears twice as a host port; give each a different number"
      ),
      (
        "{hostNetwork: true, containers: [{name: c, ports: [{containerPort: 80, hostPort: 8080}]}]}",
        "spec.containers[0].ports[0].hostPort: 8080 differs from containerPort 80; with hostNetwork both must be the same"
      ),
    ])
  func containers(spec: String, line: String) {
    #expect(refusal(Self.pod(spec)) == "a.yaml:4: Pod default/web: \(line)")
    #expect(refusal(Self.pod(spec), validation: .asStored) == "accepted")
  }

  @Test(
    "containers that the API server accepts together are accepted",
    arguments: [
      "{containers: [{name: c, ports: [{name: http, containerPort: 80}]}, {name: d, ports: [{name: http, containerPort: 80}]}]}",
      "{containers: [{name: c, ports: [{containerPort: 53, hostPort: 53}, {containerPort: 53, hostPort: 53, protocol: UDP}]}]}",
      "{containers: [{name: c, ports: [{containerPort: 1, hostPort: 1, hostIP: 10.0.0.1}, {containerPort: 2, hostPort: 1, hostIP: 10.0.0.2}]}]}",
      "{hostNetwork: true, containers: [{name: c, ports: [{containerPort: 80, hostPort: 80}]}], restartPolicy: \"\"}",
    ])
  func sharedPorts(spec: String) { #expect(refusal(Self.pod(spec)) == "accepted") }

  @Test(
    "a Service without what its type needs is refused",
    arguments: [
      (
        "spec: {selector: {a: b}}",
        "4: Service default/s: spec.ports: is missing; give at least one, or clusterIP: None for a headless Service"
      ),
      (
        "metadata: {name: s}",
        "1: Service default/s: spec: is missing; give one, with its ports; or, if this is a patch for kustomize, run kubectl kustomize FOLDER | netpol-lab run -f -"
      ),
      (
        "spec: {type: ExternalName}",
        "4: Service default/s: spec.externalName: is missing; give the DNS name, or another type"
      ),
      ("spec: {clusterIP: None}", nil), ("spec: {type: ExternalName, externalName: a.example}", nil),
      (
        "spec: {type: ExternalName, externalName: a.example, clusterIP: 10.43.0.9}",
        "4: Service default/s: spec.clusterIP: may not be given with type ExternalName; remove it, or write another type"
      ),
      (
        "spec: {ports: [{port: 80}], loadBalancerSourceRanges: [10.0.0.0/8]}",
        "4: Service default/s: spec.loadBalancerSourceRanges: may only be given with type LoadBalancer; remove it, or write type: LoadBalancer"
      ),
      (
        "spec: {ports: [{port: 80}], ipFamilies: [IPv4, IPv4]}",
        "4: Service default/s: spec.ipFamilies[1]: IPv4 appears twice; keep one of them"
      ),
      // What the API server takes for a missing value.
      (
        "spec: {type: \"\", sessionAffinity: \"\", externalTrafficPolicy: \"\", ports: [{port: 80, protocol: \"\"}]}",
        nil
      ),
    ])
  func services(rest: String, line: String?) {
    let head = "apiVersion: v1\nkind: Service\n" + (rest.hasPrefix("spec") ? "metadata: {name: s}\n" : "")
    #expect(refusal(head + rest) == line.map { "a.yaml:\($0)" } ?? "accepted")
    #expect(refusal(head + rest, validation: .asStored) == "accepted")
  }

  @Test(
    "a missing field that the API server requires is refused",
    arguments: [
      (pod("{}"), "4: Pod default/web: spec.containers: is missing; give at least one container"),
      (pod("{containers: []}"), "4: Pod default/web: spec.containers: is missing; give at least one container"),
      (pod("{containers: null}"), "4: Pod default/web: spec.containers: is missing; give at least one container"),
      (pod("null"), "1: Pod default/web: spec: is missing; give one, with its containers"),
      (pod("{containers: [null]}"), "4: Pod default/web: spec.containers[0].name: is missing; give it a name"),
      (pod("{containers: [{image: x}]}"), "4: Pod default/web: spec.containers[0].name: is missing; give it a name"),
      (pod("{containers: [{name: \"\"}]}"), "4: Pod default/web: spec.containers[0].name: is missing; give it a name"),
      (
        pod("{containers: [{name: c, env: [{value: a}]}]}"),
        "4: Pod default/web: spec.containers[0].env[0].name: is missing; give it a name"
      ),
      (
        pod("{containers: [{name: c, volumeMounts: [{name: a}]}]}"),
        "4: Pod default/web: spec.containers[0].volumeMounts[0].mountPath: is missing; the API server requires it"
      ),
      (
        pod("{containers: [{name: c}]}", metadata: "name: web, ownerReferences: [{kind: X, name: x, apiVersion: v1}]"),
        "3: Pod default/web: metadata.ownerReferences[0].uid: is missing; the API server requires it"
      ),
      (
        deployment("{}"),
        "4: Deployment default/web: spec.template.spec.containers: is missing; give at least one container"
      ),
      (deployment("null"), "4: Deployment default/web: spec.template.spec: is missing; give one, with its containers"),
      (
        deployment("{containers: [{name: c}]}", spec: "replicas: 1"),
        "4: Deployment default/web: spec.selector: is missing; give the labels of the template as matchLabels; or, if this is a patch for kustomize, run kubectl kustomize FOLDER | netpol-lab run -f -"
      ),
      (
        "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: web}",
        "1: DaemonSet default/web: spec: is missing; give one, with its containers"
      ),
      (
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: c}\nspec: {schedule: \"@daily\"}",
        "4: CronJob default/c: spec.jobTemplate: is missing; the API server requires it"
      ),
      (
        pod("{containers: [{name: c, livenessProbe: {httpGet: {path: /}}}]}"),
        "4: Pod default/web: spec.containers[0].livenessProbe.httpGet.port: is missing; the API server requires it"
      ),
      (
        pod(
          "{containers: [{name: c}], affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{labelSelector: {}}]}}}"
        ),
        "4: Pod default/web: spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: is missing; the API server requires it"
      ),
    ])
  func missing(text: String, line: String) { #expect(refusal(text) == "a.yaml:\(line)") }

  @Test(
    "an object that fits is accepted",
    arguments: [
      pod(
        "{containers: [{name: c, env: [{name: a, value: \"80\"}, {name: b}], resources: {limits: {cpu: 0.5, memory: 1Gi}}, livenessProbe: {httpGet: {port: http}}}], terminationGracePeriodSeconds: 3.0}"
      ),
      pod(
        "{containers: [{name: c, env: null, tty: yes}], nodeSelector: {disk: null}, affinity: null}",
        metadata: "name: web, creationTimestamp: null"),
      "x: &c {name: c}\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}",
      "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: &s {containers: [{name: c}]}}\n- {apiVersion: v1, kind: Pod, metadata: {name: b}, spec: {<<: *s, hostNetwork: true}}",
      deployment(
        "{containers: [{name: c}]}", spec: "selector: {matchExpressions: [{key: app, operator: In, values: [web, db]}]}"
      ),
      "apiVersion: v1\nkind: ReplicationController\nmetadata: {name: web}\nspec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c}]}}}",
    ])
  func accepted(text: String) { #expect(refusal(text) == "accepted") }

  @Test(
    "a selector that does not match the template's labels is refused",
    arguments: [
      (
        "Deployment", "{matchLabels: {app: db}}",
        "spec.template.metadata.labels: `selector` does not match template `labels`; give the template the label app: db"
      ),
      (
        "StatefulSet", "{matchLabels: {app: web, tier: a}}",
        "spec.template.metadata.labels: `selector` does not match template `labels`; give the template the label tier: a"
      ),
      (
        "DaemonSet", "{matchExpressions: [{key: app, operator: DoesNotExist}]}",
        "spec.template.metadata.labels: `selector` does not match template `labels`; change the labels or the selector"
      ),
      ("ReplicaSet", "{}", "spec.selector: is empty; give the labels of the template as matchLabels"),
      (
        "ReplicationController", "{app: db}",
        "spec.template.metadata.labels: `selector` does not match template `labels`; give the template the label app: db"
      ),
    ])
  func selector(kind: String, selector: String, line: String) {
    let text = Self.deployment("{containers: [{name: c}]}", spec: "selector: \(selector)")
      .replacing("kind: Deployment", with: "kind: \(kind)")
      .replacing("apps/v1", with: kind == "ReplicationController" ? "v1" : "apps/v1")
    #expect(refusal(text) == "a.yaml:4: \(kind) default/web: \(line)")
    #expect(refusal(text, validation: .asStored) == "accepted")
  }

  @Test(
    "an API version that is no longer served is refused, and read with a warning if the object came out of a cluster",
    arguments: [
      ("Deployment", "extensions/v1beta1", "1.16", "apps/v1"), ("DaemonSet", "extensions/v1beta1", "1.16", "apps/v1"),
      ("ReplicaSet", "extensions/v1beta1", "1.16", "apps/v1"), ("Deployment", "apps/v1beta1", "1.16", "apps/v1"),
      ("StatefulSet", "apps/v1beta1", "1.16", "apps/v1"), ("StatefulSet", "apps/v1beta2", "1.16", "apps/v1"),
      ("NetworkPolicy", "extensions/v1beta1", "1.16", "networking.k8s.io/v1"),
      ("CronJob", "batch/v1beta1", "1.25", "batch/v1"), ("CronJob", "batch/v2alpha1", "1.21", "batch/v1"),
      ("EndpointSlice", "discovery.k8s.io/v1beta1", "1.25", "discovery.k8s.io/v1"),
    ])
  func versions(kind: String, version: String, release: String, home: String) throws {
    func text(_ metadata: String) -> String {
      let template = "{metadata: {labels: {app: web}}, spec: {containers: [{name: c}]}}"
      let rest =
        switch kind {
        case "NetworkPolicy": "spec: {podSelector: {}}"
        case "EndpointSlice": "addressType: IPv4\nendpoints: []"
        case "CronJob":
          "spec: {schedule: \"@daily\", jobTemplate: {spec: {template: \(template.replacing("[{name: c}]", with: "[{name: c}], restartPolicy: Never"))}}}"
        default: "spec: {selector: {matchLabels: {app: web}}, template: \(template)}"
        }
      return "apiVersion: \(version)\nkind: \(kind)\nmetadata: {\(metadata)}\n\(rest)\n"
    }
    #expect(
      refusal(text("name: web"))
        == "a.yaml:1: \(kind) default/web: apiVersion: \(kind) in \(version) is not served since Kubernetes \(release); write \(home)"
    )
    let warning = "API versions that API servers no longer serve: \(kind) in \(version) (a.yaml:1)"
    for (metadata, validation) in [("name: web", Validation.asStored), (Self.stored, .apiServer)] {
      let reading = try read(text(metadata), options: ReadOptions(validation: validation))
      #expect(reading.texts.contains(warning))
      #expect(reading.cluster.pods.count + reading.cluster.policies.count == (kind == "EndpointSlice" ? 0 : 1))
    }
  }

  @Test("an old version of a kind that the program doesn't read is a warning, because it changes no verdict")
  func unreadVersions() throws {
    let text =
      "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: a}\n---\n"
      + Self.pod("{containers: [{name: c}]}")
    #expect(
      try warnings(text) == ["API versions that API servers no longer serve: Ingress in extensions/v1beta1 (a.yaml:1)"])
  }

  @Test(
    "a group that is nearly one of the API's own is a misspelled one",
    arguments: ["networking.k8.io/v1", "network.k8s.io/v1", "networking.k8s.o/v1", "policy.k8s.io/v1"])
  func misspelledGroup(version: String) {
    #expect(
      refusal(policyText("{podSelector: {}}").replacing("networking.k8s.io/v1", with: version))
        .hasSuffix("apiVersion \"\(version)\" has no kind NetworkPolicy; write apiVersion: networking.k8s.io/v1"))
  }

  @Test("a forgotten --- is told")
  func forgottenSeparator() {
    #expect(
      refusal(policyText("{podSelector: {}}") + "\n" + policyText("{podSelector: {}}"))
        == "a.yaml:1: the key \"apiVersion\" appears twice in one mapping; put --- between the two objects")
  }

  @Test("an empty namespace is the default one, and a byte order mark may begin each document")
  func accepted() throws {
    let pod = podText("p").replacing("namespace: default", with: "namespace: \"\"")
    let reading = try read("\u{feff}" + pod + "\u{feff}" + podText("q"))
    #expect(reading.cluster.pods.map { "\($0.id)" } == ["default/p", "default/q"])
  }

  @Test("a version that never was is refused")
  func noVersion() {
    #expect(
      refusal("apiVersion: apps/v2\nkind: Deployment\nmetadata: {name: web}")
        == "a.yaml:1: Deployment default/web: apiVersion \"apps/v2\" has no kind Deployment; write apiVersion: apps/v1")
  }

  private func warnings(_ text: String, _ validation: Validation = .apiServer) throws -> [String] {
    try read(text, options: ReadOptions(validation: validation)).notes.filter { $0.severity == .warning }.map(\.text)
  }

  @Test("an unknown field of a stored object or of a status is a warning")
  func newerRelease() throws {
    let spec = "{futureField: 1, containers: [{name: c, alsoNew: {a: b}}]}"
    #expect(
      try warnings(Self.pod(spec, metadata: Self.stored)) == [
        "unknown fields are ignored: Pod spec.containers[].alsoNew (a.yaml:4), Pod spec.futureField (a.yaml:4)"
      ])
    #expect(
      try warnings(Self.pod("{containers: [{name: c}]}", status: "{futurePhase: x, phase: Running}"))
        == ["unknown fields are ignored: Pod status.futurePhase (a.yaml:5)"])
    #expect(
      try warnings(policyText("{podSelector: {}}") + "\nstatus: {conditions: []}") == [
        "unknown fields are ignored: NetworkPolicy status (a.yaml:5)"
      ])
    #expect(refusal(Self.pod("{containers: [{name: c, tty: 1}]}", metadata: Self.stored)) != "accepted")
  }

  @Test("with --as-stored each kind of fault is one warning, however many objects have it")
  func asStored() throws {
    let bad = (0..<200).map {
      Self.pod("{hostnetwork: true, priority: high}", metadata: "name: p\($0), namespace: shop, label: {}")
    }
    #expect(
      try warnings(bad.joined(), .asStored) == [
        "unknown fields are ignored: Pod metadata.label, did you mean labels? (a.yaml:3 and 199 more), Pod spec.hostnetwork, did you mean hostNetwork? (a.yaml:4 and 199 more)",
        "values of a wrong type: Pod spec.priority: expected an integer, found the string \"high\" (a.yaml:4 and 199 more)",
        "required fields are missing: Pod spec.containers (a.yaml:4 and 199 more)",
      ])
  }

  @Test("aliases can't make a few lines into billions of values")
  func aliases() {
    let names = ["env", "envFrom", "volumeMounts"]
    var text = "x: &e {name: a}\nv: &env [\(Array(repeating: "*e", count: 3000).joined(separator: ", "))]\n"
    text += "z: &c {name: c, \(names.map { "\($0): *env" }.joined(separator: ", "))}\n"
    text += "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
    text += "spec: {containers: [\(Array(repeating: "*c", count: 3000).joined(separator: ", "))]}\n"
    #expect(refusal(text) == "a.yaml:1: Pod default/a: too many values, because of aliases; write the aliases out")
  }
}
