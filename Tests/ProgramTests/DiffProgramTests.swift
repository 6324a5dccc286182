import Foundation
import Kernel
import TestSupport
import Testing

@Suite("netpol-lab diff") struct DiffProgramTests {
  private static let folder = repository.appendingPathComponent("examples/pod-cidr").standardized.path
  private static let selectors = "\(folder)/cluster.yaml"
  private static let workaround = "\(folder)/workaround.yaml"

  @Test("ends with 1 where something differs, and with --no-new-access where something is opened")
  func exitCodes() async throws {
    let cases: [(old: String, new: String, options: [String], status: Int32)] = [
      (Self.selectors, Self.selectors, [], 0), (Self.selectors, Self.workaround, [], 1),
      (Self.selectors, Self.selectors, ["--no-new-access"], 0),
      (Self.selectors, Self.workaround, ["--no-new-access"], 1),
    ]
    for (old, new, options, status) in cases {
      let result = try await Program.run(["diff", old, new] + options)
      #expect(result.status == .exited(status), "\(new) \(options): \(result.errors)\(result.output)")
      #expect(result.output.contains("equal: no flow is judged differently") == (status == 0))
    }
  }

  @Test("tells of closed flows with --no-new-access, which are no failure")
  func closed() async throws {
    let policy = """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {namespace: shop, name: all}
      spec: {podSelector: {}}
      """
    let result = try await Program.run(
      ["diff", Self.selectors, "-", "--no-new-access"],
      input: policy + "\n---\n" + (try String(contentsOfFile: Self.selectors, encoding: .utf8)))
    #expect(result.status == .exited(0), "\(result.errors)\(result.output)")
    #expect(result.output.contains("equal: no flow is judged differently"))
    let fewer = try await Program.run(["diff", Self.selectors, "-", "--no-new-access"], input: policy)
    #expect(fewer.status == .exited(0), "\(fewer.errors)\(fewer.output)")
    #expect(fewer.output.contains("\nClosed: OLD allows and NEW denies\n- ") && !fewer.output.contains("\n+ "))
    #expect(try await Program.run(["diff", Self.selectors, "-"], input: policy).status == .exited(1))
  }

  @Test("names some pods of a workload, a pod's address of one family, and everything")
  func names() async throws {
    let half = try String(contentsOfFile: Self.workaround, encoding: .utf8).replacing(
      "10.42.0.0/16", with: "10.42.0.0/24")
    let some = try await Program.run(["diff", Self.selectors, "-"], input: half)
    #expect(some.output.contains("NEW  standard input: 2 policies; pods, nodes and all other objects"))
    #expect(some.output.contains("+ 1 of batch/Deployment/report x2 (report-0), 10.42.0.0/24 ->"), "\(some.output)")
    let policy = """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {namespace: shop, name: db}
      spec:
        podSelector: {matchLabels: {app: db}}
        ingress:
        - from: [{ipBlock: {cidr: 10.42.0.0/16}}, {ipBlock: {cidr: 'fd00:42:0:1::/64'}}]
          ports: [{port: 8080}]
      """
    let dual = repository.appendingPathComponent("examples/dual-stack").standardized.path
    let output = try await Program.run(["diff", dual, "-"], input: policy).output
    #expect(output.contains("10.42.0.0/16, fd00:42:0:1::/64 -> shop/db:"), "\(output)")
    #expect(output.contains("shop/job (IPv4), shop/web (IPv4)"), "\(output)")
  }

  @Test(
    "refuses bad input in one line",
    arguments: [
      ([], "Missing expected argument"), (["-", "-"], "standard input can be read once"),
      (["/nowhere.yaml", selectors], "/nowhere.yaml: no such file"),
      ([workaround, workaround], "no pods and no workloads on either side"),
      ([selectors, "/dev/null"], "/dev/null: no objects"),
    ])
  func badInput(arguments: [String], error: String) async throws {
    let result = try await Program.run(["diff"] + arguments)
    #expect(result.status == .exited(2) && result.output.isEmpty)
    #expect(result.errors.contains(error), "\(result.errors)")
  }

  @Test("prints every set in JSON, with fields that docs/diff-json.md lists")
  func json() async throws {
    let result = try await Program.run(["diff", Self.selectors, Self.workaround, "-o", "json"])
    #expect(result.status == .exited(1))
    let object = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    #expect(object["schema"] as? String == "netpol-lab/diff/v1")
    #expect(object["equal"] as? Bool == false)
    let rows = try #require(object["rows"] as? [[String: Any]])
    let first = try #require(rows.first)
    let from = try #require(first["from"] as? [String: Any])
    let pods = try #require(from["pods"] as? [[String: Any]])
    #expect(pods.compactMap { $0["name"] as? String } == ["batch/report-0", "batch/report-1"])
    #expect(from["addresses"] as? [String] == ["10.42.0.0/16"])
    #expect(rows.map { $0["ports"] as? [String] } == [["TCP/5432"], ["TCP/9090-9099"], ["TCP/8080"]])
    let documented = try String(contentsOf: repository.appendingPathComponent("docs/diff-json.md"), encoding: .utf8)
    let block = try #require((object["blocks"] as? [[String: Any]])?.first)
    let old = try #require(object["old"] as? [String: Any])
    let example = try #require(first["example"] as? [String: Any])
    for fields in [object, first, from, pods[0], block, old, example] {
      for field in fields.keys { #expect(documented.contains("`\(field)`"), "nothing of \(field)") }
    }
  }

  @Test("sends a packet for each row under both policy sets", .needsNamespaces)
  func packets() async throws {
    let result = try await Program.run(["diff", Self.selectors, Self.workaround, "--packets"])
    #expect(result.status == .exited(1), "\(result.errors)")
    let words = result.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    for line in [
      "batch/report-0 (10.42.0.2) -> shop/db-0 (10.42.0.3) TCP/5432: OLD denied (rejected), NEW allowed (delivered)",
      "external/office (192.168.1.50) -> shop/web-0 (10.42.1.3) TCP/9090: OLD denied (rejected), NEW allowed",
      "packet no host to send to or from", "2 rows sent as packets under both, 0 findings",
    ] {
      #expect(words.contains(line), "\(line)\n\(result.output)")
    }
  }
}
