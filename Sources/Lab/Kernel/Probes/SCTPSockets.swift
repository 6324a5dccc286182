internal import Glibc

/// The raw sockets that send and answer SCTP: one for each namespace and family, whatever the number of probes.
///
/// Raw, so that no kernel needs to know SCTP. While one is open, a kernel that doesn't know it keeps its "protocol
/// unreachable" to itself (raw_local_deliver, net/ipv4/raw.c). One that does know it answers every INIT with ABORT,
/// since none of its own sockets listens: hence an ABORT says nothing before the timeout.
final class SCTPSockets {
  private struct Key: Hashable {
    var namespace: ObjectIdentifier
    var family: AddressFamily
  }
  private struct Open {
    /// Or -errno.
    var fd: Int32
    /// Keeps the identifier in the key its own.
    var namespace: NetworkNamespace
    var family: AddressFamily
    var listening: Set<ProbeAddress> = []
  }

  private var sockets: [Open] = []
  private var indices: [Key: Int] = [:]

  deinit { for socket in sockets where socket.fd >= 0 { close(socket.fd) } }

  /// Which socket is there for packets of a family; nil before `open`.
  func index(in namespace: NetworkNamespace, _ family: AddressFamily) -> Int? {
    indices[Key(namespace: ObjectIdentifier(namespace), family: family)]
  }

  /// Opens what isn't open yet. A socket that can't be is found out by who uses it.
  func open(
    _ wanted: some Sequence<(NetworkNamespace, AddressFamily)>, on worker: NamespaceWorker,
    watch: (Int32, Int) throws -> Void
  ) throws {
    let missing = wanted.filter { index(in: $0, $1) == nil }
    if missing.isEmpty { return }
    try worker.onThread {
      for (namespace, family) in missing where index(in: namespace, family) == nil {
        let fd = try worker.run(in: namespace) { try ProbeSocket.open(family, .sctp) }
        if fd >= 0 {
          RawSocket.prepare(fd, family)
          do { try watch(fd, sockets.count) } catch {
            close(fd)
            throw error
          }
        }
        indices[Key(namespace: ObjectIdentifier(namespace), family: family)] = sockets.count
        sockets.append(Open(fd: fd, namespace: namespace, family: family))
      }
    }
  }

  /// Answers INITs to these addresses from now on: to all of them, or none.
  func listen(_ listeners: [Listener], on worker: NamespaceWorker, watch: (Int32, Int) throws -> Void) throws {
    try open(listeners.lazy.map { ($0.namespace, $0.address.family) }, on: worker, watch: watch)
    var done = 0
    do {
      for listener in listeners {
        let operation = "listener on sctp \(listener.address)"
        guard let index = index(in: listener.namespace, listener.address.family) else {
          throw KernelError(operation, code: ENOTSOCK)
        }
        guard sockets[index].fd >= 0 else { throw KernelError(operation, code: -sockets[index].fd) }
        try worker.run(in: listener.namespace) { try Self.requireLocal(listener.address, operation) }
        guard sockets[index].listening.insert(listener.address).inserted else {
          throw KernelError(operation, code: EADDRINUSE)
        }
        done += 1
      }
    } catch {
      stopListening(listeners[..<done])
      throw error
    }
  }

  func stopListening(_ listeners: some Sequence<Listener>) {
    for listener in listeners {
      guard let index = index(in: listener.namespace, listener.address.family) else { continue }
      sockets[index].listening.remove(listener.address)
    }
  }

  /// A raw socket has no ports, but an address it can be bound to.
  private static func requireLocal(_ address: ProbeAddress, _ operation: String) throws(KernelError) {
    let fd = try ProbeSocket.open(address.family, .sctp)
    guard fd >= 0 else { throw KernelError(operation, code: -fd) }
    defer { close(fd) }
    let result = ProbeSocket.bind(fd, to: ProbeAddress(address.bytes, port: 0))
    if result != 0 { throw KernelError(operation, code: -result) }
  }

  /// Sends a packet; 0 or an errno.
  func send(_ packet: SCTPPacket, over index: Int, from source: [UInt8]?, to destination: [UInt8]) -> Int32 {
    let fd = sockets[index].fd
    if fd < 0 { return -fd }
    let bytes = packet.bytes
    var code: Int32 = 0
    // A raw socket tells whoever sends next of an ICMP error about an earlier packet, and sends nothing (sock_error in
    // sock_alloc_send_pskb). What the kernel says of this packet itself, it says again.
    for _ in 0..<8 {
      code = RawSocket.send(bytes, over: fd, from: source, to: destination)
      if code == 0 || code == EPERM || code == EINVAL { break }
    }
    return code
  }

  /// Takes what waits at a socket: answers the INITs of this run, and tells the run of answers and of errors.
  func serve(_ index: Int, for run: ProbeRun) {
    guard sockets.indices.contains(index) else { return }
    let (fd, family) = (sockets[index].fd, sockets[index].family)
    // Bounded, so that no socket keeps the loop from the others; epoll comes back to what is left.
    packets: for _ in 0..<256 {
      switch RawSocket.receive(from: fd, family, { receive($0, at: index, for: run) }) {
      case .packet, .foreign, .failed: continue
      case .nothing: break packets
      }
    }
    takeErrors(index, for: run)
  }

  /// Tells the run of all ICMP errors about its packets.
  func takeErrors(_ index: Int, for run: ProbeRun) {
    let (fd, family) = (sockets[index].fd, sockets[index].family)
    while true {
      let reception = RawSocket.receive(from: fd, family, errors: true) { packet in
        if let error = packet.error { run.noteError(error, at: index, about: packet.payload, to: packet.peer) }
      }
      if reception == .nothing || reception == .failed { return }
    }
  }

  private func receive(_ raw: RawPacket, at index: Int, for run: ProbeRun) {
    guard let packet = SCTPPacket(raw.payload) else { return }
    guard case .initiation(let tag, let sequence) = packet.chunk else {
      return run.noteAnswer(packet, at: index, from: raw.peer)
    }
    // Another session's INIT is for another session's socket: each has a copy.
    guard run.isInitiation(tag, sequence) else { return }
    let isOpen = sockets[index].listening.contains(ProbeAddress(raw.local, port: packet.destinationPort))
    if isOpen { run.noteArrival(ofProbe: Int(sequence)) }
    // An answer that can't be sent is a lost reply, and the probe will say so.
    _ = send(
      packet.answer(isOpen ? .acknowledgement(tag: .random(in: 1 ... .max), sequence: sequence) : .abort, to: tag),
      over: index, from: raw.local, to: raw.peer)
  }
}
