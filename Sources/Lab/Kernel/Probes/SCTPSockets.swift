internal import Glibc
internal import OrderedCollections

/// The raw sockets that send and answer SCTP: one per namespace and family, for any number of probes.
///
/// They are raw so that the kernel needs no SCTP. While one is open, a kernel without SCTP doesn't send "protocol
/// unreachable" (raw_local_deliver, net/ipv4/raw.c). A kernel with SCTP answers every INIT with ABORT, since none of
/// its own sockets listens. So an ABORT proves nothing before the timeout.
final class SCTPSockets {
  private struct Key: Hashable {
    var namespace: ObjectIdentifier
    var family: AddressFamily
  }
  private struct Open {
    /// The descriptor, or -errno.
    var fd: Int32
    /// Keeps the namespace alive, so that the identifier in the key stays unique.
    var namespace: NetworkNamespace
    var listening: Set<ProbeAddress> = []
  }

  private var sockets: OrderedDictionary<Key, Open> = [:]

  deinit { for socket in sockets.values where socket.fd >= 0 { close(socket.fd) } }

  /// The index of the socket for packets of a family; `nil` before `open`.
  func index(in namespace: NetworkNamespace, _ family: AddressFamily) -> Int? {
    sockets.index(forKey: Key(namespace: ObjectIdentifier(namespace), family: family))
  }

  /// Opens the sockets that aren't open yet. If one can't be opened, its users find out.
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
        sockets[Key(namespace: ObjectIdentifier(namespace), family: family)] = Open(fd: fd, namespace: namespace)
      }
    }
  }

  /// Starts answering INITs to these addresses: to all of them or none.
  func listen(_ listeners: [Listener], on worker: NamespaceWorker, watch: (Int32, Int) throws -> Void) throws {
    try open(listeners.lazy.map { ($0.namespace, $0.address.family) }, on: worker, watch: watch)
    var done = 0
    do {
      for listener in listeners {
        let operation = "listener on sctp \(listener.address)"
        guard let index = index(in: listener.namespace, listener.address.family) else {
          throw KernelError(operation, code: ENOTSOCK)
        }
        guard sockets.values[index].fd >= 0 else { throw KernelError(operation, code: -sockets.values[index].fd) }
        try worker.run(in: listener.namespace) { try Self.requireLocal(listener.address, operation) }
        guard sockets.values[index].listening.insert(listener.address).inserted else {
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
      sockets.values[index].listening.remove(listener.address)
    }
  }

  /// Throws if the address isn't local. A raw socket has no ports, but it can be bound to an address.
  private static func requireLocal(_ address: ProbeAddress, _ operation: String) throws(KernelError) {
    let fd = try ProbeSocket.open(address.family, .sctp)
    guard fd >= 0 else { throw KernelError(operation, code: -fd) }
    defer { close(fd) }
    let result = ProbeSocket.bind(fd, to: ProbeAddress(address.bytes, port: 0))
    if result != 0 { throw KernelError(operation, code: -result) }
  }

  /// Sends a packet. Returns 0 or an errno.
  func send(
    _ packet: SCTPPacket, over index: Int, from source: [UInt8]?, to destination: [UInt8], codePoint: UInt8 = 0
  ) -> Int32 {
    let fd = sockets.values[index].fd
    if fd < 0 { return -fd }
    let bytes = packet.bytes
    var code: Int32 = 0
    // If an ICMP error about an earlier packet is pending, the next send fails with it and sends nothing (sock_error in
    // sock_alloc_send_pskb). An error about this packet itself comes back on every try.
    for _ in 0..<8 {
      code = RawSocket.send(bytes, over: fd, from: source, to: destination, codePoint: codePoint)
      if code == 0 || code == EPERM || code == EINVAL { break }
    }
    return code
  }

  /// Handles everything that waits at a socket: answers this run's INITs, and reports answers and errors to the run.
  func serve(_ index: Int, for run: ProbeRun) {
    guard sockets.values.indices.contains(index) else { return }
    let (fd, family) = (sockets.values[index].fd, sockets.keys[index].family)
    // Bounded, so that one socket can't block the others. epoll reports the rest again.
    packets: for _ in 0..<256 {
      switch RawSocket.receive(from: fd, family, { receive($0, at: index, for: run) }) {
      case .packet, .foreign, .failed: continue
      case .nothing: break packets
      }
    }
    takeErrors(index, for: run)
  }

  /// Reports all ICMP errors about the run's packets to the run.
  func takeErrors(_ index: Int, for run: ProbeRun) {
    let (fd, family) = (sockets.values[index].fd, sockets.keys[index].family)
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
    // Each session's socket gets a copy of every packet, so another session's INIT is ignored here.
    guard run.isInitiation(tag, sequence) else { return }
    let isOpen = sockets.values[index].listening.contains(ProbeAddress(raw.local, port: packet.destinationPort))
    if isOpen { run.noteArrival(ofProbe: Int(sequence)) }
    // If the answer can't be sent, the reply is lost, and the probe reports that.
    _ = send(
      packet.answer(isOpen ? .acknowledgement(tag: .random(in: 1 ... .max), sequence: sequence) : .abort, to: tag),
      over: index, from: raw.local, to: raw.peer)
  }
}
