package import Foundation
internal import Manifests
package import NetpolModel
package import Path
package import Testing

/// A verdict table from cyclonus or the Kubernetes e2e suite: worlds, and which pods may reach which.
package struct ConformanceCase: CustomTestStringConvertible, Sendable {
  package struct Table: Sendable {
    package let transport: Transport
    package let port: UInt16
    /// `ingress`, `egress`, or `nil` for both together.
    package let direction: Direction?
    /// `.` allowed, `X` denied, `-` not asked. One row per source, one character per column.
    package let rows: [String: String]
  }
  package struct Step: Sendable {
    package let cluster: Cluster
    package let columns: [String]
    package let tables: [Table]
  }
  package let name: String
  package let steps: [Step]
  package var testDescription: String { name }

  /// Folders with cases: `../shared/conformance` if it exists, and those in NETPOL_CASES (separated by `:`).
  package static let folders: [URL] = {
    let beside = repository.appendingPathComponent("../shared/conformance").standardized
    return (FileManager.default.fileExists(atPath: beside.path) ? [beside] : []) + named(by: "NETPOL_CASES")
  }()

  package static var areThere: Bool { !all.isEmpty }
  package static let absent: Comment = "no conformance tables in ../shared/conformance or $NETPOL_CASES"

  package static let all: [ConformanceCase] = folders.flatMap { folder in
    let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    if !files.contains(where: { $0.pathExtension == "jsonl" }) {
      return [ConformanceCase(name: "\(folder.path): no *.jsonl there", steps: [])]
    }
    return files.filter { $0.pathExtension == "jsonl" }.sorted { $0.path < $1.path }.flatMap {
      file -> [ConformanceCase] in
      let lines = ((try? String(contentsOf: file, encoding: .utf8)) ?? "").split(separator: "\n")
      return lines.map { line in
        do { return try ConformanceCase(line: String(line), file: file.lastPathComponent) } catch {
          // A case that can't be read must fail, not go missing.
          return ConformanceCase(name: "\(file.lastPathComponent): \(error)", steps: [])
        }
      }
    }
  }

  private init(name: String, steps: [Step]) {
    self.name = name
    self.steps = steps
  }

  private init(line: String, file: String) throws {
    let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    let title = object["name"] as? String ?? object["description"] as? String ?? ""
    let steps = try #require(object["steps"] as? [[String: Any]])
    if object["pods"] != nil {
      var world = try ReplayedWorld(object)
      self.init(
        name: "\(file) \(object["id"] ?? "?") \(title)",
        steps: try steps.map { step in
          for action in try #require(step["actions"] as? [[String: Any]]) { try world.apply(action) }
          let probes = try #require(step["probes"] as? [[String: Any]])
          return Step(
            cluster: world.cluster(), columns: try #require(object["columns"] as? [String]),
            tables: try probes.map { probe in
              Table(
                transport: try #require(Transport(rawValue: probe["protocol"] as? String ?? "")),
                port: try #require((probe["port"] as? Int).flatMap(UInt16.init(exactly:))), direction: nil,
                rows: try #require(probe["expected"] as? [String: String]))
            })
        })
    } else {
      self.init(
        name: "\(file) \(object["id"] ?? "?") \(title)",
        steps: try steps.map { step in
          let pods = try #require(step["pods"] as? [[String: Any]]).map { pod in
            (
              try #require(pod["Name"] as? String), try #require(pod["IP"] as? String),
              pod["Labels"] as? [String: String] ?? [:]
            )
          }
          let policies = try #require(step["policies"] as? [[String: Any]]).map(policy)
          return Step(
            cluster: world(
              namespaces: step["namespaces"] as? [String: [String: String]] ?? [:], pods: pods, policies: policies),
            columns: try #require(step["columns"] as? [String]),
            tables: try [("ingress", Direction.ingress), ("egress", .egress), ("combined", nil)].flatMap {
              key, direction in
              try #require(step[key] as? [String: [String: String]]).map { name, rows in
                let parts = name.split(separator: "/")
                return Table(
                  transport: try #require(Transport(rawValue: String(parts[0]))),
                  port: try #require(UInt16(String(parts[1]))), direction: direction, rows: rows)
              }
            })
        })
    }
  }
}

