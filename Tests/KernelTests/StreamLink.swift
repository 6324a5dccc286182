// Helpers shared by the tests of streams.
import Glibc
import Kernel
import Testing

/// Three namespaces: a source and a target, each connected by a veth pair to a node that forwards between them.
final class StreamLink {
  static let port: UInt16 = 7000
  let worker: NamespaceWorker
  let source: NetworkNamespace
  let node: NetworkNamespace
  let target: NetworkNamespace

  /// The host on a side (1 source, 2 target), or the node's end of its link (host 254): 10.9.side.host or
  /// fd09:side::host.
  static func address(_ family: AddressFamily, _ side: UInt8, _ host: UInt8 = 1) -> [UInt8] {
    family == .v4 ? [10, 9, side, host] : [0xfd, 9, 0, side] + [UInt8](repeating: 0, count: 11) + [host]
  }

  static func destination(_ family: AddressFamily, port: UInt16 = port) -> ProbeAddress {
    ProbeAddress(address(family, 2), port: port)
  }

  init() throws {
    worker = try NamespaceWorker()
    source = try worker.makeNamespace()
    node = try worker.makeNamespace()
    target = try worker.makeNamespace()
    let sides: [(side: UInt8, pod: NetworkNamespace)] = [(1, source), (2, target)]
    for namespace in [source, node, target] {
      // Otherwise the links' own addresses can't be used for seconds.
      for scope in ["all", "default"] {
        try worker.run(in: namespace) { try Sysctl.write("net/ipv6/conf/\(scope)/accept_dad", "0") }
      }
    }
    try worker.run(in: node) {
      try Sysctl.write("net/ipv4/ip_forward", "1")
      try Sysctl.write("net/ipv6/conf/all/forwarding", "1")
    }
    for (side, pod) in sides {
      var batch = RouteBatch()
      batch.createVeth(
        VethEnd("pod\(side)", index: Int32(side) + 1), peer: VethEnd("eth0", index: 2, mac: [2, 0, 0, 0, 0, side]),
        in: pod)
      try send(batch, in: node)
      for (namespace, index) in [(pod, 1), (pod, 2), (node, Int32(side) + 1)] {
        var up = RouteBatch()
        up.bringUp(index)
        try send(up, in: namespace)
      }
      for family in AddressFamily.allCases {
        let prefix: UInt8 = family == .v4 ? 24 : 64
        var gateway = RouteBatch()
        gateway.addAddress(Self.address(family, side, 254), prefix: prefix, to: Int32(side) + 1)
        try send(gateway, in: node)
        var address = RouteBatch()
        address.addAddress(Self.address(family, side), prefix: prefix, to: 2)
        address.addRoute(to: .all(family), via: Self.address(family, side, 254), dev: 2)
        try send(address, in: pod)
      }
    }
    try awaitPath()
  }

  private func send(_ batch: RouteBatch, in namespace: NetworkNamespace) throws {
    try worker.run(in: namespace) { try batch.send(in: NetlinkSocket(.route)) }
  }

  /// The links come up a moment later, and the first packet waits for the neighbours' addresses.
  private func awaitPath() throws {
    let session = try ProbeSession(worker: worker)
    try session.listen(
      AddressFamily.allCases.map { Listener(in: target, on: Self.destination($0, port: 1), .udp) })
    let probes = AddressFamily.allCases.map { Probe(from: source, to: Self.destination($0, port: 1), .udp) }
    let deadline = MonotonicClock.now + 30_000_000_000
    while try session.run(probes, timeout: .milliseconds(50)).contains(where: { $0 != .delivered }) {
      try #require(MonotonicClock.now < deadline, "the path doesn't come up")
    }
  }

  /// Loads rules into a chain at the node's forward hook.
  func forward(_ rules: String...) throws {
    let chain =
      "table inet t {\nchain f {\ntype filter hook forward priority 0\n"
      + rules.joined(separator: "\n") + "\n}\n}\n"
    try Command(["nft", "-f", "-"], input: Array(chain.utf8)).run(in: node, on: worker).requireSuccess()
  }

  /// Number of packets that each counter of those rules has counted, in order.
  func counts() throws -> [Int] {
    let listing = try Command(["nft", "list", "chain", "inet", "t", "f"]).run(in: node, on: worker).requireSuccess()
    return listing.text.matches(of: /counter packets (\d+)/).compactMap { Int($0.output.1) }
  }

  /// Drops packets to addresses that aren't in the ipset `open`, which is empty at first.
  func admitOnlyTheSet() throws {
    try worker.run(in: node) {
      var batch = IPSetBatch()
      batch.create("open", .addresses, .v4)
      try batch.send(in: NetlinkSocket(.netfilter))
    }
    let lock = try MemoryFile("xtables.lock")
    try Command(
      ["iptables", "-A", "FORWARD", "-m", "set", "!", "--match-set", "open", "dst", "-j", "DROP"],
      environment: ["XTABLES_LOCKFILE": lock.path], inherited: lock
    ).run(in: node, on: worker).requireSuccess()
  }

  func stream(
    _ transport: StreamTransport = .udp, _ family: AddressFamily = .v4, port: UInt16 = port, every: Int = 1,
    phase: Int = 0
  ) -> DatagramStream {
    DatagramStream(
      transport, from: source, sourceAddress: Self.address(family, 1), to: Self.destination(family, port: port),
      in: target,
      every: every, phase: phase)
  }

  /// Runs a trial of 400 ticks to its end. A busy machine may take longer than the 400 ticks: up to 20 s.
  func trial(_ streams: [DatagramStream]) throws -> [StreamRecord] {
    let run = try StreamRun(streams, spacing: Self.spacing, capacity: 400, worker: worker)
    try run.start()
    for _ in 0..<1000 where !run.hasEnded { Self.sleep(100) }
    return try run.stop()
  }

  /// Runs a trial with `event` in the middle of it, on the caller's thread. It lasts as long as that takes, up to 20 s.
  func trial(_ streams: [DatagramStream], event: () throws -> Void) throws -> [StreamRecord] {
    let run = try StreamRun(streams, spacing: Self.spacing, capacity: 100_000, worker: worker)
    try run.start()
    Self.sleep(400)
    try event()
    Self.sleep(400)
    return try run.stop()
  }

  static let spacing = Duration.microseconds(200)

  /// Waits for this many ticks, or longer if the machine is busy.
  static func sleep(_ ticks: Int) { usleep(UInt32(ticks) * 200) }
}
