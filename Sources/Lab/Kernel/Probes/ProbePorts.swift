/// Source ports for probes, so that connection tracking can't take one probe for a packet of another.
///
/// A counter for each source namespace and transport. TCP starts over at the end: a probe ends with RST, and for a
/// SYN on such a tuple conntrack begins a new entry. UDP has no end that conntrack could see, and for an INIT on an
/// answered tuple it keeps the entry (nf_conntrack_proto_sctp.c), so over both no port comes twice.
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

  /// A port that the namespace may still have in other use; nil when all were given out.
  mutating func next(in namespace: NetworkNamespace, _ transport: ProbeTransport) -> UInt16? {
    // Another session may have probed from here a moment ago: hence the random start.
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
