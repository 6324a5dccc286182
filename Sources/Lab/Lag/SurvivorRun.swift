internal import Glibc
internal import Kernel
internal import NetpolModel

/// What a newcomer begins, or what is begun with it, before its own rules stand, and that goes on when they do:
/// `ESTABLISHED` is accepted before any policy is asked.
struct SurvivorRun {
  let plan: LagPlan
  let fabric: Fabric
  let worker: NamespaceWorker

  /// An answer takes microseconds: what is silent for so long is dead.
  private static let patience = Duration.milliseconds(300)
  private static let count = 3

  private struct Pair {
    let source, target: NetworkNamespace
    let sourceAddress: [UInt8]
    let destination: ProbeAddress
  }

  func run(_ enforcers: Enforcers) throws -> [Survivor] {
    var survivors: [Survivor] = []
    for stream in plan.streams where stream.change == .closes && stream.newcomer == 0 {
      survivors += try run(stream, enforcers)
    }
    return survivors
  }

  private func run(_ stream: LagStream, _ enforcers: Enforcers) throws -> [Survivor] {
    let clients = Array(plan.clients.prefix(Self.count))
    let pairs = clients.compactMap { pair($0, stream) }
    let servers = try servers(pairs)
    defer { withExtendedLifetime(servers) {} }
    var connections: [HeldConnection] = []
    var flows: [HeldConnection] = []
    for pair in pairs {
      let (connection, _) = try HeldConnection.tcp(
        from: pair.source, sourceAddress: pair.sourceAddress, to: pair.destination, patience: Self.patience,
        worker: worker)
      if let connection { connections.append(connection) }
      let flow = try HeldConnection.udp(
        from: pair.source, sourceAddress: pair.sourceAddress, to: pair.destination, worker: worker)
      // A flow with a reply is established.
      if flow.ask(patience: Self.patience).outcome == .answered { flows.append(flow) }
    }
    try enforcers.settle(clients.map { .podUpdated($0) })
    usleep(20_000)
    let isAlive = { (connection: HeldConnection) in connection.ask(patience: Self.patience).outcome == .answered }
    let fresh = try pairs.count { pair in
      try TimedRequest.tcpConnect(
        from: pair.source, sourceAddress: pair.sourceAddress, to: pair.destination, patience: Self.patience,
        worker: worker
      ).outcome == .answered
    }
    let direction = stream.isOutgoing ? "from the newcomer to \(stream.other)" : "from \(stream.other) to the newcomer"
    let survivors = [
      Survivor(what: "TCP connections \(direction)", stillWorks: connections.count(where: isAlive), asked: connections.count),
      Survivor(what: "UDP flows with a reply \(direction)", stillWorks: flows.count(where: isAlive), asked: flows.count),
      Survivor(what: "TCP connections begun afterwards, \(direction)", stillWorks: fresh, asked: pairs.count),
    ]
    try enforcers.settle(clients.map { .podDeleted($0.id) })
    return survivors
  }

  private func pair(_ client: Pod, _ stream: LagStream) -> Pair? {
    guard let own = fabric.namespace(of: .pod(client.id)), let address = client.address(stream.flow.family),
      let other = fabric.namespace(of: stream.other)
    else { return nil }
    let isOutgoing = stream.isOutgoing
    return Pair(
      source: isOutgoing ? own : other, target: isOutgoing ? other : own,
      sourceAddress: isOutgoing ? address.bytes : stream.flow.sourceAddress.bytes,
      destination: ProbeAddress(
        isOutgoing ? stream.flow.destinationAddress.bytes : address.bytes, port: stream.flow.port))
  }

  private func servers(_ pairs: [Pair]) throws -> [EchoServer] {
    var places: Set<ProbeAddress> = []
    return try pairs.filter { places.insert($0.destination).inserted }
      .map { try EchoServer(on: $0.destination, in: $0.target, worker: worker) }
  }
}
