internal import NetpolModel
internal import Statistics

/// What is sent: the state of the packets' connections, and the way that the packets take.
public struct BenchProbe: Hashable, Sendable {
  public enum Phase: String, Hashable, Sendable, CaseIterable {
    /// Packets of connections that have seen three packets each way.
    case established
    /// Only first packets of connections: each passes the forward hook as new and is dropped before conntrack stores
    /// it.
    case first

    public var name: String { self == .established ? "established" : "first packet" }
  }

  public enum Way: String, Hashable, Sendable, CaseIterable {
    /// From another machine, over the node's routes.
    case routed
    /// From a pod of the node, over its bridge, with bridge netfilter.
    case bridged
  }

  public enum Target: Hashable, Sendable {
    /// The pod that the rules check first, or last. If no rule checks for single pods, the order is that of addresses.
    case firstPod, lastPod
    /// The pod with this number.
    case pod(Int)
    /// Each packet goes to another pod, in random order.
    case spread
  }

  public enum Source: Hashable, Sendable {
    /// A peer of the first, or of the last, policy that selects the pod.
    case peerOfFirst, peerOfLast
    /// An address that no policy admits.
    case stranger
  }

  public var phase: Phase
  public var target: Target
  public var source: Source
  public var way: Way

  public init(_ phase: Phase, _ target: Target, from source: Source = .peerOfLast, _ way: Way = .routed) {
    self.phase = phase
    self.target = target
    self.source = source
    self.way = way
  }

  public var isAllowed: Bool { source != .stranger }

  public var name: String {
    let to =
      switch target {
      case .firstPod: "first pod"
      case .lastPod: "last pod"
      case .pod(let number): "pod \(number)"
      case .spread: "spread"
      }
    let from =
      switch source {
      case .peerOfFirst: ", by its first policy"
      case .peerOfLast: ""
      case .stranger: ", denied"
      }
    return "\(phase.name), \(to)\(from), \(way.rawValue)"
  }
}

/// The connection that a packet belongs to.
struct BenchFlow: Hashable, Sendable {
  var source, destination: IPAddress
  var transport: Transport
  var port: UInt16
  var way: BenchProbe.Way

  var family: IPFamily { destination.family }
}

extension BenchWorld {
  /// The flows of a probe. `order` is the order in which the rules check for the pods.
  func flows(_ probe: BenchProbe, order: [Int]) -> [BenchFlow] {
    var random = SplitMix64(seed: 1)
    let numbers: [Int] =
      switch probe.target {
      case .firstPod: Array(order.prefix(1))
      case .lastPod: Array(order.suffix(1))
      case .pod(let number): [min(number, pods - 1)]
      case .spread: random.some(pods, of: order)
      }
    return numbers.map { number in
      BenchFlow(
        source: source(probe, pod: number, &random), destination: address(ofPod: number), transport: .udp,
        port: Self.port, way: probe.way)
    }
  }

  private func source(_ probe: BenchProbe, pod number: Int, _ random: inout SplitMix64) -> IPAddress {
    let policies = policies(ofPod: number)
    switch probe.source {
    case .stranger: return addresses.stranger
    case _ where probe.way == .bridged: return addresses.client
    case .peerOfFirst: return peerAddress(random.below(peers), ofPolicy: policies.first ?? 0)
    case .peerOfLast: return peerAddress(random.below(peers), ofPolicy: policies.last ?? 0)
    }
  }
}
