// Not covered: verdicts. These tests check which files of a folder are read and what is said about the others.
import Foundation
import Kernel
import TestSupport
import Testing

@Suite("Folders given with -f") struct FolderTests {
  private static let pod = """
    apiVersion: v1
    kind: Pod
    metadata: {name: web, namespace: shop, labels: {app: web}}
    spec: {containers: [{name: c}]}

    """

  private func field(_ name: String) -> String {
    repository.appendingPathComponent("Tests/Fixtures/field/\(name)").path
  }

  /// Runs `render` on a folder with these files. A file that begins with `->` is a link.
  private func render(_ files: [String: String], _ path: String = "")
    async throws -> (status: CommandEnding, errors: String)
  {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("folder-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, text) in files {
      let file = folder.appendingPathComponent(name)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      if text.hasPrefix("->") {
        try FileManager.default.createSymbolicLink(atPath: file.path, withDestinationPath: String(text.dropFirst(2)))
      } else {
        try text.write(to: file, atomically: true, encoding: .utf8)
      }
    }
    let result = try await Program.run(["render", "-f", folder.appendingPathComponent(path).path])
    return (
      result.status, result.errors.replacing("\(folder.path)/", with: "").replacing(folder.path, with: ".")
    )
  }

  private static let chart = [
    "chart/Chart.yaml": "apiVersion: v2\nname: demo\n", "chart/values.yaml": "kind: Deployment\n",
    "chart/values-prod.yaml": "kind: Deployment\n",
    "chart/templates/pod.yaml": "metadata:\n  name: {{ .Release.Name }}\n", "chart/templates/net/p.yaml": "kind: X\n",
  ]

