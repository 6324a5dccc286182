public import Comparison
public import Kernel
public import NetpolModel
internal import Path

/// The kernel as an engine: real packets through the rules that are loaded.
public struct KernelEngine: Sendable {
  private let fabric: Fabric
  private let timeout: Duration
  private let parallel: Int

  /// A silent flow costs `timeout`; at most `parallel` probes are in flight.
  public init(_ fabric: Fabric, timeout: Duration = .milliseconds(1200), parallel: Int = 512) {
    self.fabric = fabric
    self.timeout = timeout
    self.parallel = parallel
  }

  /// What lasts from one asking to the next: open listeners, and which source ports were used. Under new rules no
  /// connection of an earlier asking decides.
  struct Conversation {
    fileprivate let session: ProbeSession
    fileprivate var listening: Set<Socket> = []

    init(worker: NamespaceWorker) throws { session = try ProbeSession(worker: worker) }
  }

  /// One observation for each flow, in their order. There is a listener at every destination that is asked, and at the
  /// endpoints that `backends` names for a flow to a service.
  public func observe(
    _ flows: [Flow], backends: (Flow) -> [Backend] = { _ in [] }, progress: ((Int) -> Void)? = nil
  ) throws -> [Observation] {
    var conversation = try Conversation(worker: fabric.worker)
    return try observe(flows.map(Inquiry.flow), in: &conversation, backends: backends, progress: progress)
  }

  /// The same of flows and pings, which no listener answers. `limit` is what a silent one costs, if not the usual time.
  func observe(
    _ inquiries: [Inquiry], within limit: Duration? = nil, in conversation: inout Conversation,
    backends: (Flow) -> [Backend], progress: ((Int) -> Void)? = nil
  ) throws -> [Observation] {
    let timeout = limit ?? timeout
    var listeners: [Listener] = []
    var probes: [Probe] = []
    var wanted = conversation.listening
    // One after the other: a listener to a group must know whose datagram it got.
    var toGroups: [(index: Int, seen: Observation)] = []
    for (index, inquiry) in inquiries.enumerated() {
      if case .flow(let flow) = inquiry, flow.destinationAddress.isMulticast {
        toGroups.append((index, try observeGroup(flow, timeout)))
        continue
      }
      guard let from = fabric.namespace(of: inquiry.source) else { throw LabError("no namespace for \(inquiry)") }
      guard case .flow(let flow) = inquiry else {
        probes.append(
          Probe(
            from: from, sourceAddress: inquiry.sourceAddress.bytes,
            to: ProbeAddress(inquiry.destinationAddress.bytes, port: 0), .ping))
        continue
      }
      let transport = ProbeTransport(flow.transport)
      // A service's own address has no listener: without its rules nobody answers there.
      let own = fabric.namespace(of: flow.destination).map { ($0, flow.destinationAddress, flow.port) }
      let translated = backends(flow)
      for (namespace, address, port) in translated.isEmpty
        ? [own].compactMap({ $0 })
        : translated.compactMap({ backend in
          fabric.namespace(of: backend.endpoint).map { ($0, backend.address, backend.port) }
        })
      where wanted.insert(
        Socket(
          namespace: ObjectIdentifier(namespace), address: address, port: port, transport: flow.transport)
      ).inserted {
        listeners.append(Listener(in: namespace, on: ProbeAddress(address.bytes, port: port), transport))
      }
      probes.append(
        Probe(
          from: from, sourceAddress: flow.sourceAddress.bytes,
          to: ProbeAddress(flow.destinationAddress.bytes, port: flow.port), transport))
    }
    try conversation.session.listen(listeners)
    conversation.listening = wanted
    var seen = try conversation.session.run(probes, timeout: timeout, parallel: parallel, progress: progress)
    for (index, observation) in toGroups { seen.insert(observation, at: index) }
    return seen
  }

  /// Whether a datagram to a group reaches the listener that the flow names.
  private func observeGroup(_ flow: Flow, _ timeout: Duration) throws -> Observation {
    guard let from = fabric.namespace(of: flow.source), let to = fabric.namespace(of: flow.destination),
      let address = fabric.topology.address(of: flow.destination, flow.family)
    else { throw LabError("no namespace for \(flow)") }
    // A node listens towards its pods on their bridge.
    var joined = address
    if let node = fabric.topology.hostNode(of: flow.destination), case .pod = flow.source {
      joined = node.bridge.first { $0.address.family == flow.family }?.address ?? address
    }
    let probe = GroupProbe(
      from: from, flow.sourceAddress.bytes, to: to, joined.bytes,
      group: ProbeAddress(flow.destinationAddress.bytes, port: flow.port))
    return try probe.observe(on: fabric.worker, timeout: timeout)
  }

  /// Where a service's packets may end.
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

  fileprivate struct Socket: Hashable {
    /// A loopback address is in each.
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
  /// Not knowing is not denying: what is unusable says nothing.
  public var answer: KernelAnswer {
    switch self {
    case .delivered: .verdict(.allow)
    case .refused, .silent: .verdict(.deny)
    case .unusable(let why): .unusable(why)
    }
  }

  var verdict: Verdict? { if case .verdict(let verdict) = answer { verdict } else { nil } }
}

/// Something that the lab can't do on this machine, or did not find as it should be.
public struct LabError: Error, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}
