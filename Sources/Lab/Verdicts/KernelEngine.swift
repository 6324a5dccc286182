package import Kernel
public import NetpolModel
public import Network
internal import Path

/// The kernel as an engine: sends real packets through the loaded rules.
public struct KernelEngine: Sendable {
  let fabric: Fabric
  private let timeout: Duration
  private let parallel: Int

  /// A silent flow takes `timeout`. At most `parallel` probes are in flight.
  public init(_ fabric: Fabric, timeout: Duration = .milliseconds(1200), parallel: Int = 512) {
    self.fabric = fabric
    self.timeout = timeout
    self.parallel = parallel
  }

  /// State kept from one `observe` to the next: open listeners, and the source ports used so far. So under new rules no
  /// connection of an earlier call decides.
  package struct Conversation {
    let session: ProbeSession
    fileprivate var listening: Set<Socket> = []

    package init(worker: NamespaceWorker) throws { session = try ProbeSession(worker: worker) }
  }

  /// Returns one observation per flow, in order. Opens a listener at every destination, and at the endpoints that
  /// `backends` returns for a flow to a service.
  public func observe(
    _ flows: [Flow], backends: (Flow) -> [Backend] = { _ in [] }, progress: ((Int) -> Void)? = nil
  ) throws -> [Observation] {
    var conversation = try Conversation(worker: fabric.worker)
    return try observe(flows, in: &conversation, backends: backends, progress: progress)
  }

  /// The same, within a conversation. `limit` is how long to wait for a silent flow; `nil` means the usual time.
  ///
  /// Flows that need more listeners than the process may open are sent in several parts.
  package func observe(
    _ flows: [Flow], within limit: Duration? = nil, in conversation: inout Conversation,
    backends: (Flow) -> [Backend], progress: ((Int) -> Void)? = nil
  ) throws -> [Observation] {
    let room = max(Self.leastListeners, try OpenFiles.room - 2 * parallel)
    return try observe(
      flows, within: limit, listenersAtMost: room, in: &conversation, backends: backends, progress: progress)
  }

  /// With fewer, the probes' own sockets would not fit either.
  private static let leastListeners = 64

  package func observe(
    _ flows: [Flow], within limit: Duration? = nil, listenersAtMost room: Int, in conversation: inout Conversation,
    backends: (Flow) -> [Backend], progress: ((Int) -> Void)? = nil
  ) throws -> [Observation] {
    var observations: [Observation] = []
    var wanted = conversation.listening
    var open = 0
    var first = 0
    for (index, flow) in flows.enumerated() {
      let own = Set(ends(of: flow, backends).map(\.socket))
      let new = own.count { !wanted.contains($0) }
      if open + new > room, index > first {
        observations += try observeAtOnce(
          Array(flows[first..<index]), within: limit, in: &conversation, backends: backends
        ) { [first] in progress?(first + $0) }
        conversation.session.stopListening()
        conversation.listening = []
        wanted = []
        first = index
        open = own.count
      } else {
        open += new
      }
      wanted.formUnion(own)
    }
    return observations
      + (try observeAtOnce(Array(flows[first...]), within: limit, in: &conversation, backends: backends) { [first] in
        progress?(first + $0)
      })
  }

  /// Where the flow's packet may arrive.
  func ends(
    of flow: Flow, _ backends: (Flow) -> [Backend]
  ) -> [(socket: Socket, namespace: NetworkNamespace)] {
    guard !flow.destinationAddress.isMulticast, let asked = flow.transportPort else { return [] }
    // A service's own address has no listener: without the service's rules nothing answers there.
    var own = fabric.namespace(of: flow.destination)
    // A machine may have the service's address itself, and then it gets what the service leaves alone.
    if own == nil {
      let holder =
        fabric.topology.owner(of: flow.destinationAddress)
        ?? fabric.topology.node(addressedBy: flow).map { .node($0.name) }
      own = holder.flatMap(fabric.namespace)
    }
    let translated = backends(flow)
    let ends = translated.compactMap { backend in
      fabric.namespace(of: backend.endpoint).map { ($0, backend.address, backend.port) }
    }
    let direct = own.map { ($0, flow.destinationAddress, asked.port) }
    // A node itself gets what no rule translates, also at a port that is a service's.
    return (ends + [direct].compactMap(\.self)).map { namespace, address, port in
      (
        Socket(namespace: ObjectIdentifier(namespace), address: address, port: port, transport: asked.transport),
        namespace
      )
    }
  }

