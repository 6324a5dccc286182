// Not covered: what each controller makes of its template. Only labels that are known beforehand are added.
import Manifests
import NetpolModel
import Testing

@Suite("An object of another project with a pod template") struct TemplateObjectTests {
  private func object(_ version: String, _ kind: String, _ spec: String, name: String = "web", more: String = "")
    -> String
  {
    "apiVersion: \(version)\nkind: \(kind)\nmetadata: {name: \(name), namespace: shop\(more)}\nspec: \(spec)\n---\n"
  }

  private func pod(_ name: String, owner: String, labels: String = "{}") -> String {
    "apiVersion: v1\nkind: Pod\nmetadata: {name: \(name), namespace: shop, labels: \(labels), ownerReferences: [{apiVersion: x/v1, uid: u, \(owner), controller: true}]}\nspec: {containers: [{name: c}]}\n---\n"
  }

  private static let template =
    "template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, ports: [{containerPort: 80}]}]}}"

  private static let deployment = "selector: {matchLabels: {app: web}}, \(template)"

  @Test(
    "becomes pods as a Deployment does, under its own kind",
    arguments: [
      ("argoproj.io/v1alpha1", "Rollout", "replicas: 2, ", "Rollout", 2),
      ("argoproj.io/v1alpha1", "Rollout", "", "Rollout", 1),
      ("apps.openshift.io/v1", "DeploymentConfig", "replicas: 1, ", "DeploymentConfig", 1),
      ("apps.kruise.io/v1alpha1", "CloneSet", "replicas: 0, ", "CloneSet", 0),
      ("apps.kruise.io/v1alpha1", "DaemonSet", "", "DaemonSet", 1),
      ("serving.knative.dev/v1", "Service", "", "ksvc", 1),
      ("example.org/v1", "Whatever", "replicas: {min: 1}, ", "Whatever", 1),
    ])
  func kinds(version: String, kind: String, spec: String, owner: String, count: Int) throws {
    let reading = try read(object(version, kind, "{\(spec)\(Self.template)}"))
    #expect(reading.cluster.pods.count == count)
    for pod in reading.cluster.pods {
      #expect(pod.labels["app"] == "web" && pod.ports == [ContainerPort(number: 80)])
      #expect(pod.owner == Pod.Workload(kind: owner, name: "web"))
    }
    let group = version.prefix { $0 != "/" }
    #expect(reading.texts.contains("taken as workloads by their templates: 1 \(kind) (\(group))"))
    #expect(!reading.notes.contains { $0.severity == .warning })
  }

