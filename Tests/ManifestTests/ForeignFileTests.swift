// Not covered: which files of a folder are foreign. FolderTests run the program on folders.
import Manifests
import Testing

@Suite("Files that another program makes manifests of") struct ForeignFileTests {
  @Test(
    "a file's name alone tells what to run instead",
    arguments: [
      ("Chart.yaml", "run helm template . | netpol-lab run -f -"),
      ("/a/Chart.yaml", "run helm template /a | netpol-lab run -f -"),
      ("/Chart.yaml", "run helm template / | netpol-lab run -f -"),
      ("env/values.yaml", "run helm template CHART -f env/values.yaml | netpol-lab run -f -"),
      ("a/kustomization.yml", "run kubectl kustomize a | netpol-lab run -f -"),
      ("pod.yaml", nil), ("a/templates/pod.yaml", nil), ("-", nil),
    ])
  func remedy(path: String, remedy: String?) {
    #expect(ForeignFile(path: path)?.remedy == remedy)
  }

  private func refusal(_ name: String, _ text: String) -> String? {
    do throws(ManifestError) {
      _ = try readManifests([ManifestSource(name: name, text: text)])
      return nil
    } catch { return error.description }
  }

  @Test("given by name, such a file is an error with its line that says what to run instead")
  func byName() {
    #expect(
      refusal("a/Chart.yaml", "apiVersion: v2\nname: demo")
        == "a/Chart.yaml:1: kind: is missing; run helm template a | netpol-lab run -f -")
    #expect(
      refusal("a/templates/pod.yaml", "metadata:\n  name: {{ .Release.Name }}-x")?.hasSuffix(
        "; run helm template a | netpol-lab run -f -") == true)
    let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}\n"
    #expect(
      refusal("a/templates/pod.yaml", pod)
        == "a/templates/pod.yaml:4: Pod: metadata.name: expected a string, found a mapping; run helm template a | netpol-lab run -f -"
    )
    #expect(refusal("pod.yaml", pod)?.hasSuffix("; render the template first (helm template)") == true)
    #expect(refusal("a/templates/pod.yaml", "a: b")?.hasSuffix("or leave the file out") == true)
    #expect(
      refusal("templates/x/pod.yaml", "name: {{ .Release.Name }}-x")?.hasSuffix(
        "; run helm template . | netpol-lab run -f -") == true)
    #expect(
      refusal("a/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization")
        == "a/kustomization.yaml:1: Kustomization: is for kustomize, not for an API server; run kubectl kustomize a | netpol-lab run -f -"
    )
    #expect(
      refusal("-", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization")
        == "-:1: Kustomization: is for kustomize, not for an API server; run kubectl kustomize FOLDER | netpol-lab run -f -"
    )
    #expect(
      refusal("a/kustomization.yaml", "resources: [x.yaml]")
        == "a/kustomization.yaml:1: kind: is missing; run kubectl kustomize a | netpol-lab run -f -")
  }

  @Test("a kustomization's patches, values and settings are its parts, its resources are not")
  func parts() {
    let text = """
      resources: [base.yaml]
      patches: [{path: p1.yaml}, {patch: "- op: remove"}]
      patchesStrategicMerge: [p2.yaml, "kind: Pod\\n"]
      patchesJson6902: [{path: p3.yaml}]
      configMapGenerator: [{files: [a.json, key=b.json], envs: [c.yaml]}]
      helmCharts: [{valuesFile: v.yaml, additionalValuesFiles: [w.yaml]}]
      configurations: [conf.yaml]
      """
    #expect(
      Set(kustomizationParts(ManifestSource(name: "kustomization.yaml", text: text))) == [
        "p1.yaml", "p2.yaml", "p3.yaml", "a.json", "b.json", "c.yaml", "v.yaml", "w.yaml", "conf.yaml",
      ])
    for text in ["", "a: [", "- a", "patches: 3", "patches: [3, {path: [1]}]"] {
      #expect(kustomizationParts(ManifestSource(name: "kustomization.yaml", text: text)).isEmpty)
    }
  }

  @Test("there is one note for each kind of file")
  func notes() {
    var files = ForeignFiles()
    for number in 0..<1000 {
      files.note(.chart("c\(number)"), "c\(number)/Chart.yaml")
      files.note(.chart("c\(number)/charts/sub"), "c\(number)/charts/sub/Chart.yaml")
      files.note(.kustomization("k"), "k/p\(number).yaml")
      files.note(.values("e/values.yaml"), "e/values.yaml")
      files.note(brokenLink: "l\(number).yaml")
    }
    #expect(
      files.notes.map(\.text) == [
        "skipped 2000 files of 1000 Helm charts: c0/Chart.yaml, c0/charts/sub/Chart.yaml, c1/Chart.yaml and 1997 more; run helm template FOLDER | netpol-lab run -f - for one of c0, c1, c10 and 997 more",
        "skipped 1000 files of a kustomization: k/p0.yaml, k/p1.yaml, k/p10.yaml and 997 more; run kubectl kustomize k | netpol-lab run -f -",
        "skipped 1000 files of values for Helm: e/values.yaml, e/values.yaml, e/values.yaml and 997 more; run helm template CHART -f e/values.yaml | netpol-lab run -f -",
        "skipped 1000 links that lead to no file: l0.yaml, l1.yaml, l2.yaml and 997 more",
      ])
  }
}