extension ConformanceCase.Step {
  package struct Cell {
    package let flow: Flow
    package let expected: Verdict
    package let table: ConformanceCase.Table
    package var isDiagonal: Bool { flow.source == flow.destination }
  }

  /// Every cell of the tables that has a verdict.
  package func cells(_ topology: Topology) -> [Cell] {
    let endpoint = { (name: String) -> (Endpoint, IPAddress)? in
      let parts = name.split(separator: "/").map(String.init)
      let id = PodID(parts[0], parts[1])
      return cluster.pod(id)?.podIP.map { (.pod(id), $0) }
    }
    return tables.flatMap { table in
      table.rows.flatMap { source, row in
        zip(columns, row).compactMap { destination, character -> Cell? in
          guard character != "-", let from = endpoint(source), let to = endpoint(destination) else { return nil }
          return Cell(
            flow: Flow(from: from.0, from.1, to: to.0, to.1, table.transport, table.port),
            expected: character == "." ? .allow : .deny, table: table)
        }
      }
    }
  }
}

private func policy(_ object: [String: Any]) throws -> NetworkPolicy {
  let text = String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
  return try readPolicy(text, name: "case")
}

/// All pods serve ports 80 and 81 over three transports under the names `serve-80-tcp` and so on, alternating between
/// two nodes.
private func world(
  namespaces: [String: [String: String]], pods: [(name: String, ip: String, labels: [String: String])],
  policies: [NetworkPolicy]
) -> Cluster {
  let ports = [80, 81].flatMap { number in
    Transport.allCases.map { ContainerPort(name: "serve-\(number)-\($0.keyword)", number: number, transport: $0) }
  }
  let hostIPs = [IPAddress(v4: 0xc0a8_140b), IPAddress(v4: 0xc0a8_140c)]
  return Cluster(
    nodes: [Node(name: "node1", addresses: [hostIPs[0]]), Node(name: "node2", addresses: [hostIPs[1]])],
    namespaces: namespaces.map { Namespace(name: $0.key, labels: $0.value) },
    pods: pods.enumerated().map { index, pod in
      let parts = pod.name.split(separator: "/")
      return Pod(
        id: PodID(String(parts[0]), String(parts[1])), labels: pod.labels, node: "node\(index % 2 + 1)",
        podIPs: IPAddress(pod.ip).map { [$0] } ?? [], hostIP: hostIPs[index % 2], ports: ports)
    }.sorted { $0.id < $1.id }, policies: policies)
}

/// The e2e tables give an initial state and actions. The state carries over between steps.
private struct ReplayedWorld {
  var namespaces: [String: [String: String]]
  var pods: [String: (ip: String, labels: [String: String])] = [:]
  var policies: [PolicyID: NetworkPolicy] = [:]

  init(_ object: [String: Any]) throws {
    namespaces = try #require(object["namespaces"] as? [String: [String: String]])
    for (name, pod) in try #require(object["pods"] as? [String: [String: Any]]) {
      pods[name] = (try #require(pod["ip"] as? String), pod["labels"] as? [String: String] ?? [:])
    }
  }

  mutating func apply(_ action: [String: Any]) throws {
    if let object = (action["create"] ?? action["update"]) as? [String: Any] {
      let policy = try policy(object)
      policies[policy.id] = policy
    } else if let name = action["delete"] as? String {
      let parts = name.split(separator: "/").map(String.init)
      policies[PolicyID(parts[0], parts[1])] = nil
    } else if let name = action["labelPod"] as? String {
      pods[name]?.labels.merge(action["add"] as? [String: String] ?? [:]) { _, new in new }
    } else if let name = action["labelNamespace"] as? String {
      namespaces[name, default: [:]].merge(action["add"] as? [String: String] ?? [:]) { _, new in new }
    } else {
      Issue.record("unknown action: \(action)")
    }
  }

  func cluster() -> Cluster {
    world(
      namespaces: namespaces, pods: pods.sorted { $0.key < $1.key }.map { ($0.key, $0.value.ip, $0.value.labels) },
      policies: Array(policies.values))
  }
}
