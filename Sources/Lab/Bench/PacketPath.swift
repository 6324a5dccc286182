internal import Glibc
internal import Kernel
internal import NetpolModel
internal import Network

/// A node with nothing on its packets' way but rules: a machine that sends to it, a pod that sends, and one namespace
/// that receives for all of its pods. Senders hand over complete frames, so that all work up to the receiver counts as
/// time of the sending thread.
///
/// No hardware address is resolved, nothing is answered, and frames that arrive are counted and dropped at once.
final class PacketPath {
  let node: NetworkNamespace
  private let worker: NamespaceWorker
  private let namespaces: [Place: NetworkNamespace]
  private let senders: [Place: Sender]
  private let pods: [CIDR]

  /// Where frames are sent from.
  enum Place: UInt8, CaseIterable { case outside, client, pods }

  /// Which packets leave the node as first packets of connections, and are counted and dropped there.
  enum FirstPackets {
    /// Those with the source port `firstPort`.
    case fromFirstPort
    /// Those to a port. Packets whose source the rules may change have no source port to know them by.
    case toPort(UInt16)

    var match: String {
      switch self {
      case .fromFirstPort: "th sport \(PacketPath.firstPort)"
      case .toPort(let port): "th dport \(port)"
      }
    }
  }

  private final class Sender: Sendable {
    let frames: FrameSender
    init() throws(KernelError) { frames = try FrameSender(interface: 2) }
  }

  private enum Link {
    static let uplink: Int32 = 2
    static let bridge: Int32 = 3
    static let client: Int32 = 10
    static let pods: Int32 = 11
  }

  /// The source port of connections that get established, and of those that never do.
  static let establishedPort: UInt16 = 40_000
  static let firstPort: UInt16 = 40_001

  private static let nodeMAC: [UInt8] = [2, 0, 0, 0, 1, 0]
  private static let bridgeMAC: [UInt8] = [2, 0, 0, 0, 1, 1]
  private static func mac(_ place: Place) -> [UInt8] { [2, 0, 0, 0, 0, place.rawValue] }
  /// Link-local addresses, used as the gateway to everything in a namespace.
  private static func gateway(_ place: Place, _ family: IPFamily) -> IPAddress {
    let first = family == .v4 ? IPAddress(v4: 0xa9fe_0101) : IPAddress(v6: 0xfe80 << 112 | 1)
    return first.advanced(by: UInt128(place.rawValue))
  }

  /// The path of a generated world.
  convenience init(
    _ addresses: BenchAddresses, firstPackets: FirstPackets = .fromFirstPort, worker: NamespaceWorker
  ) throws {
    try self.init(
      nodeAddresses: [addresses.node], pods: [addresses.pods], clients: [addresses.client],
      firstPackets: firstPackets, worker: worker)
  }

  /// `pods` are the node's pod CIDRs, in all families that are sent. `clients` are those of its pods that send.
  init(
    nodeAddresses: [IPAddress], pods: [CIDR], clients: [IPAddress], firstPackets: FirstPackets = .fromFirstPort,
    worker: NamespaceWorker
  ) throws {
    self.worker = worker
    let families = Set(pods.map(\.family)).sorted()
    node = try worker.makeNamespace()
    let made = try Dictionary(uniqueKeysWithValues: Place.allCases.map { ($0, try worker.makeNamespace()) })
    namespaces = made
    // Only the node needs addresses: the others send complete frames and drop what they get.
    for namespace in made.values { try worker.run(in: namespace) { try Self.disableReports([]) } }
    try worker.run(in: node) {
      try Self.disableReports(families)
      try NodeSysctls.set(families: families, bridgeNetfilter: true, liftICMPLimits: false)
      // Connections must live as long as the bench.
      for name in ["udp_timeout", "udp_timeout_stream"] where Sysctl.exists("net/netfilter/nf_conntrack_\(name)") {
        try Sysctl.write("net/netfilter/nf_conntrack_\(name)", "86400")
      }
    }
    // Loaded before there are links, because part of it keeps them quiet.
    try Self.load(Self.nodeTable(families, firstPackets), in: node, worker)
    try worker.run(in: node) {
      try Self.batch(made, nodeAddresses, families, pods, clients).send(in: try NetlinkSocket(.route))
    }
    for namespace in made.values {
      try worker.run(in: namespace) {
        var batch = RouteBatch()
        batch.bringUp(Link.uplink)
        try batch.send(in: try NetlinkSocket(.route))
      }
      try Self.load(Self.ingressDrop, in: namespace, worker)
    }
    senders = try made.mapValues { namespace in try worker.run(in: namespace) { try Sender() } }
    self.pods = pods
  }

  /// A bridge's new port forwards nothing until the kernel has seen its carrier, which takes up to a second. Make all
  /// paths first, then wait for each, before it has rules.
  func waitForLinks() throws {
    guard let pod = pods.first?.network else { return }
    let source = BenchAddresses(pod.family).stranger
    for way in BenchProbe.Way.allCases {
      let flow = BenchFlow(source: source, destination: pod, transport: .udp, port: 9, way: way)
      let ring = FrameRing([Self.frame(flow, sourcePort: Self.establishedPort)])
      let before = try arrived()
      var tries = 0
      repeat {
        if tries > 0 { usleep(10_000) }
        tries += 1
        try send(1, of: ring, from: way == .routed ? .outside : .client)
      } while try arrived() == before && tries < 500
    }
  }

