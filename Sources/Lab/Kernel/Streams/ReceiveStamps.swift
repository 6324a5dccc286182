internal import Glibc
internal import Synchronization

/// The kernel's stamping of datagrams on arrival (SO_TIMESTAMPNS), which is on while any socket asks for it.
///
/// The first such socket has a kernel thread patch it in (net_enable_timestamp, net/core/dev.c), milliseconds later on
/// a busy machine. Until then a datagram is stamped when it is read.
enum ReceiveStamps {
  /// Asks for stamps from the first trial to the end of the process: no trial begins while code is patched.
  private static let keeper = Mutex<StreamReceiver?>(nil)

  /// Returns when datagrams are stamped on arrival; throws ETIMEDOUT when they aren't within 30 s.
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
        // Delivered within the call, over lo. A stamp that is no older than its return was made by the reading.
        _ = ProbeDatagram(nonce: 0, index: 0).send(over: sender.fd)
        let sent = WallClock.now
        usleep(1000)
        var isOn = false
        receiver.drain { _, stamp in isOn = stamp != 0 && stamp <= sent }
        guard isOn else { continue }
        keeper = receiver
        return
      }
      throw KernelError("wait for stamps of arrival", code: ETIMEDOUT)
    }
  }
}