  private func observeAtOnce(
    _ flows: [Flow], within limit: Duration?, in conversation: inout Conversation,
    backends: (Flow) -> [Backend], progress: @escaping (Int) -> Void
  ) throws -> [Observation] {
    let timeout = limit ?? timeout
    var listeners: [Listener] = []
    var probes: [Probe] = []
    var wanted = conversation.listening
    // One at a time: a listener to a group must know whose datagram it received.
    var toGroups: [(index: Int, seen: Observation)] = []
    // Flows to a service with several endpoints, with the number of the probe.
    var choosing: [(flow: Flow, probe: Int)] = []
    for (index, flow) in flows.enumerated() {
      if flow.destinationAddress.isMulticast {
        toGroups.append((index, try observeGroup(flow, timeout)))
        continue
      }
      guard let from = fabric.namespace(of: flow.source) else { throw LabError("no namespace for \(flow)") }
      // The kernel itself answers an echo request.
      guard let asked = flow.transportPort else {
        probes.append(
          Probe(
            from: from, sourceAddress: flow.sourceAddress.bytes,
            to: ProbeAddress(flow.destinationAddress.bytes, port: 0), .ping))
        continue
      }
      let transport = ProbeTransport(asked.transport)
      for (socket, namespace) in ends(of: flow, backends) where wanted.insert(socket).inserted {
        listeners.append(Listener(in: namespace, on: ProbeAddress(socket.address.bytes, port: socket.port), transport))
      }
      probes.append(
        Probe(
          from: from, sourceAddress: flow.sourceAddress.bytes,
          to: ProbeAddress(flow.destinationAddress.bytes, port: asked.port), transport,
          codePoint: flow.chosen?.codePoint ?? 0))
      if flow.chosen != nil { choosing.append((flow, probes.count - 1)) }
    }
    try conversation.session.listen(listeners)
    conversation.listening = wanted
    var seen = try conversation.session.run(probes, timeout: timeout, parallel: parallel, progress: progress)
      .map(Observation.init)
    if !choosing.isEmpty {
      try checkChoices(choosing, conversation.session.sourcePorts, &seen)
      // A packet that meets an older connection with the same ports follows that one. Another port shows whether this
      // was so.
      for _ in 0..<(conversation.session.repeatsRequests ? 2 : 0) {
        let again = choosing.filter { if case .elsewhere = seen[$0.probe] { true } else { false } }
        if again.isEmpty { break }
        let outcomes = try conversation.session.run(
          again.map { probes[$0.probe] }, timeout: timeout, parallel: parallel)
        var retried = outcomes.map(Observation.init)
        let numbered = again.enumerated().map { (flow: $1.flow, probe: $0) }
        try checkChoices(numbered, conversation.session.sourcePorts, &retried)
        for (asked, observation) in zip(again, retried) { seen[asked.probe] = observation }
      }
    }
    for (index, observation) in toGroups { seen.insert(observation, at: index) }
    return seen
  }

