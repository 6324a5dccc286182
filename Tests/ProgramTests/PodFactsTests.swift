// Not covered: what the report says about flows that can't be asked.
import Foundation
import Kernel
import TestSupport
import Testing

@Suite("A pod is taken as its object says") struct PodFactsTests {
  private static let field = repository.appendingPathComponent("Tests/Fixtures/field").path

  /// A flow of a field case, and what a style does with it.
  struct Asked: CustomTestStringConvertible, Sendable {
    let place: String
    let from, to: String
    let port: Int
    let verdict: String
    var styles = ["kube-router-2.6-k3s", "kube-router-2.11", "kube-router-2.11-nft", "compiled"]
    var options: [String] = []
    /// Further text of the report.
    var tells: [String] = []
    var testDescription: String { "\(place): \(from) -> \(to):\(port)" }
  }

  private static let kubeRouters = ["kube-router-2.6-k3s", "kube-router-2.11", "kube-router-2.11-nft"]

  private static let asked: [Asked] =
    (0..<5).map { index in
      Asked(
        place: "06-named-port-statefulset", from: "blog/shell", to: "blog/site-\(index)", port: 80, verdict: "ALLOWED",
        styles: ["kube-router-2.6-k3s", "kube-router-2.11-nft"], options: ["--max-replicas", "5"])
    } + [
      Asked(
        place: "06-named-port-statefulset", from: "blog/shell", to: "blog/site-4", port: 81, verdict: "DENIED",
        styles: ["kube-router-2.6-k3s"], options: ["--max-replicas", "5"]),
      Asked(
        place: "16-completed-job-ip", from: "open/client", to: "open/app", port: 8080, verdict: "ALLOWED",
        tells: ["not in the lab: batch/nightly-abc12, since its phase is Succeeded"]),
      Asked(
        place: "16-completed-job-ip", from: "open/client", to: "10.42.0.17", port: 8080, verdict: "ALLOWED",
        styles: ["kube-router-2.6-k3s"], tells: ["-> open/app (10.42.0.17)"]),
      Asked(place: "36-sidecar-named-port", from: "mesh/prom", to: "mesh/app", port: 9090, verdict: "ALLOWED"),
      Asked(
        place: "36-sidecar-named-port", from: "mesh/prom", to: "mesh/app", port: 12345, verdict: "ALLOWED",
        styles: kubeRouters, tells: ["oracle     denied", "D2", "D23"]),
      Asked(
        place: "36-sidecar-named-port", from: "mesh/prom", to: "mesh/app", port: 12345, verdict: "DENIED",
        styles: ["compiled"]),
      Asked(
        place: "36-sidecar-named-port", from: "mesh/prom", to: "service/mesh/metrics", port: 80, verdict: "ALLOWED",
        tells: ["mesh/app port 9090"]),
      Asked(
        place: "40-init-pending", from: "init/app", to: "init/db", port: 5432, verdict: "ALLOWED",
        tells: ["not in the lab: init/noip, since it has no address yet"]),
      Asked(place: "40-init-pending", from: "bare/x", to: "init/db", port: 5432, verdict: "ALLOWED"),
    ]

