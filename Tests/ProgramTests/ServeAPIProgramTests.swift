// Not covered: what the API answers (APIServerTests, Tests/Clients).
import Foundation
import Kernel
import TestSupport
import Testing

/// A running `serve-api`, and its kubeconfig.
final class RunningAPI {
  private let process = Process()
  private let errors = Pipe()
  let folder: URL
  let kubeconfig: String
  private var said = ""

  struct Failure: Error, CustomStringConvertible { let description: String }

  init(_ world: String, _ arguments: [String] = []) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    kubeconfig = folder.appendingPathComponent("config").path
    try Data(world.utf8).write(to: folder.appendingPathComponent("world.yaml"))
    process.executableURL = URL(fileURLWithPath: Program.path)
    process.arguments =
      ["serve-api", "-f", folder.appendingPathComponent("world.yaml").path, "--kubeconfig", kubeconfig] + arguments
    process.standardError = errors
    try process.run()
    _ = try line { $0.contains("Ctrl-C") }
  }

  deinit {
    if process.isRunning { process.terminate() }
    process.waitUntilExit()
    try? FileManager.default.removeItem(at: folder)
  }

  /// Waits for a line on standard error.
  func line(_ matches: (String) -> Bool) throws -> String {
    for _ in 0..<200 {
      if let line = said.components(separatedBy: "\n").first(where: matches) { return line }
      let data = errors.fileHandleForReading.availableData
      if data.isEmpty { break }
      said += String(decoding: data, as: UTF8.self)
    }
    throw Failure(description: said)
  }

  /// What a path answers: the status, a space and the body.
  func get(_ path: String) async throws -> String {
    let script = """
      import re, sys, urllib.request
      server = re.search(r'server: "([^"]+)"', open(sys.argv[1]).read())[1]
      print(urllib.request.urlopen(server + sys.argv[2], timeout=20).read().decode())
      """
    let result = try await Program.start(["/usr/bin/env", "python3", "-c", script, kubeconfig, path])
    return Program.Result(result).output + Program.Result(result).errors
  }

  /// Ends it by a signal, and returns its exit code.
  func end(_ signal: Int32) -> Int32 {
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    return process.terminationStatus
  }

  func write(_ world: String) throws { try Data(world.utf8).write(to: folder.appendingPathComponent("world.yaml")) }
}