  /// Looks up in the nodes' connection tracking which endpoint each packet was translated to. What happens at another
  /// endpoint than the asked one is no answer.
  ///
  /// A packet that its own node dropped has no entry, and neither has one whose source port was masqueraded before the
  /// translation.
  private func checkChoices(
    _ choosing: [(flow: Flow, probe: Int)], _ sourcePorts: [UInt16], _ seen: inout [Observation]
  ) throws {
    var replies: [ConntrackEntry.Tuple: ConntrackEntry.Tuple] = [:]
    let machines =
      fabric.topology.nodes.compactMap { fabric.namespace(ofNode: $0.name) }
      + fabric.topology.forwarders.compactMap { fabric.namespace(of: .pod($0)) }
    for namespace in machines {
      let entries = try fabric.worker.run(in: namespace) { try ConntrackEntry.list(in: NetlinkSocket(.netfilter)) }
      for entry in entries where entry.reply.source != entry.original.destination {
        replies[entry.original] = entry.reply
      }
    }
    let forwarders = Set(fabric.topology.forwarderAddresses.map(\.bytes))
    for (flow, probe) in choosing {
      guard let chosen = flow.chosen, let asked = flow.transportPort, sourcePorts.indices.contains(probe) else {
        continue
      }
      var original = ConntrackEntry.Tuple(
        source: flow.sourceAddress.bytes, sourcePort: sourcePorts[probe], destination: flow.destinationAddress.bytes,
        destinationPort: asked.port, transport: asked.transport.number)
      // What a pod sends on has one more entry in the pod, and one on its node with the pod as the sender.
      let isOnTheWay = { (reply: ConntrackEntry.Tuple) in
        forwarders.contains(reply.source) || forwarders.contains(original.destination)
      }
      var hops = 2 * forwarders.count
      while hops > 0, let reply = replies[original], isOnTheWay(reply), replies[reply.reversed] != nil {
        original = reply.reversed
        hops -= 1
      }
      guard let reply = replies[original], !isOnTheWay(reply) else { continue }
      if reply.source != chosen.address.bytes || reply.sourcePort != chosen.port {
        let other = ProbeAddress(reply.source, port: reply.sourcePort)
        seen[probe] = .elsewhere("\(other)")
      }
    }
  }

  /// Whether a datagram to a group reaches the listener that the flow names.
  private func observeGroup(_ flow: Flow, _ timeout: Duration) throws -> Observation {
    guard let from = fabric.namespace(of: flow.source), let to = fabric.namespace(of: flow.destination),
      let address = fabric.topology.address(of: flow.destination, flow.family), let port = flow.port
    else { throw LabError("no namespace for \(flow)") }
    // A node listens on the bridge to what its pods send.
    var joined = address
    if let node = fabric.topology.hostNode(of: flow.destination), case .pod = flow.source {
      joined = node.bridge.first { $0.address.family == flow.family }?.address ?? address
    }
    let probe = GroupProbe(
      from: from, flow.sourceAddress.bytes, to: to, joined.bytes,
      group: ProbeAddress(flow.destinationAddress.bytes, port: port))
    return Observation(try probe.observe(on: fabric.worker, timeout: timeout))
  }

  /// An endpoint that a service's packets may reach.
  public struct Backend: Hashable, Sendable {
    public let endpoint: Endpoint
    public let address: IPAddress
    public let port: UInt16
    public init(_ endpoint: Endpoint, _ address: IPAddress, _ port: UInt16) {
      self.endpoint = endpoint
      self.address = address
      self.port = port
    }
  }

  struct Socket: Hashable {
    /// Part of the key because every namespace has the loopback addresses.
    let namespace: ObjectIdentifier
    let address: IPAddress
    let port: UInt16
    let transport: Transport
  }
}

extension ProbeTransport {
  init(_ transport: Transport) {
    switch transport {
    case .tcp: self = .tcp
    case .udp: self = .udp
    case .sctp: self = .sctp
    }
  }
}

extension Observation {
  init(_ outcome: ProbeOutcome) {
    self =
      switch outcome {
      case .delivered: .delivered
      case .refused(let refusal): .refused(Refusal(refusal))
      case .silent(let time): .silent(after: time)
      case .unusable(let why): .unusable(why)
      }
  }
}

extension Refusal {
  fileprivate init(_ refusal: ProbeRefusal) {
    self =
      switch refusal {
      case .icmp(let type, let code): .icmp(type: type, code: code)
      case .reset: .reset
      case .abort: .abort
      case .local: .local
      }
  }
}
