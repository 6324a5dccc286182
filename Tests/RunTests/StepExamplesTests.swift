// Not covered: how long a step takes, and what is in force while it is made.
import Apply
import Foundation
import Glibc
import Kernel
import Lowering
import Manifests
import NetpolModel
import Network
import Path
import TestSupport
import Testing

@testable import Verdicts

/// A deviation that a single test with first packets can't show. The head of its file says what is open in which step.
struct StepExample: CustomTestStringConvertible, Sendable {
  let file: URL
  var testDescription: String { file.deletingPathExtension().lastPathComponent }

  static let all: [StepExample] =
    ((try? FileManager.default.contentsOfDirectory(at: DeviationExample.folder, includingPropertiesForKeys: nil)) ?? [])
    .filter { $0.pathExtension == "yaml" }.sorted { $0.path < $1.path }.map(StepExample.init)
    .filter { !((try? $0.steps()) ?? []).isEmpty }

  enum Expectation: String { case open, closed, kept }

  struct Step {
    let number: Int
    let expectation: Expectation
    let from, to: Endpoint
    /// `nil` asks for an echo.
    let port: UInt16?
  }

  func text() throws -> String { try String(contentsOf: file, encoding: .utf8) }

  /// `# step 2: closed app/client -> app/web TCP/8080`
  func steps() throws -> [Step] {
    try text().split(separator: "\n").filter { $0.hasPrefix("# step ") && $0.contains("->") }.map { line in
      let words = line.split(separator: " ").map(String.init)
      let endpoint = { (name: String) in try #require(Endpoint(EndpointReference(name))) }
      return Step(
        number: try #require(Int(words[2].dropLast())), expectation: try #require(Expectation(rawValue: words[3])),
        from: try endpoint(words[4]), to: try endpoint(words[6]),
        port: words[7].split(separator: "/").last.flatMap { UInt16($0) })
    }
  }

  /// The objects that the nodes have in a step: `# step 1 leaves out pod app/new`.
  func known(_ cluster: Cluster, in step: Int) throws -> Cluster {
    var cluster = cluster
    for line in try text().split(separator: "\n") where line.hasPrefix("# step \(step) leaves out ") {
      let words = line.split(separator: " ").map(String.init)
      let name = words[6].split(separator: "/").map(String.init)
      switch words[5] {
      case "policy": cluster.policies.removeAll { $0.id == PolicyID(name[0], name[1]) }
      default: cluster.pods.removeAll { $0.id == PodID(name[0], name[1]) }
      }
    }
    return cluster
  }
}

@Suite("Deviations in two steps", .serialized, .needsNamespaces)
struct StepExamplesTests {
  @Test("D5, D6, D7, D13 and D14 have an example")
  func complete() {
    #expect(Set(StepExample.all.map(\.testDescription)).isSuperset(of: ["D5", "D6", "D7", "D13", "D14"]))
  }

