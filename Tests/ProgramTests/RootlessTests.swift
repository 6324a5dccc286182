// The program runs as the user `nobody` if the tests run as root. Not covered: what only root has, SCHED_FIFO.
import Foundation
import Kernel
import TestSupport
import Testing

/// Runs a copy of the program as an ordinary user. If an ordinary user runs the tests, it runs as they do.
private func runAsNobody(_ arguments: String, files: [String: String] = [:]) async throws -> Program.Result {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("rootless-\(UUID().uuidString)")
  defer { try? FileManager.default.removeItem(at: folder) }
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  try FileManager.default.copyItem(atPath: Program.path, toPath: folder.appendingPathComponent("netpol-lab").path)
  for (name, text) in files { try Data(text.utf8).write(to: folder.appendingPathComponent(name)) }
  let script = """
    chmod -R a+rX \(folder.path) && cd \(folder.path) || exit 9
    as="setpriv --reuid 65534 --regid 65534 --clear-groups"
    $as true 2>/dev/null || as=
    exec $as ./netpol-lab \(arguments)
    """
  return Program.Result(try await Program.start(["bash", "-c", script]))
}

/// The manifests of an example, without its Expectations, in one text.
private func manifests(_ example: String) throws -> String {
  try exampleManifests(example).filter { !$0.contains("/expectations/") }.map {
    try String(contentsOfFile: $0, encoding: .utf8)
  }.joined(separator: "\n---\n")
}

/// A table of some 6,000 rules, 2 MB. iptables-restore sends it in one message; a socket's buffer has 0.2 MB.
private let manyRules =
  "{apiVersion: v1, kind: Pod, metadata: {namespace: default, name: a}, spec: {containers: [{name: c}]}}"
  + (0..<40).map { number in
    let blocks = (0..<50).map { "{ipBlock: {cidr: 10.\(number).\($0).0/24}}" }.joined(separator: ", ")
    let ports = (0..<60).map { "{port: \(1000 + 2 * $0 + number)}" }.joined(separator: ", ")
    return """

      ---
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {namespace: default, name: policy-\(number)}
      spec: {podSelector: {}, ingress: [{from: [\(blocks)], ports: [\(ports)]}]}
      """
  }.joined()

@Suite("An ordinary user", .needsNamespaces) struct RootlessTests {
  @Test(
    "gets the answers that root gets, in every style",
    arguments: [
      ("homelab", "kube-router-2.6-k3s"), ("homelab", "compiled"), ("icn", "kube-router-2.11"),
      ("icn", "kube-router-2.11-nft"),
    ])
  func verdicts(example: String, style: String) async throws {
    let world = try manifests(example)
    let own = try await runAsNobody("run --style \(style) -f world.yaml -o json", files: ["world.yaml": world])
    let root = try await Program.run(["run", "--style", style, "-f", "-", "-o", "json"], input: world)
    #expect(own.status == .exited(0) && root.status == .exited(0), "\(own.errors)\(root.errors)")
    let (flows, expected) = (try flows(of: own), try flows(of: root))
    #expect(flows.count > 3000 && flows == expected)
  }

  private func flows(of result: Program.Result) throws -> NSArray {
    let report = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
    return try #require(report?["flows"] as? NSArray)
  }

  @Test(
    "can load tables that are larger than a socket's buffer, in every style",
    arguments: ["kube-router-2.6-k3s", "kube-router-2.11", "kube-router-2.11-nft", "compiled"])
  func large(style: String) async throws {
    let result = try await runAsNobody(
      "run --style \(style) -f world.yaml --from 10.1.2.3 --to default/a", files: ["world.yaml": manyRules])
    #expect(result.status == .exited(0), "\(result.errors)")
    #expect(result.output.contains("flows tested with real packets"), "\(result.output)")
  }
}

extension Alone {
  @Suite("An ordinary user's measurements") struct RootlessMeasurementTests {
    @Test(
      "lag ends without a finding, and says what kube-router does otherwise", .needsNamespaces,
      arguments: ["kube-router-2.6-k3s", "kube-router-2.11-nft"])
    func lag(style: String) async throws {
      let result = try await runAsNobody(
        "lag --style \(style) --trials 1 --pods 8 --policies 5 --requests 0 --spacing 1ms")
      #expect(result.status == .exited(0), "\(result)")
      let note = "so each sync loaded them in parts"
      let words = result.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      #expect(words.contains(note) == (style == "kube-router-2.6-k3s"), "\(result.output)")
    }

    @Test("bench apply measures small rule sets, and says what large ones need", .needsNamespaces)
    func benchApply() async throws {
      let small = try await runAsNobody("bench apply --policies 20 --pods 20 --rounds 1 --updates 10 --syncs 0")
      #expect(small.status == .exited(0), "\(small)")
      let large = try await runAsNobody("bench apply --policies 200 --pods 200 --rounds 1 --updates 10 --syncs 0")
      #expect(large.status == .exited(3) && large.output.isEmpty, "\(large)")
      #expect(large.errors.contains("nft -f can't load so many rules at once; run as root"), "\(large.errors)")
    }

    @Test("bench measures rules", .needsNamespaces)
    func bench() async throws {
      let result = try await runAsNobody("bench --rounds 20 --pods 5,10")
      #expect(result.status == .exited(0), "\(result)")
    }
  }
}
