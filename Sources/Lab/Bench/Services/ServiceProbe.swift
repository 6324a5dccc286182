internal import NetpolModel
internal import Statistics

/// First packets of connections to Services.
public struct ServiceProbe: Hashable, Sendable {
  public enum Address: String, Hashable, Sendable, CaseIterable {
    /// From a pod of the other node. Its address stays as it is.
    case clusterIP = "ClusterIP"
    /// From outside the cluster. kube-proxy masquerades it.
    case nodePort = "NodePort"
  }

  public enum Target: String, Hashable, Sendable, CaseIterable {
    /// The Service that iptables' rules compare first, or last.
    case first, last
    /// Each packet goes to another Service, in random order.
    case any
  }

  public var address: Address
  public var target: Target

  public init(_ address: Address, _ target: Target) {
    self.address = address
    self.target = target
  }

  public static let all = Address.allCases.flatMap { address in Target.allCases.map { ServiceProbe(address, $0) } }

  public var name: String { "\(address.rawValue) of \(target.rawValue) Service" }
}

extension ServiceWorld {
  /// The flows of a probe. `direct`: to the endpoints themselves, for nodes whose rules translate nothing.
  func flows(_ probe: ServiceProbe, direct: Bool, seed: UInt64) -> [BenchFlow] {
    var random = SplitMix64(seed: seed)
    let numbers: [Int] =
      switch probe.target {
      case .first: [0]
      case .last: [services - 1]
      case .any: random.some(services, of: Array(0..<services))
      }
    return numbers.map { number in
      let (destination, port): (IPAddress, UInt16) =
        if direct { (endpoint(0, of: number), Self.targetPort) } else {
          switch probe.address {
          case .clusterIP: (clusterIP(number), Self.port)
          case .nodePort: (addresses.node, nodePort(number))
          }
        }
      let source = probe.address == .clusterIP ? addresses.peer(0) : addresses.block(0).network.advanced(by: 1)
      return BenchFlow(source: source, destination: destination, transport: .tcp, port: port, way: .routed)
    }
  }
}
