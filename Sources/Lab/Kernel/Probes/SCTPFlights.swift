internal import Glibc

/// The SCTP probes of a run, which share sockets.
extension ProbeRun {
  /// A source port on one of the shared sockets. Every answer and every ICMP error contains it.
  struct SCTPSource: Hashable {
    var socket: Int
    var port: UInt16
  }

  /// Sends the first INIT.
  func launchSCTP(_ index: Int, ports: inout ProbePorts) {
    let probe = probes[index]
    let family = probe.destination.family
    if let source = probe.sourceAddress, AddressFamily(of: source) != family {
      return finish(index, .unusable(Self.wrongSource(source, probe)))
    }
    guard let socket = sctp.index(in: probe.namespace, family) else {
      return finish(index, .unusable("there is no socket for SCTP"))
    }
    var port = ports.next(in: probe.namespace, .sctp)
    // A probe to its own address must not use the destination's port: conntrack couldn't tell the two directions apart.
    if port == probe.destination.port { port = ports.next(in: probe.namespace, .sctp) }
    guard let port else { return finish(index, .unusable(Self.noPorts)) }
    sourcePorts[index] = port
    flights[index].nonce = UInt64(UInt32.random(in: 1 ... .max))
    flights[index].source = SCTPSource(socket: socket, port: port)
    sources[SCTPSource(socket: socket, port: port)] = index
    sendInitiation(index)
  }

  /// Sends the INIT. A repeated INIT is identical, as from a real sender (RFC 9260, 5.1, timer T1-init).
  func sendInitiation(_ index: Int) {
    guard let source = flights[index].source else { return }
    let probe = probes[index]
    let packet = SCTPPacket(
      sourcePort: source.port, destinationPort: probe.destination.port, verificationTag: 0,
      chunk: initiation(index))
    let code = sctp.send(
      packet, over: source.socket, from: probe.sourceAddress, to: probe.destination.bytes, codePoint: probe.codePoint)
    if code == 0 { return }
    // A REJECT in the sender's own OUTPUT chain causes EPERM and an ICMP error.
    sctp.takeErrors(source.socket, for: self)
    guard flights[index].inFlight else { return }
    // Also for a source address that isn't the namespace's own: IPv4 returns ENETUNREACH, IPv6 EINVAL.
    if code == EINVAL || code == ENETUNREACH, let address = probe.sourceAddress {
      let operation = "send from \(addressText(address)) to \(probe.destination)"
      conclude(index, .unusable(KernelError(operation, code: code).description))
    } else if let observation = ProbeOutcome(code, of: probe, timeout: timeout) {
      conclude(index, observation)
    }
  }

  private func tag(of index: Int) -> UInt32 { UInt32(truncatingIfNeeded: flights[index].nonce) }

  /// Whether an INIT with this tag and sequence number belongs to this run.
  func isInitiation(_ tag: UInt32, _ sequence: UInt32) -> Bool {
    guard let index = inFlight(UInt64(sequence)), probes[index].transport == .sctp else { return false }
    return self.tag(of: index) == tag
  }

  /// Notes that the listener received the INIT of a probe.
  func noteArrival(ofProbe index: Int) { flights[index].arrived = true }

  /// Notes an INIT ACK or ABORT that came to one of the shared sockets.
  func noteAnswer(_ packet: SCTPPacket, at socket: Int, from peer: [UInt8]) {
    guard
      let index = probe(
        at: SCTPSource(socket: socket, port: packet.destinationPort), to: peer, port: packet.sourcePort),
      packet.verificationTag == tag(of: index)
    else { return }
    switch packet.chunk {
    case .acknowledgement: finish(index, .delivered)
    case .abort: flights[index].aborted = true
    case .initiation: break
    }
  }

  /// Notes an ICMP error that quotes `packet`, which was sent to `peer`.
  func noteError(_ error: ICMPError, at socket: Int, about packet: some RandomAccessCollection<UInt8>, to peer: [UInt8])
  {
    guard let ports = SCTPPorts(packet),
      let index = probe(at: SCTPSource(socket: socket, port: ports.source), to: peer, port: ports.destination)
    else { return }
    // The error is about a packet of an earlier run from this port, if the quotation is long enough to show it.
    if let quoted = SCTPPacket(packet), quoted.chunk != initiation(index) { return }
    conclude(index, ProbeOutcome(error, of: probes[index]))
  }

  private func initiation(_ index: Int) -> SCTPPacket.Chunk {
    .initiation(tag: tag(of: index), sequence: UInt32(truncatingIfNeeded: index))
  }

  private func probe(at source: SCTPSource, to peer: [UInt8], port: UInt16) -> Int? {
    guard let index = sources[source], flights[index].inFlight, probes[index].destination.bytes == peer,
      probes[index].destination.port == port
    else { return nil }
    return index
  }
}