  @Test(
    "packets and connections show them in every style, except D5 in `compiled`",
    arguments: EnforcementStyle.all.map(\.name), StepExample.all)
  func shows(style: String, example: StepExample) async throws {
    // In this style echo requests are judged like all other packets.
    if style == EnforcementStyle.compiled.name, example.testDescription == "D5" { return }
    try await run(example, style: try #require(EnforcementStyle.named(style)))
  }

  @Test(
    "with default-deny a pod that the node does not have yet is closed",
    arguments: ["kube-router-2.11", "kube-router-2.11-nft", "compiled"])
  func defaultDeny(style: String) async throws {
    let example = try #require(StepExample.all.first { $0.testDescription == "D14" })
    try await run(example, style: try #require(EnforcementStyle.named(style)), defaultDeny: true)
  }

  private func run(_ example: StepExample, style: EnforcementStyle, defaultDeny: Bool = false) async throws {
    var cluster = try readManifests([ManifestSource(name: example.testDescription, text: try example.text())]).cluster
    cluster.settings.defaultDeny = defaultDeny
    let world = cluster
    let steps = try example.steps()
    try await blocking {
      let worker = try NamespaceWorker()
      let topology = Topology(world)
      let fabric = try Fabric(topology, families: world.families, bridgeNetfilter: true, worker: worker)
      let loader = try RuleLoader(worker: worker)
      let kept = try #require(steps.first)
      let connection = try OpenConnection(kept, topology, fabric)
      var loaded: [String: Lowered] = [:]
      for number in Set(steps.map(\.number)).sorted() {
        for node in world.nodes {
          let lowered = style.lower(NodeView(of: node, in: try example.known(world, in: number)))
          let namespace = try #require(fabric.namespace(ofNode: node.name))
          if let old = loaded.updateValue(lowered, forKey: node.name) {
            try loader.replace(old.ruleset, with: lowered.ruleset, in: namespace)
          } else {
            try loader.load(lowered.ruleset, in: namespace)
          }
        }
        for step in steps where step.number == number {
          switch step.expectation {
          case .kept: #expect(try connection.carriesData())
          case .open, .closed:
            let isOpen = step.expectation == .open && !(defaultDeny && step.to == .pod(PodID("app", "new")))
            var seen = try observe(step, topology, fabric)
            // The kernel brings up links with a delay.
            for _ in 0..<4 where isOpen && seen != .delivered { seen = try observe(step, topology, fabric) }
            #expect(seen == .delivered ? isOpen : !isOpen && seen.verdict == .deny, "\(step) \(seen)")
          }
        }
        if number == 1, steps.contains(where: { $0.expectation == .kept }) { try connection.open() }
      }
    }
  }

  private func observe(_ step: StepExample.Step, _ topology: Topology, _ fabric: Fabric) throws -> Observation {
    let transport: ProbeTransport = step.port == nil ? .ping : .tcp
    let flow = try #require(
      topology.flow(from: step.from, to: step.to, TransportPort(.tcp, step.port ?? 1), .v4))
    let (from, to) = (
      try #require(fabric.namespace(of: step.from)), try #require(fabric.namespace(of: step.to))
    )
    let session = try ProbeSession(worker: fabric.worker)
    let destination = ProbeAddress(flow.destinationAddress.bytes, port: step.port ?? 1)
    if transport != .ping { try session.listen([Listener(in: to, on: destination, transport)]) }
    let probe = Probe(from: from, sourceAddress: flow.sourceAddress.bytes, to: destination, transport)
    return Observation(try #require(try session.run([probe], timeout: .milliseconds(900)).first))
  }
}

extension Observation {
  fileprivate var isVerdict: Bool {
    switch self {
    case .refused, .silent: true
    case .delivered, .unusable, .elsewhere: false
    }
  }
}

/// A TCP connection that stays open while the rules change.
private final class OpenConnection {
  private let worker: NamespaceWorker
  private let from, to: NetworkNamespace
  private let address: IPAddress
  private let port: UInt16
  private var descriptors: [Int32] = []

  init(_ step: StepExample.Step, _ topology: Topology, _ fabric: Fabric) throws {
    worker = fabric.worker
    from = try #require(fabric.namespace(of: step.from))
    to = try #require(fabric.namespace(of: step.to))
    address = try #require(topology.address(of: step.to, .v4))
    port = step.port ?? 1
  }

  deinit { for fd in descriptors { close(fd) } }

  func open() throws {
    let listener = try worker.run(in: to) { try Self.socket() }
    defer { close(listener) }
    let client = try worker.run(in: from) { try Self.socket() }
    descriptors.append(client)
    #expect(withAddress { bind(listener, $0, $1) } == 0)
    #expect(listen(listener, 1) == 0)
    #expect(withAddress { connect(client, $0, $1) } == 0)
    let server = accept(listener, nil, nil)
    #expect(server >= 0)
    descriptors.append(server)
    #expect(try carriesData())
  }

  /// Whether a byte arrives in both directions, within a second each.
  func carriesData() throws -> Bool {
    let (client, server) = (try #require(descriptors.first), try #require(descriptors.last))
    var byte: UInt8 = 7
    return send(client, &byte, 1, 0) == 1 && recv(server, &byte, 1, 0) == 1 && send(server, &byte, 1, 0) == 1
      && recv(client, &byte, 1, 0) == 1
  }

  private static func socket() throws -> Int32 {
    let fd = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    // A probe's listener takes over the port while this connection is open.
    var one: Int32 = 1
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
    var second = timeval(tv_sec: 1, tv_usec: 0)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(fd, SOL_SOCKET, option, &second, socklen_t(MemoryLayout<timeval>.size))
    }
    return fd
  }

  private func withAddress(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var storage = sockaddr_in()
    storage.sin_family = sa_family_t(AF_INET)
    storage.sin_port = port.bigEndian
    storage.sin_addr.s_addr = UInt32(truncatingIfNeeded: address.bits).bigEndian
    return withUnsafePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }
}