  @Test("a field that looks like a misspelled one is a warning, a field that the project adds is not")
  func misspelled() throws {
    let spec =
      "{template: {metadata: {lables: {app: web}}, spec: {hostnetwork: true, containerConcurrency: 5, containers: [{image: x, port: []}]}}}"
    let warnings = try read(object("serving.knative.dev/v1", "Service", spec)).notes.filter { $0.severity == .warning }
    #expect(
      warnings.map(\.text) == [
        "unknown fields are ignored: Service spec.template.metadata.lables, did you mean labels? (a.yaml:4), Service spec.template.spec.containers[].port, did you mean ports? (a.yaml:4), Service spec.template.spec.hostnetwork, did you mean hostNetwork? (a.yaml:4)"
      ])
  }

  @Test("without a pod template it is skipped")
  func noTemplate() throws {
    let text = object("example.org/v1", "Whatever", "{template: {spec: {image: x}}}")
    #expect(try read(text).cluster.pods.isEmpty)
  }

  @Test("bad values in a template are errors with their lines")
  func bad() {
    #expect(
      refusal(object("argoproj.io/v1alpha1", "Rollout", "{replicas: -1, \(Self.template)}"))
        == "a.yaml:4: Rollout shop/web: spec.replicas: -1 is below 0; give 0 or more")
  }

  @Test("workloads of one kind and different projects are different objects")
  func sameKind() throws {
    let reading = try read(
      object("apps/v1", "DaemonSet", "{\(Self.deployment)}"),
      object("apps.kruise.io/v1alpha1", "DaemonSet", "{\(Self.template)}"))
    #expect(!reading.texts.contains { $0.contains("more than once") })
  }

  @Test(
    "its pods in the input count as its pods",
    arguments: [
      (
        "argoproj.io/v1alpha1", "Rollout", "kind: ReplicaSet, name: web-5d4f", "{rollouts-pod-template-hash: 5d4f}",
        "Rollout/web"
      ),
      (
        "apps.openshift.io/v1", "DeploymentConfig", "kind: ReplicationController, name: web-1",
        "{deploymentconfig: web}", "DeploymentConfig/web"
      ),
      ("apps.kruise.io/v1alpha1", "CloneSet", "kind: CloneSet, name: web", "{}", "CloneSet/web"),
      (
        "serving.knative.dev/v1", "Service", "kind: ReplicaSet, name: web-1-deployment-5d4f",
        "{serving.knative.dev/service: web}", "ReplicaSet/web-1-deployment-5d4f"
      ),
      ("kubevirt.io/v1", "VirtualMachine", "kind: VirtualMachineInstance, name: web", "{}", "VirtualMachine/web"),
    ])
  func owned(version: String, kind: String, owner: String, labels: String, workload: String) throws {
    let reading = try read(
      object(version, kind, "{replicas: 2, \(Self.template)}"), pod("real", owner: owner, labels: labels))
    #expect(reading.cluster.pods.map(\.id.name) == ["real"])
    #expect(reading.cluster.pods.first?.owner.map { "\($0.kind)/\($0.name)" } == workload)
  }

  @Test(
    "a ReplicaSet is not expanded beside the workload that made it",
    arguments: [
      ("argoproj.io/v1alpha1", "Rollout", "apps/v1", "ReplicaSet"),
      ("apps.openshift.io/v1", "DeploymentConfig", "v1", "ReplicationController"),
      ("apps/v1", "Deployment", "apps/v1", "ReplicaSet"),
    ])
  func made(version: String, kind: String, madeVersion: String, madeKind: String) throws {
    let selector = madeVersion == "v1" ? "selector: {app: web}" : "selector: {matchLabels: {app: web}}"
    let made = object(
      madeVersion, madeKind, "{\(selector), \(Self.template)}", name: "web-1",
      more: ", ownerReferences: [{apiVersion: x/v1, uid: u, kind: \(kind), name: web, controller: true}]")
    let maker = object(version, kind, "{\(version == "apps/v1" ? Self.deployment : Self.template)}")
    #expect(try read(made, maker).cluster.pods.map(\.id.name) == ["web-0"])
    #expect(try read(made).cluster.pods.map(\.id.name) == ["web-1-0"])
  }

  @Test(
    "a Rollout takes the template of the workload that it refers to",
    arguments: [
      // Without a number of replicas the Deployment is there for its template.
      ("", "", ["Rollout/web"]), ("replicas: 0, ", "", ["Rollout/web"]),
      ("replicas: 1, ", "", ["Deployment/web", "Rollout/web"]),
      ("replicas: 1, ", ", scaleDown: never", ["Deployment/web", "Rollout/web"]),
      ("replicas: 1, ", ", scaleDown: onsuccess", ["Rollout/web"]),
      ("replicas: 1, ", ", scaleDown: progressively", ["Rollout/web"]),
    ])
  func reference(replicas: String, scaleDown: String, owners: [String]) throws {
    let reading = try read(
      object("apps/v1", "Deployment", "{\(replicas)\(Self.deployment)}"),
      object(
        "argoproj.io/v1alpha1", "Rollout",
        "{workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web\(scaleDown)}}"))
    #expect(reading.cluster.pods.compactMap(\.owner).map { "\($0.kind)/\($0.name)" } == owners)
    #expect(reading.cluster.pods.allSatisfy { $0.labels["app"] == "web" && $0.ports.map(\.number) == [80] })
  }

  @Test("a warning says that the workload of a reference is missing")
  func lostReference() throws {
    let reading = try read(
      object("argoproj.io/v1alpha1", "Rollout", "{workloadRef: {kind: Deployment, name: gone}}"))
    #expect(reading.cluster.pods.isEmpty)
    #expect(
      reading.texts.contains(
        "the workload of workloadRef is not in the input, so its pods are missing: Rollout shop/web (Deployment gone)"))
  }

  @Test(
    "a KubeVirt VirtualMachine is one pod with its template's labels and its interfaces' ports",
    arguments: [
      ("", 1), ("running: false, ", 1), ("runStrategy: Halted, ", 1),
    ])
  func machine(spec: String, count: Int) throws {
    let template =
      "template: {metadata: {labels: {app: vm}}, spec: {domain: {devices: {interfaces: [{name: default, masquerade: {}, ports: [{name: http, port: 80}]}]}}}}"
    let pods = try read(object("kubevirt.io/v1", "VirtualMachine", "{\(spec)\(template)}")).cluster.pods
    #expect(pods.count == count)
    #expect(
      pods.first?.labels == ["app": "vm", "kubevirt.io": "virt-launcher", "vm.kubevirt.io/name": "web"])
    #expect(pods.first?.ports == [ContainerPort(name: "http", number: 80)])
    let stopped =
      "apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nmetadata: {name: vm}\nspec: {\(template)}\nstatus: {printableStatus: Stopped}"
    #expect(try read(stopped).cluster.pods.isEmpty)
  }

  @Test(
    "a halted VirtualMachine of a manifest counts as running, and a note says so",
    arguments: ["running: false", "runStrategy: Halted"])
  func halted(state: String) throws {
    let spec = "{\(state), template: {metadata: {labels: {app: vm}}, spec: {domain: {}}}}"
    let reading = try read(object("kubevirt.io/v1", "VirtualMachine", spec))
    #expect(reading.cluster.pods.count == 1)
    #expect(reading.texts.contains("taken as running, though halted: VirtualMachine shop/web"))
  }

  @Test("the instance of a VirtualMachine is not a second pod")
  func instance() throws {
    let template = "{template: {metadata: {labels: {app: vm}}, spec: {domain: {}}}}"
    let instance =
      "apiVersion: kubevirt.io/v1\nkind: VirtualMachineInstance\nmetadata: {name: web, namespace: shop, labels: {app: vm}, ownerReferences: [{apiVersion: kubevirt.io/v1, uid: u, kind: VirtualMachine, name: web, controller: true}]}\nspec: {domain: {}}\n---\n"
    #expect(try read(object("kubevirt.io/v1", "VirtualMachine", template), instance).cluster.pods.count == 1)
    #expect(try read(instance).cluster.pods.map { $0.labels["app"] } == ["vm"])
  }

  @Test("its pods can be asked for by kind and name, in any case", arguments: ["rollout", "Rollout", "ROLLOUT"])
  func names(kind: String) throws {
    let reading = try read(object("argoproj.io/v1alpha1", "Rollout", "{\(Self.template)}"))
    let reference = try EndpointReference("shop/\(kind)/web")
    #expect(try ClusterNames(reading.cluster).endpoints(reference) == [.pod(PodID("shop", "web-0"))])
  }
}
