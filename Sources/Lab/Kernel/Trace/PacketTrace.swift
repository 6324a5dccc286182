internal import CNftables
internal import Glibc

/// Listens to what every packet in one network namespace meets, from its first hook on.
///
/// A table of its own sets `nftrace` for all packets; it is gone after `stop()`, or with the namespace. The flag does
/// not leave the namespace (`skb_scrub_packet`), so each machine on a packet's way needs its own trace.
public struct PacketTrace: ~Copyable {
  public static let table = "netpol-lab-trace"

  private let events: NetlinkSocket
  private let control: NetlinkSocket
  public let handles: RuleHandles

  private init(_ events: consuming NetlinkSocket, _ control: consuming NetlinkSocket, _ handles: RuleHandles) {
    self.events = events
    self.control = control
    self.handles = handles
  }

  /// Starts in the namespace of the calling thread. Throws `NftRefusal` or `KernelError`.
  public static func start() throws -> PacketTrace {
    let events = try NetlinkSocket(.netfilter)
    let control = try NetlinkSocket(.netfilter)
    events.reserveReceiveBuffer(1 << 20)
    let handles = try RuleHandles(in: control)
    try events.join(group: Int32(NFNLGRP_NFTRACE.rawValue))
    var batch = NftBatch()
    for family in AddressFamily.allCases {
      batch.addTable(table, family)
      // Before everything else: NF_IP_PRI_RAW is -300. NF_INET_PRE_ROUTING is 0, NF_INET_LOCAL_OUT 3.
      for (name, hook) in [("prerouting", UInt32(0)), ("output", 3)] {
        batch.addChain(
          name, in: table, family, base: NftBatch.Base(type: "filter", hook: hook, priority: -450, drops: false))
        batch.addRule([.constant(1), .setTrace], to: name, in: table, family)
      }
    }
    try batch.send(in: control)
    return PacketTrace(events, control, handles)
  }

  /// The events since the last call, but for those of the trace's own table. `lost`: some did not fit into the buffer.
  public func drain() throws(KernelError) -> (events: [TraceEvent], lost: Bool) {
    var found: [TraceEvent] = []
    let lost = try events.drain { message in
      if let event = TraceEvent(message), event.table != Self.table { found.append(event) }
    }
    return (found, lost)
  }

  /// Ends the trace.
  public consuming func stop() throws {
    var batch = NftBatch()
    for family in AddressFamily.allCases { batch.deleteTable(Self.table, family) }
    try batch.send(in: control)
  }
}