  /// Keeps interfaces from sending on their own: a bridge would report itself to 224.0.0.106 (RFC 4286).
  private static func disableReports(_ families: [IPFamily]) throws(KernelError) {
    let reports = "net/ipv4/igmp_link_local_mcast_reports"
    if Sysctl.exists(reports) { try Sysctl.write(reports, "0") }
    for scope in ["all", "default"] where Sysctl.exists("net/ipv6/conf/\(scope)/disable_ipv6") {
      if families.contains(.v6) {
        // No link-local addresses (IN6_ADDR_GEN_MODE_NONE, linux/if_link.h): they would be announced on the link.
        try Sysctl.write("net/ipv6/conf/\(scope)/addr_gen_mode", "1")
      } else {
        try Sysctl.write("net/ipv6/conf/\(scope)/disable_ipv6", "1")
      }
    }
  }

  private static func batch(
    _ made: [Place: NetworkNamespace], _ nodeAddresses: [IPAddress], _ families: [IPFamily], _ pods: [CIDR],
    _ clients: [IPAddress]
  ) -> RouteBatch {
    var batch = RouteBatch()
    batch.createBridge("cni0", index: Link.bridge, mac: bridgeMAC)
    batch.bringUp(Link.bridge)
    let ends: [(place: Place, near: VethEnd, master: Int32?)] = [
      (.outside, VethEnd("eth0", index: Link.uplink, mac: nodeMAC), nil),
      (.client, VethEnd("veth0", index: Link.client), Link.bridge),
      (.pods, VethEnd("veth1", index: Link.pods), Link.bridge),
    ]
    for end in ends {
      guard let namespace = made[end.place] else { continue }
      batch.createVeth(
        end.near, master: end.master, peer: VethEnd("eth0", index: 2, mac: mac(end.place)), in: namespace)
      batch.bringUp(end.near.index)
      if end.master != nil { batch.addBridgeForwarding(to: mac(end.place), dev: end.near.index) }
    }
    for address in nodeAddresses {
      batch.addAddress(address.bytes, prefix: UInt8(address.family.bitWidth), to: Link.uplink)
    }
    let everywhere = families.map { CIDR(IPAddress(family: $0, bits: 0), prefixLength: 0) }
    let routes: [(place: Place, device: Int32, destinations: [CIDR])] = [
      (.outside, Link.uplink, everywhere), (.pods, Link.bridge, pods),
      (.client, Link.bridge, clients.map { CIDR($0) }),
    ]
    for (place, device, destinations) in routes {
      for family in families { batch.addNeighbour(gateway(place, family).bytes, mac: mac(place), dev: device) }
      for destination in destinations {
        batch.addRoute(
          to: RouteDestination(destination.network.bytes, prefix: UInt8(destination.prefixLength)),
          via: gateway(place, destination.family).bytes, dev: device, onlink: true)
      }
    }
    return batch
  }

  private static func load(_ text: String, in namespace: NetworkNamespace, _ worker: NamespaceWorker) throws {
    _ = try Command(["nft", "-f", "-"], input: Array(text.utf8)).run(in: namespace, on: worker).requireSuccess()
  }

  // MARK: - Frames

  /// Returns the frame of a flow: from its source, or with `reply` back from its destination.
  static func frame(_ flow: BenchFlow, sourcePort: UInt16, reply: Bool = false, _ content: Frame.Content = .udp)
    -> Frame
  {
    let from: Place = flow.way == .routed ? .outside : .client
    let router = flow.way == .routed ? nodeMAC : mac(.pods)
    let source = Frame.End(mac: mac(from), address: flow.source.bytes, port: sourcePort)
    let destination = Frame.End(mac: mac(.pods), address: flow.destination.bytes, port: flow.port)
    if !reply { return Frame(from: source, to: destination, nextHop: router, content) }
    return Frame(from: destination, to: source, nextHop: flow.way == .routed ? bridgeMAC : mac(.client), content)
  }

  /// Sends `count` frames of the ring. Returns the position of the next frame.
  @discardableResult
  func send(_ count: Int, of ring: FrameRing, from place: Place, at position: Int = 0) throws -> Int {
    guard let sender = senders[place] else { return position }
    return try sender.frames.send(count, of: ring, from: position)
  }

  // MARK: - Counts

  /// Number of frames that have arrived at the pods.
  func arrived() throws -> Int {
    guard let namespace = namespaces[.pods] else { return 0 }
    return try worker.run(in: namespace) { try LinkCounters.read("eth0").received }
  }

  /// Number of first packets that have passed all rules.
  func passed() throws -> Int {
    // To list one chain, nft reads no other chain's rules. To list a named counter it reads all rules, which takes
    // minutes.
    let text = try Command(["nft", "list", "chain", "inet", "bench", "leaving"]).run(in: node, on: worker)
      .requireSuccess().text
    let words = text.split { $0.isWhitespace }
    return words.firstIndex(of: "packets").flatMap { words.indices.contains($0 + 1) ? Int(words[$0 + 1]) : nil } ?? 0
  }
}
