internal import CLinux
internal import CNftables
internal import Glibc

extension NetlinkSocket {
  /// Waits until the kernel has noticed that the far ends of the namespace's veths are up too.
  ///
  /// It tells the end that came up first a moment later (linkwatch, net/core/link_watch.c), or seconds later where many
  /// namespaces come and go. Until then it drops all that the end sends, and a bridge drops all that the end receives.
  /// Throws ETIMEDOUT, with the number of such links, after `seconds`.
  public func waitForVeths(atMost seconds: Int = 30) throws(KernelError) {
    let deadline = MonotonicClock.now + UInt64(seconds) * 1_000_000_000
    var pause: UInt32 = 250
    while true {
      let waiting = try waitingVeths()
      if waiting == 0 { return }
      guard MonotonicClock.now < deadline else {
        throw KernelError(
          "wait for links", code: ETIMEDOUT, message: "\(waiting) veths are not ready after \(seconds) s")
      }
      usleep(pause)
      pause = min(2 * pause, 20_000)
    }
  }

  /// The number of veths that are up and can't pass packets yet (IFLA_OPERSTATE, linux/rtnetlink.h).
  func waitingVeths() throws(KernelError) -> Int {
    var request = NetlinkBuffer()
    try request.appendMessage(
      type: UInt16(RTM_GETLINK), flags: UInt16(NLM_F_REQUEST | NLM_F_DUMP), sequence: 1, ifinfomsg(index: 0)
    ) { _ in }
    return try dump(request, "list links").count { message in
      guard let link: ifinfomsg = message.header(), link.ifi_flags & UInt32(IFF_UP) != 0 else { return false }
      let attributes = message.attributes(after: ifinfomsg.self)
      let kind = attributes[number(IFLA_LINKINFO)]?.nested[number(IFLA_INFO_KIND)]?.string
      // IF_OPER_UP is 6 (linux/if.h, RFC 2863).
      return kind == "veth" && attributes[number(IFLA_OPERSTATE)]?.integer(UInt8.self) != 6
    }
  }
}
