internal import Agent
internal import Algorithms
internal import Glibc
internal import Kernel
internal import NetpolModel
internal import Network

/// Tests connections that begin before the newcomer's own rules are in place, in either direction. They can go on
/// afterwards: `ESTABLISHED` is accepted before any policy is checked.
struct SurvivorRun {
  let plan: LagPlan
  let fabric: Fabric
  let worker: NamespaceWorker

  /// An answer takes microseconds. A connection that is silent for this long is dead.
  private static let patience = Duration.milliseconds(300)
  private static let count = 3

  private struct Pair {
    let source, target: NetworkNamespace
    let sourceAddress, address: [UInt8]

    func connect(to port: UInt16, _ worker: NamespaceWorker) throws -> (HeldConnection?, TimedRequest) {
      try HeldConnection.tcp(
        from: source, sourceAddress: sourceAddress, to: ProbeAddress(address, port: port),
        patience: SurvivorRun.patience, worker: worker)
    }
  }

  func run(_ enforcers: Enforcers) throws -> [Survivor] {
    var survivors: [Survivor] = []
    for (stream, ports) in plan.unpoliced { survivors += try run(stream, ports, enforcers) }
    return survivors
  }

  private func run(_ stream: LagStream, _ ports: LagPlan.Ports, _ enforcers: Enforcers) throws -> [Survivor] {
    let clients = Array(plan.clients.prefix(Self.count))
    let pairs = clients.compactMap { pair($0, stream) }
    let servers = try servers(pairs, [ports.udp, ports.tcp].compactMap { $0 })
    defer { withExtendedLifetime(servers) {} }
    var connections: [HeldConnection] = []
    var flows: [HeldConnection] = []
    for pair in pairs {
      if let tcp = ports.tcp, let connection = try pair.connect(to: tcp, worker).0 { connections.append(connection) }
      guard let udp = ports.udp else { continue }
      let flow = try HeldConnection.udp(
        from: pair.source, sourceAddress: pair.sourceAddress, to: ProbeAddress(pair.address, port: udp), worker: worker)
      // A flow with a reply is established.
      if flow.ask(patience: Self.patience).outcome == .answered { flows.append(flow) }
    }
    try enforcers.settle(clients.map { .podUpdated($0) })
    usleep(20_000)
    let isAlive = { (connection: HeldConnection) in connection.ask(patience: Self.patience).outcome == .answered }
    let direction = stream.isOutgoing ? "from the new pod to \(stream.other)" : "from \(stream.other) to the new pod"
    var survivors: [Survivor] = []
    if let tcp = ports.tcp {
      let fresh = try pairs.count { try $0.connect(to: tcp, worker).1.outcome == .answered }
      survivors += [
        Survivor(
          what: "TCP connections \(direction)", stillWorks: connections.count(where: isAlive), asked: connections.count
        ),
        Survivor(what: "TCP connections opened afterwards, \(direction)", stillWorks: fresh, asked: pairs.count),
      ]
    }
    if ports.udp != nil {
      survivors.append(
        Survivor(
          what: "UDP flows with a reply \(direction)", stillWorks: flows.count(where: isAlive), asked: flows.count))
    }
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
      address: isOutgoing ? stream.flow.destinationAddress.bytes : address.bytes)
  }

  private func servers(_ pairs: [Pair], _ ports: [UInt16]) throws -> [EchoServer] {
    try product(pairs, ports).map { (place: ProbeAddress($0.address, port: $1), namespace: $0.target) }
      .uniqued(on: \.place)
      .map { try EchoServer(on: $0.place, in: $0.namespace, worker: worker) }
  }
}
