// Not covered: why each verdict is right. The expected.md of each case says that.
import Foundation
import Kernel
import TestSupport
import Testing

@Suite("Questions about single flows of field cases", .serialized) struct FieldQuestionTests {
  private static func run(_ file: String, _ arguments: [String]) async throws -> Program.Result {
    let path = repository.appendingPathComponent("Tests/Fixtures/field/\(file)").path
    return try await Program.run(["run", "-f", path, "--max-replicas", "5"] + arguments)
  }

  /// The first line of each flow, without its addresses and numbers of deviations.
  private static func verdicts(_ output: String) -> [String] {
    let whole = output.replacingOccurrences(of: "\n    ", with: " ")
    return whole.split(separator: "\n").filter { $0.contains(" -> ") && !$0.hasPrefix(" ") }.compactMap { line in
      line.range(of: ": ").map { String(line[$0.upperBound...]) }
    }
  }

  private static let ping = "10-deny-egress-ping/world.yaml"
  private static let metadata = "35-metadata-egress/world.yaml"
  private static let hints = "24-zone-hints/world.yaml"
  private static let ownHints = "24-zone-hints/derived.yaml"
  private static let pending = "40-init-pending/world.yaml"

  @Test(
    "packets give the right verdict", .needsNamespaces,
    arguments: [
      (ping, "jail/box-m", "kube-system/coredns", "ICMP", "ALLOWED"),
      (ping, "jail/box-w", "kube-system/coredns", "icmp", "ALLOWED"),
      (ping, "jail/box-m", "10.43.0.10", "ICMP", "no answer: kube-proxy answers no ping"),
      (ping, "jail/box-m", "service/default/kubernetes", "443", "DENIED"),
      (ping, "jail/box-w", "service/default/kubernetes", "https", "DENIED"),
      (ping, "jail/box-m", "service/kube-system/kube-dns", "UDP/53", "DENIED"),
      (ping, "jail/box-w", "kube-system/coredns", "UDP/53", "DENIED"),
      (metadata, "ci/runner", "169.254.169.254", "80", "DENIED"),
      (metadata, "ci/runner", "10.1.2.3", "443", "DENIED"),
      (metadata, "ci/runner", "8.8.8.8", "443", "ALLOWED"),
      (metadata, "8.8.8.8", "ci/runner", "443", "ALLOWED"),
      (metadata, "ci/runner", "10.42.0.99", "443", "DENIED"),
      (metadata, "ci/runner", "10.43.9.9", "443", "not asked: no service has 10.43.9.9"),
      (metadata, "10.42.0.99", "ci/runner", "443", "ALLOWED"),
      (pending, "init/app", "init/db", "5432", "ALLOWED"),
      (pending, "bare/x", "init/db", "5432", "ALLOWED"),
      (hints, "zone/client-b", "service/zone/s", "http", "DENIED"),
      (ownHints, "zone/client-b", "service/zone/s", "http", "DENIED"),
    ])
  func verdict(file: String, from: String, to: String, port: String, verdict: String) async throws {
    let result = try await Self.run(file, ["--from", from, "--to", to, "--port", port])
    #expect(result.status == .exited(0), "\(result)")
    let verdicts = Self.verdicts(result.output)
    #expect(verdicts.count == 1 && verdicts[0].hasPrefix(verdict), "\(result.output)")
  }

  @Test("a packet that reaches nobody is neither allowed nor denied", .needsNamespaces) func noAnswer() async throws {
    let question = ["--from", "jail/box-m", "--to", "10.43.0.10", "--port", "ICMP"]
    let text = try await Self.run(Self.ping, question).output
    #expect(text.contains("  kernel     no route (nothing came back within"), "\(text)")
    #expect(text.contains("0 allowed, 0 denied, 1 without an answer."), "\(text)")
    let service = """
      apiVersion: v1
      kind: Service
      metadata: {name: far}
      spec: {ports: [{port: 80}]}
      ---
      apiVersion: discovery.k8s.io/v1
      kind: EndpointSlice
      metadata: {name: far, labels: {kubernetes.io/service-name: far}}
      addressType: IPv4
      ports: [{port: 80, protocol: TCP}]
      endpoints: [{addresses: [203.0.113.20]}]
      """
    let far = try await Program.run(
      ["run", "-f", "-", "--from", "default/web", "--to", "service/default/far"], input: ProgramTests.pod + service)
    let answer = "no answer: service default/far leads to 203.0.113.20, which nobody has"
    #expect(Self.verdicts(far.output).first?.hasPrefix(answer) == true, "\(far)")
  }

  @Test("a flow whose address nobody has is told in one line, without any engine's verdict", .needsNamespaces)
  func nobody() async throws {
    let question = ["--from", "ci/runner", "--to", "10.43.9.9", "--port", "443"]
    let text = try await Self.run(Self.metadata, question).output
    #expect(!text.contains("  oracle") && !text.contains("  evaluator") && !text.contains("  kernel"), "\(text)")
    let json = try await Self.run(Self.metadata, question + ["-o", "json"]).output
    #expect(json.contains(#""result":"noRoute""#) && json.contains(#""why":"no service has 10.43.9.9""#))
    #expect(!json.contains(#""oracle":"#) && !json.contains(#""evaluator":"#) && !json.contains(#""kernel":"denied"#))
  }

  @Test("a host that is made for a question is told in a note", .needsNamespaces) func hostNote() async throws {
    let to = try await Self.run(Self.metadata, ["--from", "ci/runner", "--to", "8.8.8.8", "--port", "53"])
    #expect(to.errors.contains("note: 8.8.8.8 belongs to no object: treated as a host outside the cluster\n"))
    let from = try await Self.run(Self.metadata, ["--from", "8.8.8.8", "--to", "ci/runner", "--port", "53"])
    #expect(from.errors.contains("a host outside the cluster, with routes to the pods\n"), "\(from.errors)")
  }