  @Test("foreign files are skipped with one note for each kind, and the manifests are read")
  func foreign() async throws {
    let result = try await render(
      Self.chart.merging([
        "pod.yaml": Self.pod, "k/kustomization.yaml": "kind: Kustomization\npatches: [{path: ../k/patch.yaml}]\n",
        "k/patch.yaml": "kind: Deployment\n", "k/link.yaml": "->nowhere", "env/values.yaml": "kind: x\n",
      ]) { first, _ in first })
    #expect(result.status == .exited(0), "\(result.errors)")
    let notes = result.errors.split(separator: "\n").filter { $0.contains("skipped") }
    #expect(
      notes == [
        "note: skipped 5 files of a Helm chart: chart/Chart.yaml, chart/templates/net/p.yaml, chart/templates/pod.yaml and 2 more; run helm template chart | netpol-lab run -f -",
        "note: skipped 2 files of a kustomization: k/kustomization.yaml, k/patch.yaml; run kubectl kustomize k | netpol-lab run -f -",
        "note: skipped 1 file of values for Helm: env/values.yaml; run helm template CHART -f env/values.yaml | netpol-lab run -f -",
        "note: skipped 1 link that leads to no file: k/link.yaml",
      ])
  }

  @Test(
    "a folder with nothing else is an error that says what to run instead",
    arguments: [
      ("chart", "chart: holds no manifests, but a Helm chart; run helm template chart | netpol-lab run -f -"),
      ("k", "k: holds no manifests, but a kustomization; run kubectl kustomize k | netpol-lab run -f -"),
      ("l", "l: holds no manifests, but links that lead to no file: l/a.yaml"),
      ("n", "n: no .yaml, .yml or .json file in this directory"),
    ])
  func nothingElse(path: String, line: String) async throws {
    let files = ["k/kustomization.yaml": "resources: [a]\n", "l/a.yaml": "->a.yaml", "n/readme.txt": "x"]
    let result = try await render(Self.chart.merging(files) { first, _ in first }, path)
    #expect(result.status == .exited(2))
    #expect(result.errors == "\(line)\n")
  }

  @Test("in a folder of templates those without actions are read")
  func templates() async throws {
    let files = Self.chart.merging(["chart/templates/net/p.yaml": Self.pod]) { _, new in new }
    let result = try await render(files, "chart/templates")
    #expect(result.status == .exited(0), "\(result.errors)")
    #expect(result.errors.contains("note: skipped 1 file of a Helm chart: chart/templates/pod.yaml; run helm template"))
  }

  @Test(
    "any other file that is not YAML or JSON is an error with its line",
    arguments: [
      ("x.yaml", "a: [1\n", "x.yaml:2: syntax error"), ("x.json", "{\"a\": 1,,}\n", "x.json:1: syntax error"),
      ("x.yaml", "name: {{ a }}-x\n", "x.yaml:1: syntax error"),
      ("x.yaml", "kind: Pod\n", "x.yaml:1: Pod: apiVersion: is missing"),
    ])
  func broken(name: String, text: String, line: String) async throws {
    let result = try await render(["pod.yaml": Self.pod, name: text])
    #expect(result.status == .exited(2) && result.errors.hasPrefix(line), "\(result.errors)")
  }

  @Test("given by name, files of a chart and links that lead nowhere are errors")
  func byName() async throws {
    for path in ["chart/Chart.yaml", "chart/values.yaml", "chart/templates/pod.yaml", "link.yaml"] {
      let result = try await render(Self.chart.merging(["link.yaml": "->nowhere"]) { first, _ in first }, path)
      #expect(result.status == .exited(2), "\(path): \(result.errors)")
    }
  }

  @Test("field case 03: a policy that two files hold is one")
  func duplicates() async throws {
    let result = try await Program.run(["render", "-f", field("rw-03-duplicate-object/dir")])
    #expect(result.status == .exited(0) && !result.errors.contains("warning"), "\(result.errors)")
  }

  @Test("field case 09: a folder that is a chart is named as one")
  func chart() async throws {
    let path = field("rw-09-chart-dir/chart")
    let result = try await Program.run(["run", "-f", path])
    #expect(result.status == .exited(2))
    #expect(result.errors.contains("run helm template \(path) | netpol-lab run -f -"))
    let beside = try await Program.run(["run", "-f", field("rw-09-chart-dir")])
    #expect(beside.status == .exited(2) && beside.errors.contains("helm template \(path) | netpol-lab run -f -"))
  }

  @Test("field case 08: workloads of other projects become pods, which a policy selects", .needsNamespaces)
  func workloads() async throws {
    let file = field("rw-08-rollout-skipped/rollout.yaml")
    let allowed = try await Program.run(
      ["run", "-f", file, "--from", "shop/api-0", "--to", "shop/web", "--port", "8080"])
    #expect(allowed.output.contains("TCP/8080: ALLOWED"), "\(allowed)")
    for sender in ["shop/deploymentconfig/db", "shop/ksvc/fn"] {
      let denied = try await Program.run(["run", "-f", file, "--from", sender, "--to", "shop/web", "--port", "8080"])
      #expect(denied.output.contains("TCP/8080: DENIED"), "\(denied)")
    }
    #expect(
      allowed.errors.contains(
        "taken as workloads by their templates: 1 DeploymentConfig (apps.openshift.io), 1 Rollout (argoproj.io), "
          + "1 Service (serving.knative.dev)"))
  }

  @Test("field case 12: policies alone are tested with stand-in pods", .needsNamespaces)
  func policiesAlone() async throws {
    let file = field("rw-12-policies-alone/policies.yaml")
    let result = try await Program.run(["run", "-f", file])
    #expect(result.status == .exited(0), "\(result)")
    #expect(result.errors.contains("note: no pods in the input: 3 stand-in pods made from the selectors of 1 policy"))
    for (port, verdict) in [("8080", "ALLOWED"), ("8081", "DENIED")] {
      let flow = try await Program.run(
        ["run", "-f", file, "--from", "any-namespace/any-pod", "--to", "shop/any-pod", "--port", port])
      #expect(flow.output.contains("TCP/\(port): \(verdict)"), "\(flow)")
    }
  }
}
