internal import Enforcement
public import EngineComparison
internal import Lowering
public import NetpolModel
internal import Path
public import Proof

/// A certificate as JSON: `netpol-lab/certificate/v1`, documented in docs/certificate.md.
public struct CertificateObject: Encodable {
  private let schema = "netpol-lab/certificate/v1"
  private let program, style: String
  private let manifests: [ManifestObject]
  private let pods: [PodObject]
  private let nodes: [NodeObject]
  private let families: [FamilyObject]

  /// `sources`: the manifests that were read.
  public init(
    _ certificate: Certificate, _ cluster: Cluster, _ comparer: Comparer, _ sources: [(name: String, text: String)],
    version: String
  ) {
    program = "netpol-lab \(version)"
    style = comparer.enforced.style.name
    manifests = sources.map { ManifestObject(name: $0.name, sha256: hexadecimal(sha256(Array($0.text.utf8)))) }
    pods = cluster.pods.filter { !$0.phase.isTerminal }.map(PodObject.init)
    let topology = comparer.enforced.topology
    nodes = topology.nodes.map { node in
      NodeObject(
        name: node.name, localAddresses: node.localAddresses.sorted().map(\.description),
        rules: (certificate.rules[node.name] ?? []).map { RulesObject($0) })
    }
    families = certificate.families.map(FamilyObject.init)
  }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
  bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
}

private struct ManifestObject: Encodable {
  let name, sha256: String
}

private struct PodObject: Encodable {
  struct Port: Encodable {
    let name: String?
    let `protocol`: String
    let port: UInt16
  }
  struct WorkloadObject: Encodable {
    let kind, name: String
  }
  let namespace, name: String
  let node, hostIP: String?
  let ips: [String]
  let hostNetwork: Bool
  let labels: [String: String]
  let ports: [Port]
  let workload: WorkloadObject?

  init(_ pod: Pod) {
    namespace = pod.id.namespace
    name = pod.id.name
    node = pod.node
    hostIP = pod.hostIP?.description
    ips = pod.podIPs.map(\.description)
    hostNetwork = pod.hostNetwork
    labels = pod.labels
    ports = pod.ports.map { Port(name: $0.name, protocol: $0.transport.rawValue, port: $0.number) }
    workload = pod.owner.map { WorkloadObject(kind: $0.kind, name: $0.name) }
  }
}

private struct RulesObject: Encodable {
  let `as`, sha256, text: String

  init(_ rules: Certificate.RuleText) {
    self.as = rules.format.rawValue
    text = rules.text
    sha256 = hexadecimal(NetpolModel.sha256(Array(text.utf8)))
  }
}

private struct NodeObject: Encodable {
  let name: String
  let localAddresses: [String]
  let rules: [RulesObject]
}

private struct FamilyObject: Encodable {
  struct End: Encodable {
    let kind, name: String
  }
  struct Address: Encodable {
    let ranges: [[String]]
    let end: End?
    private enum Key: CodingKey { case ranges, end }
    // `end` is written as null if there is none.
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(ranges, forKey: .ranges)
      try container.encode(end, forKey: .end)
    }
  }
  struct Question: Encodable {
    let `protocol`: String
    let ranges: [[Int]]
  }
  struct Class: Encodable {
    let node, role, state: String
    let sources, destinations, questions: [[Int]]
    let rules, specification: String?
    let deviations: [String]?
    let why: String?
  }

  let family: String
  let addresses: [Address]
  let questions: [Question]
  let classes, notCertified: [Class]

  init(_ family: Certificate.Family) {
    self.family = family.family.rawValue.lowercased()
    addresses = family.addresses.map { address in
      Address(
        ranges: address.ranges.map { [$0.lowerBound.description, $0.upperBound.description] },
        end: address.end.flatMap(Self.end))
    }
    questions = family.questions.map { question in
      let name: String =
        switch question.kind {
        case .transport(let transport): transport.rawValue
        case .icmp: "ICMP"
        case .other: "other"
        }
      return Question(protocol: name, ranges: Self.pairs(question.ranges))
    }
    classes = family.classes.map { one in
      Class(
        node: one.node, role: one.isDeparture ? "departure" : "arrival", state: one.state.rawValue,
        sources: Self.pairs(one.sources), destinations: Self.pairs(one.destinations),
        questions: Self.pairs(one.questions), rules: one.rules == .allow ? "allow" : "deny",
        specification: one.specification == .allow ? "allow" : "deny",
        deviations: one.reasons.map(\.id), why: nil)
    }
    notCertified = family.gaps.map { gap in
      Class(
        node: gap.node, role: gap.isDeparture ? "departure" : "arrival", state: gap.state.rawValue,
        sources: Self.pairs(gap.sources), destinations: Self.pairs(gap.destinations),
        questions: Self.pairs(gap.questions), rules: nil, specification: nil, deviations: nil, why: gap.why)
    }
  }

  private static func pairs(_ ranges: [ClosedRange<Int>]) -> [[Int]] { ranges.map { [$0.lowerBound, $0.upperBound] } }

  private static func end(_ endpoint: Endpoint) -> End? {
    switch endpoint {
    case .pod(let id): End(kind: "pod", name: id.description)
    case .node(let name): End(kind: "node", name: name)
    case .external(let name): End(kind: "external", name: name)
    case .service, .virtualAddress, .address: nil
    }
  }
}
