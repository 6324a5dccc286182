/// Source ports for probes, chosen so that conntrack can't take one probe for a packet of another.
///
/// There is a counter for each source namespace and transport. TCP starts over after the last port: a probe ends with
/// RST, and for a SYN on such a tuple conntrack starts a new entry. UDP has no end that conntrack could see. For an
/// INIT on an answered tuple conntrack keeps the entry (nf_conntrack_proto_sctp.c). So only TCP uses a port twice.
struct ProbePorts {
  /// Above the well-known ports, and as wide as possible.
  static let range: ClosedRange<UInt16> = 10_240...65_535

  private struct Counter {
    var next: UInt16
    var given = 0
  }
  private struct Key: Hashable {
    var namespace: ObjectIdentifier
    var transport: ProbeTransport
  }

  private var counters: [Key: Counter] = [:]

  /// Returns the next port, which may still be in use in the namespace; `nil` when all have been given out.
  mutating func next(in namespace: NetworkNamespace, _ transport: ProbeTransport) -> UInt16? {
    // The start is random, since another session may just have probed from this namespace.
    let key = Key(namespace: ObjectIdentifier(namespace), transport: transport)
    var counter = counters[key] ?? Counter(next: .random(in: Self.range))
    if transport != .tcp, counter.given == Self.range.count { return nil }
    let port = counter.next
    counter.next = port == Self.range.upperBound ? Self.range.lowerBound : port + 1
    counter.given += 1
    counters[key] = counter
    return port
  }
}
