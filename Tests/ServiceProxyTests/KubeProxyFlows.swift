import Foundation
import NetpolModel
import ServiceProxy
import TestSupport
import Testing

/// A line of Tests/Fixtures/services/kube-proxy-flows.jsonl (its README says what the fields mean).
struct ProxyWorld: Decodable, Sendable, CustomTestStringConvertible {
  struct Proxy: Decodable, Sendable {
    struct Mode: Decodable, Sendable {
      let nodePortAddresses: [String]?
      let localhostNodePorts: Bool?
    }

    let family: String
    let node: String
    let nodeIP: String
    let localIPs: [String]
    let clusterCIDR: String
    let localDetector: Bool
    let masqueradeAll: Bool
    let iptables: Mode?
  }

  struct Machine: Decodable, Sendable {
    let name: String
    let zone: String?
  }

  struct Port: Decodable, Sendable {
    let name: String
    let port: UInt16
    let `protocol`: String
    let nodePort: UInt16?
  }

  struct BalancerAddress: Decodable, Sendable {
    let ip: String
    let ipMode: String?
  }

  struct APIService: Decodable, Sendable {
    let namespace: String
    let name: String
    let type: String
    let clusterIP: String
    let ports: [Port]
    let externalIPs: [String]?
    let loadBalancer: [BalancerAddress]?
    let loadBalancerSourceRanges: [String]?
    let externalTrafficPolicy: String?
    let internalTrafficPolicy: String?
    let healthCheckNodePort: UInt16?
    let sessionAffinity: String?
  }

  struct Slice: Decodable, Sendable {
    struct Member: Decodable, Sendable {
      let ip: String
      let node: String?
      let ready: Bool?
      let serving: Bool?
      let terminating: Bool?
      let zoneHints: [String]?
      let nodeHints: [String]?
    }

    let namespace: String
    let service: String
    let family: String
    let ports: [Port]
    let endpoints: [Member]
  }

  struct Flow: Decodable, Sendable {
    struct Sender: Decodable, Sendable {
      let kind: String
      let ip: String

      /// Whether the packet starts on the proxy's own node, outside any pod.
      var isNodes: Bool { ["node", "localhost", "loadBalancer"].contains(kind) }
    }

    struct Modes: Decodable, Sendable {
      let iptables: Expectation?
    }

    let name: String
    let from: Sender
    let to: String
    let port: UInt16
    let `protocol`: String
    let expect: Modes
  }

  /// The ways that a packet may go.
  struct Expectation: Decodable, Sendable {
    let fates: Set<PacketFate>

    private enum CodingKeys: String, CodingKey {
      case to, masquerade
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      if let endpoints = try? container.decode([String].self, forKey: .to) {
        let isMasqueraded = try container.decode(Bool.self, forKey: .masquerade)
        fates = Set(endpoints.map { .to($0, masqueraded: isMasqueraded) })
        return
      }
      let word = try container.decode(String.self, forKey: .to)
      guard let fate = PacketFate(word: word) else {
        throw DecodingError.dataCorruptedError(forKey: .to, in: container, debugDescription: "unknown fate \(word)")
      }
      fates = [fate]
    }
  }

  let world: String
  let proxy: Proxy
  let nodes: [Machine]
  let services: [APIService]
  let slices: [Slice]
  let flows: [Flow]

  var testDescription: String { world }

  /// All worlds of the file.
  static let all: [ProxyWorld] = {
    let file = repository.appendingPathComponent("Tests/Fixtures/services/kube-proxy-flows.jsonl")
    do {
      let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
      return try lines.map { try JSONDecoder().decode(ProxyWorld.self, from: Data($0.utf8)) }
    } catch {
      Issue.record("\(file.path): \(error)")
      return []
    }
  }()
}