  @Test("all pods of a workload are asked, at the port that they name", .needsNamespaces) func workload() async throws {
    let file = "06-named-port-statefulset/world.yaml"
    let to = try await Self.run(file, ["--from", "blog/shell", "--to", "blog/statefulset/site", "--port", "http"])
    #expect(to.status == .exited(0) && to.output.hasPrefix("5 flows: 5 allowed, in these kinds\n"), "\(to)")
    let text = to.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(text.contains("TCP/80: ALLOWED, and 4 alike") && text.contains("blog/site-4"), "\(to.output)")
    // Twenty flows are too many for a section each.
    let among = try await Self.run(
      file, ["--from", "blog/statefulset/site", "--to", "blog/statefulset/site", "--port", "81", "--port", "ICMP"])
    #expect(among.status == .exited(0) && among.output.contains("\nTCP 81\n"), "\(among.output)")
    #expect(among.output.contains("\nICMP\n") && among.output.contains("blog/{site-0,site-1,site-2,site-3,site-4}"))
  }

  @Test(
    "what can't be asked is one line with the reason, and exit code 2",
    arguments: [
      (
        "06-named-port-statefulset/world.yaml", ["--to", "service/blog/site"],
        "--to service/blog/site: is a headless Service, without an address of its own; "
          + "name one of its pods: blog/site-0, blog/site-1, blog/site-2, blog/site-3, blog/site-4 (TCP/80)"
      ),
      (
        "06-named-port-statefulset/world.yaml", ["--to", "blog/statefulset/site", "--port", "https"],
        "--port https: no port of blog/site-0 and 4 more has this name; known: http"
      ),
      (
        pending, ["--from", "init/noip", "--to", "init/db"],
        "init/noip sends and receives nothing: it has no address yet; ask when it has one, or name another pod [NPL-703]"
      ),
      (
        metadata, ["--from", "ci/runner", "--to", "fe80::1"],
        "--to fe80::1: is a link-local address; name a pod, a node, or another address"
      ),
      (
        metadata, ["--from", "ci/runner", "--to", "224.0.0.251"],
        "--to 224.0.0.251: is a multicast address; ask with run --group 224.0.0.251, and a listener with --to"
      ),
      (
        metadata, ["--from", "8.8.8.8", "--to", "1.1.1.1"],
        "external/8.8.8.8 and external/1.1.1.1 are both outside the cluster, where no policy applies; "
          + "name a pod, a node or a Service as one end [NPL-707]"
      ),
      (
        metadata, ["--from", "ci/runner", "--to", "2001:db8::1"],
        "ci/runner is asked about with IPv4 alone and external/2001:db8::1 with IPv6 alone; "
          + "name two ends with an address family in common [NPL-708]"
      ),
    ])
  func refusal(file: String, arguments: [String], line: String) async throws {
    let result = try await Self.run(file, arguments)
    #expect(result.status == .exited(2))
    let lines = result.errors.split(separator: "\n").filter { !$0.hasPrefix("note: ") }
    #expect(lines == [Substring(line)], "\(result.errors)")
    #expect(result.output.isEmpty)
  }

  @Test("an expectation of a ping to a ClusterIP is missed, since nobody answers", .needsNamespaces)
  func expectations() async throws {
    let folder = repository.appendingPathComponent("Tests/Fixtures/field/10-deny-egress-ping").path
    let result = try await Program.run(["run", "-f", folder, "--expectations-only"])
    #expect(result.status == .exited(1) && result.output.contains("3 of 4 expectations met"), "\(result.output)")
    #expect(result.output.contains("no machine has 10.43.0.10"), "\(result.output)")
  }

  @Test("an expectation about a pod without an address is missed, and says why", .needsNamespaces)
  func expectedPending() async throws {
    let world = try String(
      contentsOf: repository.appendingPathComponent("Tests/Fixtures/field/\(Self.pending)"), encoding: .utf8)
    let groups = """

      ---
      apiVersion: netpol-lab/v1alpha1
      kind: Expectations
      groups:
      - name: pending
        flows: [{from: init/noip, to: init/db, port: 5432, expect: denied}]

      """
    let result = try await Program.run(["run", "-f", "-", "--expectations-only"], input: world + groups)
    #expect(result.status == .exited(1), "\(result)")
    #expect(result.output.contains("init/noip is not in the lab, since it has no address yet"), "\(result.output)")
  }

  @Test("an expectation may name an address that belongs to no object", .needsNamespaces)
  func expectedAddress() async throws {
    let world = try String(
      contentsOf: repository.appendingPathComponent("Tests/Fixtures/field/\(Self.metadata)"), encoding: .utf8)
    let groups = """

      ---
      apiVersion: netpol-lab/v1alpha1
      kind: Expectations
      groups:
      - name: internet
        flows:
        - {from: ci/runner, to: [169.254.169.254, 10.1.2.3], port: 443, expect: denied, mechanism: rejected}
        - {from: ci/runner, to: 8.8.8.8, port: 443, expect: allowed}
        - {from: ci/runner, to: 10.43.9.9, port: 443, expect: denied}

      """
    let result = try await Program.run(["run", "-f", "-", "--expectations-only"], input: world + groups)
    #expect(result.status == .exited(0), "\(result)")
    #expect(
      result.errors.contains(
        "note: 10.1.2.3, 169.254.169.254, 8.8.8.8 belong to no object: treated as hosts outside the cluster\n"))
  }
}
