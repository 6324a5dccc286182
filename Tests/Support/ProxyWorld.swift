internal import Foundation
package import NetpolModel
internal import Testing

/// A line of Tests/Fixtures/services/kube-proxy-flows.jsonl (its README says what the fields mean).
package struct ProxyWorld: Decodable, Sendable, CustomTestStringConvertible {
  package struct Proxy: Decodable, Sendable {
    package struct Mode: Decodable, Sendable {
      package let nodePortAddresses: [String]?
      package let localhostNodePorts: Bool?
    }

    package let family: String
    package let node: String
    package let nodeIP: String
    package let localIPs: [String]
    package let clusterCIDR: String
    package let localDetector: Bool
    package let masqueradeAll: Bool
    package let serviceCIDRs: [String]
    package let iptables: Mode?
    package let nftables: Mode?

    package func mode(_ mode: KubeProxyMode) -> Mode? { mode.isNftables ? nftables : iptables }
  }

  package struct Machine: Decodable, Sendable {
    package let name: String
    package let zone: String?
  }

  package struct Port: Decodable, Sendable {
    package let name: String
    package let port: UInt16
    package let `protocol`: String
    package let nodePort: UInt16?
  }

  package struct BalancerAddress: Decodable, Sendable {
    package let ip: String
    package let ipMode: String?
  }

  package struct APIService: Decodable, Sendable {
    package let namespace: String
    package let name: String
    package let type: String
    package let clusterIP: String
    package let ports: [Port]
    package let externalIPs: [String]?
    package let loadBalancer: [BalancerAddress]?
    package let loadBalancerSourceRanges: [String]?
    package let externalTrafficPolicy: String?
    package let internalTrafficPolicy: String?
    package let healthCheckNodePort: UInt16?
    package let sessionAffinity: String?
  }

  package struct Slice: Decodable, Sendable {
    package struct Member: Decodable, Sendable {
      package let ip: String
      package let node: String?
      package let ready: Bool?
      package let serving: Bool?
      package let terminating: Bool?
      package let zoneHints: [String]?
      package let nodeHints: [String]?
    }

    package let namespace: String
    package let service: String
    package let family: String
    package let ports: [Port]
    package let endpoints: [Member]
  }

  package struct Flow: Decodable, Sendable {
    package struct Sender: Decodable, Sendable {
      package let kind: String
      package let ip: String

      /// Whether the packet starts on the proxy's own node, outside any pod.
      package var isNodes: Bool { ["node", "localhost", "loadBalancer"].contains(kind) }
    }

    package struct Modes: Decodable, Sendable {
      package let iptables: Expectation?
      package let nftables: Expectation?
    }

    package let name: String
    package let from: Sender
    package let to: String
    package let port: UInt16
    package let `protocol`: String
    package let expect: Modes

    /// What a release of kube-proxy does that the file doesn't tell, which is about 1.36: up to 1.33 nftables mode drops
    /// the node's own packets to an external address of a service with traffic policy Local and no local endpoint.
    package func isDropped(by mode: KubeProxyMode, in world: ProxyWorld) -> Bool {
      guard [.nftables(.v32), .nftables(.v33)].contains(mode), from.isNodes else { return false }
      return world.services.contains { service in
        let local = world.slices.filter { $0.namespace == service.namespace && $0.service == service.name }
          .flatMap(\.endpoints).contains { $0.node == world.proxy.node && ($0.ready ?? true) }
        return service.externalTrafficPolicy == "Local" && service.type != "ClusterIP" && !local
          && service.ports.contains { $0.port == port && $0.protocol == `protocol` }
          && ((service.externalIPs ?? []) + (service.loadBalancer ?? []).map(\.ip)).contains(to)
      }
    }

    /// As `isDropped`: up to 1.32 nftables mode doesn't know which addresses are free for Services.
    package func isLeftAlone(by mode: KubeProxyMode, in world: ProxyWorld) -> Bool {
      guard mode == .nftables(.v32), expect.nftables?.fates == [.dropped], let address = IPAddress(to) else {
        return false
      }
      return world.proxy.serviceCIDRs.contains { CIDR($0)?.contains(address) == true }
        && !world.services.contains { $0.clusterIP == to }
    }

    /// `nil` if the flow is not asked in the mode.
    package func fates(_ mode: KubeProxyMode, in world: ProxyWorld) -> Set<PacketFate>? {
      let told = mode.isNftables ? expect.nftables?.fates : expect.iptables?.fates
      if isLeftAlone(by: mode, in: world) { return [.untouched] }
      return told.map { isDropped(by: mode, in: world) ? [.dropped] : $0 }
    }
  }

  /// The ways that a packet may go.
  package struct Expectation: Decodable, Sendable {
    package let fates: Set<PacketFate>

    private enum CodingKeys: String, CodingKey {
      case to, masquerade
    }

    package init(from decoder: any Decoder) throws {
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

  package let world: String
  package let proxy: Proxy
  package let nodes: [Machine]
  package let services: [APIService]
  package let slices: [Slice]
  package let flows: [Flow]

  package var testDescription: String { world }

  /// The worlds that have flows in the mode.
  package static func all(_ mode: KubeProxyMode) -> [ProxyWorld] {
    all.filter { world in world.flows.contains { $0.fates(mode, in: world) != nil } }
  }

  /// All worlds of the file.
  package static let all: [ProxyWorld] = {
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
package enum PacketFate: Hashable {
  /// It goes to this address and port. Masqueraded: it bears kube-proxy's mark for that.
  case to(String, masqueraded: Bool)
  case refused, dropped
  /// Not translated, and let in by a rule of kube-proxy.
  case accepted
  /// Not translated, and no rule stops it.
  case untouched

  /// `nil` for an unknown word.
  package init?(word: String) {
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
  package func apiServices() throws -> [Service] { try services.map { try $0.service() } }
  package func apiSlices() throws -> [EndpointSlice] { try slices.enumerated().map { try $1.slice($0) } }

  /// The node whose kube-proxy translates.
  package func node() throws -> Node {
    let zone = nodes.first { $0.name == proxy.node }?.zone
    return Node(
      name: proxy.node, labels: zone.map { ["topology.kubernetes.io/zone": $0] } ?? [:],
      addresses: [try address(proxy.nodeIP)])
  }

  /// `nil` if the world does not exist in the mode.
  package func kubeProxy(_ kind: KubeProxyMode) throws -> KubeProxyFlags? {
    guard let mode = proxy.mode(kind) else { return nil }
    var flags = KubeProxyFlags()
    flags.mode = kind
    flags.masqueradeAll = proxy.masqueradeAll
    flags.nodePortAddresses = try (mode.nodePortAddresses ?? []).map(block)
    flags.localhostNodePorts = mode.localhostNodePorts ?? true
    return flags
  }

  package func serviceCIDRs() throws -> [CIDR] { try proxy.serviceCIDRs.map(block) }

  /// Without a detector of local pods, none.
  package func clusterCIDRs() throws -> [CIDR] { proxy.localDetector ? [try block(proxy.clusterCIDR)] : [] }
}

extension ProxyWorld.Flow {
  package func transport() throws -> Transport { try #require(Transport(rawValue: `protocol`)) }
}

/// kube-proxy reads leading zeros of an IPv4 address as decimal digits (`ParseIPSloppy`).
private func address(_ text: String) throws -> IPAddress {
  let parts = text.split(separator: ".", omittingEmptySubsequences: false)
  let plain = parts.count == 4 ? parts.map { UInt8($0).map(String.init) ?? "" }.joined(separator: ".") : text
  return try #require(IPAddress(plain))
}
private func block(_ text: String) throws -> CIDR {
  let parts = text.split(separator: "/").map(String.init)
  try #require(parts.count == 2)
  return CIDR(try address(parts[0]), prefixLength: try #require(Int(parts[1])))
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
      clusterIPs: [try address(clusterIP)], externalIPs: try (externalIPs ?? []).map(address),
      loadBalancerIPs: try (loadBalancer ?? []).map {
        .init(try address($0.ip), isProxied: $0.ipMode == "Proxy")
      },
      // The API ignores spaces around a range.
      loadBalancerSourceRanges: try (loadBalancerSourceRanges ?? []).map {
        try block($0.trimmingCharacters(in: .whitespaces))
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
          try address($0.ip), isReady: $0.ready ?? true, isServing: $0.serving ?? true,
          isTerminating: $0.terminating ?? false, node: $0.node, zoneHints: Set($0.zoneHints ?? []),
          nodeHints: Set($0.nodeHints ?? []))
      })
  }
}

extension KubeProxyMode {
  /// iptables mode, and nftables mode of each release whose rules differ.
  package static let all: [KubeProxyMode] = [.iptables] + KubeProxyRelease.allCases.map { .nftables($0) }
}
