// Helpers shared by the tests of probes.
import Kernel
import Testing

/// Two namespaces joined by a veth pair, and a session with listeners in the second.
final class ProbeLink {
  static let port: UInt16 = 7000
  let worker: NamespaceWorker
  let client: NetworkNamespace
  let server: NetworkNamespace
  let session: ProbeSession

  /// An address of the client (1, 3) or the server (2): 10.9.0.x or fd09::x.
  static func address(_ family: AddressFamily, _ host: UInt8) -> [UInt8] {
    family == .v4 ? [10, 9, 0, host] : [0xfd, 9] + [UInt8](repeating: 0, count: 13) + [host]
  }

  static func destination(_ family: AddressFamily, port: UInt16 = port) -> ProbeAddress {
    ProbeAddress(address(family, 2), port: port)
  }

  init() throws {
    worker = try NamespaceWorker()
    client = try worker.makeNamespace()
    server = try worker.makeNamespace()
    session = try ProbeSession(worker: worker)

    var veth = RouteBatch()
    veth.createVeth(VethEnd("eth0", index: 2), peer: VethEnd("eth0", index: 2), in: server)
    try send(veth, in: client)
    // Both ends come up before there are addresses: IPv6 has no routes to the addresses of a link that isn't ready.
    for namespace in [client, server] {
      var up = RouteBatch()
      for index: Int32 in [1, 2] { up.bringUp(index) }
      try send(up, in: namespace)
    }
    for (namespace, hosts) in [(client, [1, 3]), (server, [2])] {
      var addresses = RouteBatch()
      for family in AddressFamily.allCases {
        for host in hosts {
          addresses.addAddress(Self.address(family, UInt8(host)), prefix: family == .v4 ? 24 : 64, to: 2)
        }
      }
      try send(addresses, in: namespace)
    }
    try session.listen(
      AddressFamily.allCases.flatMap { family in
        ProbeTransport.withPorts.map { Listener(in: server, on: Self.destination(family), $0) }
      })
    try awaitCarrier()
  }

  private func send(_ batch: RouteBatch, in namespace: NetworkNamespace) throws {
    try worker.run(in: namespace) { try batch.send(in: NetlinkSocket(.route)) }
  }

  /// The kernel tells the first end a moment later that the second is up. Without this control, silence proves nothing.
  private func awaitCarrier() throws {
    let controls = AddressFamily.allCases.map { probe(.udp, $0) }
    let deadline = MonotonicClock.now + 60_000_000_000
    while try session.run(controls, timeout: .milliseconds(20)).contains(where: { $0 != .delivered }) {
      try #require(MonotonicClock.now < deadline, "the link doesn't come up")
    }
  }

  /// Loads rules into a chain at `hook`, in one of the namespaces.
  func filter(_ namespace: NetworkNamespace, _ hook: String, _ rules: String...) throws {
    let chain =
      "table inet t {\nchain \(hook) {\ntype filter hook \(hook) priority 0\n\(rules.joined(separator: "\n"))\n}\n}\n"
    try Command(["nft", "-f", "-"], input: Array(chain.utf8)).run(in: namespace, on: worker).requireSuccess()
  }

  /// Lets the server send any number of ICMP errors. By default the kernel sends some and suppresses the rest.
  func liftICMPLimits() throws {
    try worker.run(in: server) {
      try Sysctl.write("net/ipv4/icmp_ratelimit", "0")
      try Sysctl.write("net/ipv6/icmp/ratelimit", "0")
      // Newer kernels (6.18) have it in each namespace, older ones once per host.
      for parameter in ["icmp_msgs_per_sec", "icmp_msgs_burst"] where Sysctl.exists("net/ipv4/\(parameter)") {
        try Sysctl.write("net/ipv4/\(parameter)", "1000000")
      }
    }
  }

  func probe(
    _ transport: ProbeTransport, _ family: AddressFamily, port: UInt16 = port, from source: UInt8? = nil
  ) -> Probe {
    Probe(
      from: client, sourceAddress: source.map { Self.address(family, $0) }, to: Self.destination(family, port: port),
      transport)
  }

  /// Long enough when an answer will come, even on a busy machine.
  static let patience = Duration.seconds(5)
  /// Long enough when no answer will come.
  static let brief = Duration.milliseconds(300)

  func observe(
    _ transport: ProbeTransport, _ family: AddressFamily = .v4, port: UInt16 = port, from source: UInt8? = nil,
    timeout: Duration = patience
  ) throws -> ProbeOutcome {
    try #require(
      try session.run([probe(transport, family, port: port, from: source)], timeout: timeout).first)
  }
}

extension ProbeTransport {
  /// The transports that a listener answers on a port.
  static let withPorts: [ProbeTransport] = [.tcp, .udp, .sctp]
}