  @Test("a flow of a field case passes as it should, in each style", .needsNamespaces, arguments: asked)
  func verdict(asked: Asked) async throws {
    for style in asked.styles {
      let result = try await Program.run(
        [
          "run", "-f", "\(Self.field)/\(asked.place)/world.yaml", "--style", style, "--from", asked.from, "--to",
          asked.to, "--port", "\(asked.port)",
        ] + asked.options)
      #expect(result.status == .exited(0), "\(style): \(result.errors)")
      #expect(result.output.contains(" TCP/\(asked.port): \(asked.verdict)"), "\(style): \(result.output)")
      for text in asked.tells { #expect(result.output.contains(text), "\(style): \(result.output)") }
    }
  }

  @Test("the set of a named port has every replica") func replicas() async throws {
    let result = try await Program.run([
      "render", "-f", "\(Self.field)/06-named-port-statefulset/world.yaml", "--max-replicas", "5", "-o", "ipset",
    ])
    let members = result.output.split(separator: "\n").filter { $0.hasPrefix("add ") }.map { line in
      line.split(separator: " ").map(String.init)
    }
    let bySet = Dictionary(grouping: members) { $0[1] }.mapValues { Set($0.map { $0[2] }).count }
    // The pods that the policy selects, and those of them with the port.
    #expect(bySet.values.sorted() == [5, 5])
  }

  @Test("render, run and compare agree on a pod with podIP alone", arguments: [[], ["--as-stored"]])
  func podIP(options: [String]) async throws {
    try await withFolder { folder in
      let cluster = "\(Self.field)/rw-05-compare-podip/cluster.yaml"
      let result = try await Self.comparing(cluster, node: "w1", in: folder, naming: true, options)
      #expect(result.status == .exited(0) && result.output.hasSuffix(" writes\n"), "\(result)")
      #expect(try String(contentsOf: folder.appendingPathComponent("sets"), encoding: .utf8).contains("10.244.1.65"))
    }
  }

  @Test("compare finds the dump's node among nodes that have only host-network pods and pods that have ended")
  func node() async throws {
    let pods =
      podText("a/app", on: "n1", status: "phase: Running, podIP: 10.42.0.17, hostIP: 192.168.94.11")
      + podText("a/old", on: "n2", status: "phase: Succeeded, podIP: 10.42.0.17, hostIP: 192.168.94.12")
    let agent = podText("a/agent", on: "n1", spec: "hostNetwork: true")
    for cluster in [pods, agent] {
      try await withFolder { folder in
        let file = folder.appendingPathComponent("cluster.yaml").path
        try cluster.write(toFile: file, atomically: true, encoding: .utf8)
        let result = try await Self.comparing(file, node: "n1", in: folder, naming: false)
        #expect(result.status == .exited(0) && result.output.contains(" on n1: "), "\(result)")
      }
    }
  }

  /// Compares a cluster with what `render` prints for the node. `naming`: whether `compare` is told the node.
  private static func comparing(
    _ cluster: String, node: String, in folder: URL, naming: Bool, _ options: [String] = []
  ) async throws -> Program.Result {
    for (output, name) in [("iptables", "v4"), ("ipset", "sets")] {
      let result = try await Program.run(["render", "-f", cluster, "--node", node, "-o", output] + options)
      #expect(result.status == .exited(0), "\(result)")
      try result.output.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
    }
    let dumps = [
      "--iptables-save", folder.appendingPathComponent("v4").path, "--ipset-save",
      folder.appendingPathComponent("sets").path,
    ]
    return try await Program.run(["compare", "-f", cluster] + dumps + (naming ? ["--node", node] : []))
  }

  private func withFolder(_ body: (URL) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    try await body(folder)
  }

  @Test("several service ports without a name are bad input, stored or not", arguments: [[], ["--as-stored"]])
  func unnamedPorts(options: [String]) async throws {
    let path = "\(Self.field)/rw-06-as-stored-unnamed-ports/svc.yaml"
    for command in ["run", "render"] {
      let result = try await Program.run([command, "-f", path] + options)
      #expect(result.status == .exited(2) && result.output.isEmpty)
      let problem = "spec.ports[0].name: is missing; each port needs a name if there are several"
      #expect(result.errors == "\(path):9: Service shop/web: \(problem)\n")
    }
  }

  @Test("a cluster of host-network pods alone is no mistake: no policy applies to it", .needsNamespaces)
  func hostNetwork() async throws {
    let path = "\(Self.field)/rw-13-host-network-only/agent.yaml"
    for options in [[], ["--style", "compiled"], ["--port", "80"], ["-o", "json"]] {
      let result = try await Program.run(["run", "-f", path] + options)
      #expect(result.status == .exited(0), "\(result)")
      #expect(result.output.contains("1 pod on the host network; no policy applies to it"), "\(result)")
    }
    let two = try await Program.run(["run", "-f", path, "-f", "-"], input: twoNodesText())
    #expect(two.status == .exited(0), "\(two)")
    #expect(two.output.contains("2 pods on the host network; no policy applies to them"), "\(two)")
    let one = try await Program.run(["run", "-f", path, "--from", "node/node1", "--to", "node/node1"])
    #expect(one.status == .exited(2), "\(one)")
  }

  @Test("a cluster of pods that have ended is no mistake either", .needsNamespaces) func ended() async throws {
    let text = (0..<30).map { index in
      podText("a/p\(index)", on: "n1", status: "phase: \(index < 20 ? "Succeeded" : "Failed"), podIP: 10.42.0.9")
    }.joined()
    let result = try await Program.run(["run", "-f", "-"], input: text)
    #expect(result.status == .exited(0), "\(result)")
    let lines = result.output.split(separator: "\n").filter { $0.hasPrefix("not in the lab: ") }
    #expect(lines.count == 2 && result.output.contains("15 more, each since its phase is Succeeded"), "\(result)")
    #expect(result.output.contains("no pod is in the lab, so there is nothing that a policy applies to"))
  }
}
