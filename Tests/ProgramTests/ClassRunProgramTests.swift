// What this does not show: large clusters. docs/large-clusters.md has figures of those.
import Foundation
import Kernel
import NetpolModel
import TestSupport
import Testing
import Worlds

@Suite("Runs by class") struct ClassRunProgramTests {
  private static let manifests = GeneratedCluster(pods: 40, policies: 14, nodes: 3, seed: 5).text

  @Test("send fewer packets than there are flows, and tell every flow", .needsNamespaces)
  func packets() async throws {
    let lines = FileManager.default.temporaryDirectory.appendingPathComponent("flows-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: lines) }
    let run = try await Program.run(
      ["run", "-f", "-", "--packets", "classes", "-o", "json", "--flows", lines.path], input: Self.manifests)
    #expect(run.status == .exited(0), "\(run.errors)")
    let object = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    let survey = try #require(object["survey"] as? [String: Any])
    let flows = try #require(survey["flows"] as? Int)
    let packets = try #require(survey["packets"] as? Int)
    #expect(packets > 100 && packets * 4 < flows, "\(packets) packets for \(flows) flows")
    #expect(survey["unexplained"] as? Int == 0)
    #expect((object["classes"] as? [[String: Any]])?.isEmpty == false)
    let told = try String(contentsOf: lines, encoding: .utf8).split(separator: "\n")
    #expect(told.count == flows)
    #expect(told.count { $0.contains(#""verdict":"allowed""#) } == survey["allowed"] as? Int)
  }

  @Test("send no more packets than asked for, and count the same flows", .needsNamespaces)
  func limited() async throws {
    let run = try await Program.run(["run", "-f", "-", "--packets", "50", "-o", "json"], input: Self.manifests)
    #expect(run.status == .exited(0), "\(run.errors)")
    #expect(run.output.contains(#""packets":50"#))
  }

  @Test(
    "from or to some ends count the flows that a packet each counts", .needsNamespaces,
    arguments: ["--from kube-system/deployment/coredns", "--to kube-system/deployment/coredns", "--from node/node-1"])
  func selected(ends: String) async throws {
    var tallies: [Set<String>] = []
    for packets in ["classes", "all"] {
      let lines = FileManager.default.temporaryDirectory.appendingPathComponent("flows-\(UUID().uuidString)")
      defer { try? FileManager.default.removeItem(at: lines) }
      let words = ["--packets", packets, "--flows", lines.path] + ends.split(separator: " ").map(String.init)
      let run = try await Program.run(["run", "-f", "-"] + words, input: Self.manifests)
      #expect(run.status == .exited(0), "\(run.errors) \(run.output)")
      tallies.append(Set(try String(contentsOf: lines, encoding: .utf8).split(separator: "\n").map(String.init)))
    }
    #expect(tallies.first?.isEmpty == false && tallies.first == tallies.last)
  }

  @Test("begin with findings, and end with a grid of workloads", .needsNamespaces)
  func text() async throws {
    let run = try await Program.run(["run", "-f", "-", "--packets", "classes"], input: Self.manifests)
    let deviation = try #require(run.output.range(of: "Known deviation"))
    let summary = try #require(run.output.range(of: " classes: "))
    let grid = try #require(run.output.range(of: "Rows send, columns receive."))
    #expect(deviation.lowerBound < summary.lowerBound && summary.lowerBound < grid.lowerBound)
  }

  @Test("show what one workload sends and receives", .needsNamespaces)
  func focus() async throws {
    let name = "kube-system/Deployment/coredns"
    let run = try await Program.run(
      ["run", "-f", "-", "--packets", "classes", "--focus", name], input: Self.manifests)
    #expect(run.status == .exited(0), "\(run.errors)")
    #expect(run.output.contains("\(name) x2 receives"), "\(run.output)")
    #expect(run.output.contains("UDP/53"))
  }

  @Test(
    "show what a pod, node or Service sends and receives, by its short name too", .needsNamespaces,
    arguments: [
      ("node-1", "node/node-1 receives"), ("service/kube-system/kube-dns", "service/kube-system/kube-dns receives"),
      ("kube-system/coredns", "kube-system/Deployment/coredns x2 receives"),
    ])
  func shortNames(name: String, title: String) async throws {
    let run = try await Program.run(
      ["run", "-f", "-", "--packets", "classes", "--focus", name, "--full"], input: Self.manifests)
    #expect(run.status == .exited(0), "\(run.errors)")
    #expect(run.output.contains(title), "\(run.output)")
    let lists = run.output.split(separator: "\n").drop { !$0.hasSuffix(" sends") && !$0.hasSuffix(" receives") }
    #expect(!lists.isEmpty && !lists.contains { $0.contains(" more") }, "\(run.output)")
  }

  @Test("count the packets of other states and protocols that only the evaluator judges", .needsNamespaces)
  func unsent() async throws {
    let run = try await Program.run(
      ["run", "-f", "-", "--packets", "classes", "-o", "json"], input: Self.manifests)
    let report = try JSONDecoder().decode(EvaluatorOnly.self, from: Data(run.output.utf8))
    let kinds = report.survey.evaluatorOnly
    #expect(kinds.map(\.packets) == ["ESTABLISHED", "RELATED", "INVALID", "protocol 47"])
    // Pods' rules accept what belongs to a connection, whatever its policies say.
    #expect(kinds.map { $0.dropped == 0 } == [true, true, false, false])
    #expect(Set(kinds.map { $0.passed + $0.dropped }).count == 1)
  }

  private struct EvaluatorOnly: Decodable {
    struct Survey: Decodable { let evaluatorOnly: [Kind] }
    struct Kind: Decodable {
      let packets: String
      let passed, dropped: Int
    }
    let survey: Survey
  }

  @Test(
    "refuse what they can't do in one line",
    arguments: [
      "--packets 0", "--packets some", "--packets -1", "--focus shop/Deployment/nothing", "--namespace nowhere",
      "--flows /nowhere/flows", "--flows -", "--full --namespace kube-system",
      "--focus kube-system/Deployment/coredns --namespace kube-system",
    ])
  func refused(arguments: String) async throws {
    let run = try await Program.run(
      ["run", "-f", "-"] + arguments.split(separator: " ").map(String.init), input: Self.manifests)
    #expect(run.status == .exited(2), "\(run)")
    let errors = run.errors.split(separator: "\n").filter { !$0.hasPrefix("note:") && !$0.hasPrefix("warning:") }
    #expect(errors.count == 1, "\(run.errors)")
    #expect(run.output.isEmpty)
  }
}