@Suite("serve-api") struct ServeAPIProgramTests {
  static let world =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {app: web}}\nspec: {containers: [{name: c}]}\n"

  @Test("it serves until a signal, and leaves no kubeconfig", arguments: [SIGINT, SIGTERM]) func life(signal: Int32)
    async throws
  {
    let api = try RunningAPI(Self.world)
    let mode = try FileManager.default.attributesOfItem(atPath: api.kubeconfig)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    #expect(try await api.get("/api/v1/namespaces/default/pods/web").contains(#""phase":"Running""#))
    #expect(api.end(signal) == 0)
    #expect(!FileManager.default.fileExists(atPath: api.kubeconfig))
  }

  @Test("it follows its files, and tells what is wrong there") func follow() async throws {
    let api = try RunningAPI(Self.world, ["--watch-files"])
    try api.write(Self.world.replacingOccurrences(of: "app: web", with: "app: db"))
    _ = try api.line { $0 == "note: 1 object changed in the files" }
    #expect(try await api.get("/api/v1/namespaces/default/pods/web").contains(#""app":"db""#))
    try api.write("kind: Pod\n")
    let warning = try api.line { $0.hasPrefix("warning: the files are not followed") }
    #expect(warning.contains("world.yaml:1") && warning.contains("apiVersion"))
    #expect(try await api.get("/api/v1/namespaces/default/pods/web").contains(#""app":"db""#))
  }

  @Test("each request is told without the secret, if asked for") func log() async throws {
    let api = try RunningAPI(Self.world, ["--log-requests"])
    _ = try await api.get("/version")
    let line = try api.line { $0.hasPrefix("api: GET") }
    #expect(line.hasPrefix("api: GET /version 200 (") && line.contains("Python-urllib"))
  }

  @Test("a kubeconfig of somebody else is not written over") func foreignKubeconfig() async throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try Data("mine".utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let result = try await Program.run(["serve-api", "-f", "-", "--kubeconfig", file.path], input: Self.world)
    #expect(result.status == .exited(2) && result.errors.contains("the file is there already"), "\(result)")
    #expect(try String(contentsOf: file, encoding: .utf8) == "mine")
  }

  @Test("a workload has all of its pods") func replicas() async throws {
    let api = try RunningAPI(ProgramTests.deployment.replacingOccurrences(of: "replicas: 2", with: "replicas: 5"))
    let note = try api.line { $0.contains("expanded to") }
    #expect(note.contains("expanded to 5 pods"))
    #expect(try api.line { $0.contains("serving") }.contains(" 5 pods"))
  }

  @Test("two servers don't share a kubeconfig, and what a killed one left is written over") func kubeconfigs()
    async throws
  {
    let api = try RunningAPI(Self.world)
    let second = try await Program.run(["serve-api", "-f", "-", "--kubeconfig", api.kubeconfig], input: Self.world)
    #expect(second.status == .exited(2) && second.errors.contains("serves by it; name another file"), "\(second)")
    #expect(try await api.get("/version").contains("netpol-lab"))
    let kept = try Data(contentsOf: URL(fileURLWithPath: api.kubeconfig))
    _ = api.end(SIGKILL)
    #expect(try Data(contentsOf: URL(fileURLWithPath: api.kubeconfig)) == kept)
    let third = Process()
    third.executableURL = URL(fileURLWithPath: Program.path)
    third.arguments = [
      "serve-api", "-f", api.folder.appendingPathComponent("world.yaml").path, "--kubeconfig", api.kubeconfig,
    ]
    let errors = Pipe()
    third.standardError = errors
    try third.run()
    while let text = String(data: errors.fileHandleForReading.availableData, encoding: .utf8), !text.isEmpty {
      if text.contains("Ctrl-C") || text.contains("serving") { break }
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: api.kubeconfig)) != kept)
    third.terminate()
    third.waitUntilExit()
  }

  @Test(
    "what can't be served is one line and exit code 2",
    arguments: [
      (["--watch-files"], world, "standard input can't be followed"),
      ([], "kind: Pod\n", "apiVersion"),
      ([], world.replacingOccurrences(of: "app: web", with: "app: 1"), "-:3: Pod default/web: metadata.labels.app"),
      (["--port", "70000"], world, "--port"),
      (
        [],
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {terminationGracePeriodSeconds: 1, containers: [{name: c, env: [{name: a, value: b}], readinessProbe: {periodSeconds: 99999999999}}]}\n",
        "int32"
      ),
    ])
  func badInput(arguments: [String], world: String, says: String) async throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    let result = try await Program.run(["serve-api", "-f", "-", "--kubeconfig", file] + arguments, input: world)
    #expect(result.status == .exited(2) && result.errors.contains(says), "\(result)")
    #expect(!FileManager.default.fileExists(atPath: file))
  }

  @Test("in the lab, a node reaches the API by its own network", .needsNamespaces) func inTheLab() async throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).yaml")
    try Data(Self.world.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let script = """
      import os, re, urllib.request
      server = re.search(r'server: "([^"]+)"', open(os.environ["KUBECONFIG"]).read())[1]
      print(oct(os.stat(os.environ["KUBECONFIG"]).st_mode)[-3:], "127." in server)
      print(urllib.request.urlopen(server + "/api/v1/pods", timeout=20).read().decode())
      """
    let result = try await Program.run(
      ["shell", "-f", file.path, "node/node1", "--api", "--", "python3", "-c", script])
    #expect(result.status == .exited(0) && result.output.hasPrefix("600 False\n"), "\(result)")
    #expect(result.output.contains(#""kind":"PodList""#), "\(result)")
    let path = result.errors.components(separatedBy: "\n").first { $0.hasPrefix("note: the API is at") }
    #expect(path?.contains("198.18.255.254") == true, "\(result)")
  }
}
