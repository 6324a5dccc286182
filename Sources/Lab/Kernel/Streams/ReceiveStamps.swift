internal import Glibc
internal import Synchronization

/// The kernel's timestamps of arriving datagrams (SO_TIMESTAMPNS), which are on while any socket asks for them.
///
/// For the first such socket, a kernel thread patches them into the code (net_enable_timestamp, net/core/dev.c),
/// milliseconds later on a busy machine. Until then a datagram is stamped when it is read.
enum ReceiveStamps {
  /// Asks for timestamps from the first trial until the process ends, so that no code is patched during a trial.
  private static let keeper = Mutex<StreamReceiver?>(nil)

  /// Returns when datagrams are stamped on arrival. Throws ETIMEDOUT if they aren't within 30 s.
  static func turnOn(_ worker: NamespaceWorker) throws {
    try keeper.withLock { keeper in
      if keeper != nil { return }
      let namespace = try worker.makeNamespace()
      try worker.run(in: namespace) {
        var up = RouteBatch()
        up.bringUp(1)
        try up.send(in: NetlinkSocket(.route))
      }
      let address = ProbeAddress([127, 0, 0, 1], port: 7)
      let receiver = try StreamReceiver(
        .udp, on: address, in: namespace, nonce: StreamNonce(), datagrams: 1, limit: 1 << 16, worker: worker)
      let sender = try RequestSocket(.udp, from: namespace, sourceAddress: nil, to: address, worker: worker)
      let connected = ProbeSocket.connect(sender.fd, to: address)
      guard connected == 0 else { throw KernelError("connect to \(address)", code: -connected) }
      for _ in 0..<30_000 {
        // Over lo, the datagram is delivered within the call. A stamp later than the call's return was made by the
        // reading.
        _ = ProbeDatagram(nonce: 0, index: 0).send(over: sender.fd)
        let sent = WallClock.now
        usleep(1000)
        var isOn = false
        receiver.drain { _, stamp in isOn = stamp != 0 && stamp <= sent }
        guard isOn else { continue }
        keeper = receiver
        return
      }
      throw KernelError("wait for receive timestamps", code: ETIMEDOUT)
    }
  }
}
