public import Comparison
public import Kernel
public import NetpolModel

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

  /// One observation for each flow, in their order. There is a listener at every destination that is asked.
  public func observe(_ flows: [Flow], progress: ((Int) -> Void)? = nil) throws -> [Observation] {
    let session = try ProbeSession(worker: fabric.worker)
    var wanted: Set<Socket> = []
    var listeners: [Listener] = []
    var probes: [Probe] = []
    for flow in flows {
      guard let from = fabric.namespace(of: flow.source), let to = fabric.namespace(of: flow.destination) else {
        throw LabError("no namespace for \(flow)")
      }
      let address = ProbeAddress(flow.destinationAddress.bytes, port: flow.port)
      let transport = ProbeTransport(flow.transport)
      if wanted.insert(Socket(address: flow.destinationAddress, port: flow.port, transport: flow.transport)).inserted {
        listeners.append(Listener(in: to, on: address, transport))
      }
      probes.append(
        Probe(from: from, sourceAddress: flow.sourceAddress.bytes, to: address, transport))
    }
    try session.listen(listeners)
    return try session.run(probes, timeout: timeout, parallel: parallel, progress: progress)
  }

  private struct Socket: Hashable {
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