/// What happens to a connection's first packet.
enum PacketFate: Hashable {
  /// It goes to this address and port. Masqueraded: it bears kube-proxy's mark for that.
  case to(String, masqueraded: Bool)
  case refused, dropped
  /// Not translated, and let in by a rule of kube-proxy.
  case accepted
  /// Not translated, and no rule stops it.
  case untouched

  /// `nil` for an unknown word.
  init?(word: String) {
    switch word {
    case "REJECT": self = .refused
    case "DROP": self = .dropped
    case "ACCEPT": self = .accepted
    case "none": self = .untouched
    default: return nil
    }
  }
}

extension ProxyWorld {
  /// What kube-proxy in iptables mode sees of the world.
  func view(_ mode: Proxy.Mode) throws -> ProxyView {
    let machine = nodes.first { $0.name == proxy.node }
    let node = NetpolModel.Node(
      name: proxy.node, labels: machine?.zone.map { ["topology.kubernetes.io/zone": $0] } ?? [:])
    var options = ProxyView.Options()
    options.masqueradeAll = proxy.masqueradeAll
    options.nodePortAddresses = try (mode.nodePortAddresses ?? []).map(Fixture.block)
    options.localhostNodePorts = mode.localhostNodePorts ?? true
    return ProxyView(
      node: node.name, zone: node.zone, nodeAddresses: [try Fixture.address(proxy.nodeIP)],
      interfaceAddresses: try proxy.localIPs.map(Fixture.address),
      families: [try #require(IPFamily(rawValue: proxy.family))],
      clusterCIDRs: proxy.localDetector ? [try Fixture.block(proxy.clusterCIDR)] : [],
      services: try services.map { try $0.service() },
      endpointSlices: try slices.enumerated().map { try $1.slice($0) }, endpointChoice: .random, options: options)
  }
}

extension ProxyWorld.APIService {
  fileprivate func service() throws -> Service {
    var service = Service(
      id: NamespacedName(namespace, name), kind: try #require(Service.Kind(rawValue: type)),
      ports: try ports.map { port in
        .init(
          name: port.name, port: port.port, targetPort: .number(port.port), transport: try port.transport(),
          nodePort: port.nodePort)
      },
      clusterIPs: [try Fixture.address(clusterIP)], externalIPs: try (externalIPs ?? []).map(Fixture.address),
      loadBalancerIPs: try (loadBalancer ?? []).map {
        .init(try Fixture.address($0.ip), isProxied: $0.ipMode == "Proxy")
      },
      // The API ignores spaces around a range.
      loadBalancerSourceRanges: try (loadBalancerSourceRanges ?? []).map {
        try Fixture.block($0.trimmingCharacters(in: .whitespaces))
      },
      externalTrafficPolicy: try policy(externalTrafficPolicy),
      internalTrafficPolicy: try policy(internalTrafficPolicy), hasClientAffinity: sessionAffinity == "ClientIP")
    service.healthCheckNodePort = healthCheckNodePort
    return service
  }

  private func policy(_ word: String?) throws -> Service.TrafficPolicy {
    try word.map { try #require(Service.TrafficPolicy(rawValue: $0)) } ?? .cluster
  }
}

extension ProxyWorld.Port {
  fileprivate func transport() throws -> Transport { try #require(Transport(rawValue: `protocol`)) }
}

extension ProxyWorld.Slice {
  fileprivate func slice(_ index: Int) throws -> EndpointSlice {
    EndpointSlice(
      id: NamespacedName(namespace, "\(service)-\(index)"), service: service,
      family: try #require(IPFamily(rawValue: family)),
      ports: try ports.map { .init(name: $0.name, transport: try $0.transport(), port: $0.port) },
      members: try endpoints.map {
        .init(
          try Fixture.address($0.ip), isReady: $0.ready ?? true, isServing: $0.serving ?? true,
          isTerminating: $0.terminating ?? false, node: $0.node, zoneHints: Set($0.zoneHints ?? []),
          nodeHints: Set($0.nodeHints ?? []))
      })
  }
}
